// What tickbridge makes of keys: the same lines in and out as Murmur2.java, for java_client_test.py to compare.
#include <fmt/core.h>

#include <iostream>
#include <string>

#include "routing/partitioner.h"

namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 2 <= hex.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

int main() {
  using tickbridge::routing::Partitioner;
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t space = line.find(' ');
    const std::string key = from_hex(line.substr(0, space));
    const Partitioner partitioner({}, std::stoi(line.substr(space + 1)));
    fmt::print("{:08x} {}\n", tickbridge::routing::murmur2(key), partitioner.of_key(key));
  }
}
