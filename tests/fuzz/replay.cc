// Runs a fuzzer without libFuzzer: replay CORPUS_FOLDER [MUTATIONS]. Each file of the corpus, then seeded mutations.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/bytes.h"
#include "support/seed.h"

namespace {

using Random = std::mt19937_64;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::vector<std::string> read_corpus(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());  // else a seed means something else elsewhere
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file{path, std::ios::binary};
    corpus.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
  }
  return corpus;
}

void change_once(std::string& input, const std::string& other, Random& random) {
  constexpr char kEdges[] = {'\0', '\1', '\x7F', '\x80', '\xFF', ' '};
  const std::size_t at = input.empty() ? 0 : random() % input.size();
  switch (input.empty() ? 4 : random() % 6) {
    case 0:
      input[at] = static_cast<char>(random());
      return;
    case 1:
      input[at] = kEdges[random() % std::size(kEdges)];
      return;
    case 2:
      input.resize(at);
      return;
    case 3:
      input.erase(at, 1 + random() % 8);
      return;
    case 4:
      input.insert(at, other.substr(other.empty() ? 0 : random() % other.size(), random() % 40));
      return;
    default:
      input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  const std::vector<std::string> corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::cerr << "no corpus in " << argv[1] << '\n';
    return 1;
  }
  for (const std::string& input : corpus) run(input);
  run({});
  Random random{tickbridge::tests::seed()};
  const int mutations = argc > 2 ? std::stoi(argv[2]) : 20'000;
  for (int i = 0; i < mutations; ++i) {
    std::string input = corpus[random() % corpus.size()];
    for (std::size_t n = 1 + random() % 6; n > 0; --n) change_once(input, corpus[random() % corpus.size()], random);
    run(input);
  }
  std::cout << corpus.size() << " files and " << mutations << " mutations\n";
}
