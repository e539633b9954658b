// docs/wire/ says what the code does. TICKBRIDGE_UPDATE_DOCS=1 codec_tests writes docs/wire/itch50.md anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "codec/message_table.h"
#include "codec/real_data.h"

namespace tickbridge::codec {
namespace {

const std::string kFolder = TICKBRIDGE_SOURCE_DIR "/docs/wire/";

std::string kind_of(const Field& field) {
  switch (field.kind) {
    case Field::Kind::kNumber:
      return "number";
    case Field::Kind::kPrice4:
      return "price, 4 decimals";
    case Field::Kind::kPrice8:
      return "price, 8 decimals";
    case Field::Kind::kText:
      return "text";
    case Field::Kind::kSymbol:
      return "symbol";
    case Field::Kind::kCode:
      break;
  }
  std::string codes = "code:";
  for (const char code : field.codes) codes += code == ' ' ? std::string{" blank"} : " `" + std::string{code} + "`";
  return codes;
}

void render_type(std::ostream& page, const MessageType& type) {
  page << "\n## `" << type.type << "` " << type.name << ", " << unsigned{type.length} << " bytes\n"
       << "| offset | size | field | |\n|---|---|---|---|\n";
  std::size_t offset = kHeaderSize;
  for (const Field& field : type.fields) {
    page << "| " << offset << " | " << unsigned{field.size} << " | " << field.name << " | " << kind_of(field) << " |\n";
    offset += field.size;
  }
}

std::string render_page() {
  std::ostringstream page;
  page << R"(# ITCH 5.0

Nasdaq TotalView-ITCH 5.0, editions 2015 to 2026, as the daemon checks it (`protocol = "itch50"`). Made from the table in
`src/codec/itch50.cc` by codec_tests: do not edit. BX and PSX (`itch50-bx`, `itch50-psx`) have no `K` and no `O`.

Numbers and prices are unsigned, big-endian. Text is left-justified and padded with spaces.

What is checked: the length by the type, the time below 24 h, text and symbols printable ASCII (20 to 7E hex); what fails is
invalid ([dead-letters.md](dead-letters.md)). A code that is not listed here, and a type that is not, is unknown
(`on_unknown`), never invalid. Numbers and prices are not checked.

## Every message begins with
| offset | size | field | |
|---|---|---|---|
| 0 | 1 | type | |
| 1 | 2 | instrument (stock locate) | number; 0: none; changes daily |
| 3 | 2 | tracking number | number |
| 5 | 6 | time | number: ns since midnight, exchange time |
)";
  for (const MessageType& type : itch50_types()) render_type(page, type);
  return page.str();
}

TEST(WirePages, Itch50IsWhatTheTableSays) {
  const std::string path = kFolder + "itch50.md";
  if (std::getenv("TICKBRIDGE_UPDATE_DOCS") != nullptr) std::ofstream{path} << render_page();
  EXPECT_TRUE(tests::read_file(path) == render_page())
      << "docs/wire/itch50.md is old: run codec_tests with TICKBRIDGE_UPDATE_DOCS=1";
}

/// The names in the first column of the page's table: | `name` | ...
std::vector<std::string> listed_reasons() {
  std::istringstream page{tests::read_file(kFolder + "dead-letters.md")};
  std::vector<std::string> names;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `") && !line.starts_with("| `reason`"))
      names.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

TEST(WirePages, DeadLettersListsEveryReasonInItsOrder) {
  std::vector<std::string> reasons;
  for (unsigned i = 1; i < static_cast<unsigned>(Reason::kCount); ++i)
    reasons.emplace_back(name(static_cast<Reason>(i)));
  EXPECT_EQ(listed_reasons(), reasons);
}

TEST(Reasons, HaveDifferentNames) {
  std::vector<std::string_view> names;
  for (unsigned i = 0; i < static_cast<unsigned>(Reason::kCount); ++i) names.push_back(name(static_cast<Reason>(i)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_FALSE(names.front().empty());
}

}  // namespace
}  // namespace tickbridge::codec
