// tickbridge-docs: prints what is made from the daemon's tables of options and events, so that it can be checked in.
//   tickbridge-docs help | reference | example | manual | manual-file | events
//   tickbridge-docs write ROOT     writes ROOT/docs/configuration.md, ROOT/config/tickbridge.toml,
//   ROOT/docs/man/tickbridge*, ROOT/docs/events.md
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "config/generate.h"
#include "ops/events_page.h"

namespace {

namespace config = tickbridge::config;

struct Document {
  std::string_view name;  ///< as the command line says it
  std::string (*text)();
  std::string_view path;  ///< where it is checked in; empty: nowhere
};
constexpr Document kDocuments[] = {
    {"help", config::help, ""},
    {"reference", config::reference, "docs/configuration.md"},
    {"example", config::example, "config/tickbridge.toml"},
    {"manual", config::manual_program, "docs/man/tickbridge.8"},
    {"manual-file", config::manual_file, "docs/man/tickbridge.toml.5"},
    {"events", tickbridge::ops::render_events_page, "docs/events.md"},
};

bool write(const std::filesystem::path& path, const std::string& text) {
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();
  if (!file) std::cerr << "tickbridge-docs: cannot write " << path.string() << '\n';
  return static_cast<bool>(file);
}

int write_all(const std::filesystem::path& root) {
  int result = 0;
  for (const Document& document : kDocuments) {
    if (!document.path.empty() && !write(root / document.path, document.text())) result = 1;
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "write" && argc == 3) return write_all(argv[2]);
  for (const Document& document : kDocuments) {
    if (what == document.name) return (std::cout << document.text()) ? 0 : 1;
  }
  std::cerr << "usage: tickbridge-docs help | reference | example | manual | manual-file | events | write ROOT\n";
  return 64;
}
