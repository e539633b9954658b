// tickbridge-docs: prints what is made from the daemon's table of options, so that it can be checked in.
//   tickbridge-docs help | reference | example
//   tickbridge-docs write ROOT     writes ROOT/docs/configuration.md and ROOT/config/tickbridge.toml
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "config/generate.h"

namespace {

bool write(const std::filesystem::path& path, const std::string& text) {
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();
  if (!file) std::cerr << "tickbridge-docs: cannot write " << path.string() << '\n';
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  namespace config = tickbridge::config;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "write" && argc == 3) {
    const std::filesystem::path root = argv[2];
    const bool page = write(root / "docs/configuration.md", config::reference());
    const bool file = write(root / "config/tickbridge.toml", config::example());
    return page && file ? 0 : 1;
  }
  if (what == "help") return (std::cout << config::help()) ? 0 : 1;
  if (what == "reference") return (std::cout << config::reference()) ? 0 : 1;
  if (what == "example") return (std::cout << config::example()) ? 0 : 1;
  std::cerr << "usage: tickbridge-docs help | reference | example | write ROOT\n";
  return 64;
}
