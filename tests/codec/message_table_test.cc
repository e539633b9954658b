#include "codec/message_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "codec/sample.h"
#include "support/seed.h"

namespace tickbridge::codec {
namespace {

using tests::put_time;
using tests::sample;

const Protocol& itch() { return *Protocol::find("itch50"); }
Checked check(std::string_view message) { return itch().check(as_bytes(message)); }

void expect_invalid(std::string_view message, Reason reason) {
  const Checked checked = check(message);
  EXPECT_EQ(checked.verdict, Verdict::kInvalid);
  EXPECT_EQ(name(checked.reason), name(reason));
  EXPECT_FALSE(checked.directory);
}

/// Calls visit(type, field, offset) for each field of each type.
template <class Visit>
void for_each_field(Visit visit) {
  for (const MessageType& type : itch50_types()) {
    std::size_t offset = kHeaderSize;
    for (const Field& field : type.fields) {
      visit(type, field, offset);
      offset += field.size;
    }
  }
}
bool is_text(const Field& field) { return field.kind == Field::Kind::kText || field.kind == Field::Kind::kSymbol; }

// Written from the specification, not from the table.
TEST(Itch50, HasTheTypesAndLengthsOfTheSpecification) {
  const std::map<char, int> expected{{'S', 12}, {'R', 39}, {'H', 25}, {'Y', 20}, {'L', 26}, {'V', 35},
                                     {'W', 12}, {'K', 28}, {'J', 35}, {'h', 21}, {'A', 36}, {'F', 40},
                                     {'E', 31}, {'C', 36}, {'X', 23}, {'D', 19}, {'U', 35}, {'P', 44},
                                     {'Q', 40}, {'B', 19}, {'I', 50}, {'N', 20}, {'O', 48}};
  std::map<char, int> found;
  for (const MessageType& type : itch50_types()) found[type.type] = type.length;
  EXPECT_EQ(found, expected);
}

TEST(Itch50, TakesEachTypeAndRefusesItOneByteShortOrLong) {
  for (const MessageType& type : itch50_types()) {
    SCOPED_TRACE(type.name);
    const std::string message = sample(type, 4711, 123);
    const Checked checked = check(message);
    EXPECT_EQ(checked.verdict, Verdict::kValid);
    EXPECT_EQ(checked.reason, Reason::kNone);
    EXPECT_EQ(checked.type, static_cast<std::uint8_t>(type.type));
    EXPECT_EQ(checked.instrument, 4711);
    EXPECT_EQ(checked.time_ns, 123U);
    EXPECT_EQ(checked.directory, type.type == 'R');
    expect_invalid(message.substr(0, message.size() - 1), Reason::kLength);
    expect_invalid(message + ' ', Reason::kLength);
    expect_invalid(message.substr(0, 1), Reason::kLength);
  }
}

TEST(Itch50, RefusesATimeOf24HoursOrMore) {
  for (const MessageType& type : itch50_types()) {
    SCOPED_TRACE(type.name);
    std::string message = sample(type);
    put_time(message, kDayNanoseconds - 1);
    EXPECT_EQ(check(message).verdict, Verdict::kValid);
    for (const std::uint64_t time : {kDayNanoseconds, (std::uint64_t{1} << 48U) - 1}) {
      put_time(message, time);
      expect_invalid(message, Reason::kTime);
      EXPECT_EQ(check(message).time_ns, kNoTime);
    }
  }
}

TEST(Itch50, RefusesEachTextFieldWithAnUnprintableByteAnywhere) {
  for_each_field([](const MessageType& type, const Field& field, std::size_t offset) {
    if (!is_text(field)) return;
    SCOPED_TRACE(std::string{type.name} + " " + std::string{field.name});
    for (std::size_t at = offset; at < offset + field.size; ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string message = sample(type);
        message[at] = static_cast<char>(value);
        const bool printable = value >= 0x20 && value <= 0x7E;
        EXPECT_EQ(check(message).verdict, printable ? Verdict::kValid : Verdict::kInvalid) << value;
        if (!printable) expect_invalid(message, Reason::kText);
      }
    }
  });
}

TEST(Itch50, PassesEachCodeFieldWithAnUnknownCodeAsUnknown) {
  for_each_field([](const MessageType& type, const Field& field, std::size_t offset) {
    if (field.kind != Field::Kind::kCode) return;
    SCOPED_TRACE(std::string{type.name} + " " + std::string{field.name});
    for (unsigned value = 0; value < 256; ++value) {
      std::string message = sample(type);
      message[offset] = static_cast<char>(value);
      const bool known = field.codes.find(static_cast<char>(value)) != std::string_view::npos;
      const Checked checked = check(message);
      EXPECT_EQ(checked.verdict, known ? Verdict::kValid : Verdict::kUnknownCode) << value;
      EXPECT_EQ(checked.reason, Reason::kNone);
      EXPECT_EQ(checked.directory, type.type == 'R') << "the symbol is sound";
    }
  });
}

TEST(Itch50, TakesAnyNumber) {
  for_each_field([](const MessageType& type, const Field& field, std::size_t offset) {
    if (is_text(field) || field.kind == Field::Kind::kCode) return;
    SCOPED_TRACE(std::string{type.name} + " " + std::string{field.name});
    std::string message = sample(type);
    message.replace(offset, field.size, field.size, '\xFF');
    EXPECT_EQ(check(message).verdict, Verdict::kValid);
  });
}

TEST(Itch50, KnowsEachSideCodeAndNoOther) {
  std::string add = sample('A');
  for (const char side : {'B', 'S'}) {
    add[19] = side;
    EXPECT_EQ(check(add).verdict, Verdict::kValid);
  }
  for (const char side : {'b', ' ', '\0', 'X', '\xC2'}) {
    add[19] = side;
    EXPECT_EQ(check(add).verdict, Verdict::kUnknownCode);
  }
}

TEST(Itch50, RefusesANonAsciiSymbol) {
  std::string directory = sample('R');
  for (const std::string_view symbol :
       {"Z\xC3\x9CRICH ", "AAPL\0\0\0\0", "A\tB     ", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"}) {
    directory.replace(11, 8, std::string{symbol.data(), 8});
    expect_invalid(directory, Reason::kText);
  }
}

TEST(Itch50, ReadsTheSymbolOfADirectoryMessage) {
  std::string directory = sample('R');
  for (const auto& [field, symbol] :
       {std::pair{"AAPL    ", "AAPL"}, {"ABCDEFGH", "ABCDEFGH"}, {"        ", ""}, {"A B     ", "A B"}}) {
    directory.replace(11, 8, field);
    ASSERT_TRUE(check(directory).directory);
    EXPECT_EQ(itch().symbol(as_bytes(directory)), symbol);
  }
}

TEST(Itch50, LetsUnknownTypesThroughWithWhatTheirHeaderSays) {
  std::string message = sample('D', 7, 99);
  message[0] = 'Z';
  for (const std::size_t size : {std::size_t{11}, std::size_t{12}, message.size()}) {
    const Checked checked = check(message.substr(0, size));
    EXPECT_EQ(checked.verdict, Verdict::kUnknownType);
    EXPECT_EQ(checked.type, 'Z');
    EXPECT_EQ(checked.instrument, 7);
    EXPECT_EQ(checked.time_ns, 99U);
    EXPECT_FALSE(checked.directory);
  }
  put_time(message, kDayNanoseconds);
  EXPECT_EQ(check(message).verdict, Verdict::kUnknownType) << "nobody knows whether that is a time";
  EXPECT_EQ(check(message).time_ns, kNoTime);
}

TEST(Itch50, GivesAnUnknownTypeShorterThanTheHeaderNoInstrumentAndNoTime) {
  for (std::size_t size = 1; size < kHeaderSize; ++size) {
    const Checked checked = check(std::string(size, 'Z'));
    EXPECT_EQ(checked.verdict, Verdict::kUnknownType);
    EXPECT_EQ(checked.instrument, 0);
    EXPECT_EQ(checked.time_ns, kNoTime);
  }
}

TEST(Itch50, KnowsItsTypesAndNoOthers) {
  for (unsigned value = 0; value < 256; ++value) {
    const char type = static_cast<char>(value);
    const bool known = std::string_view{"SRHYLVWKJhAFECXDUPQBINO"}.find(type) != std::string_view::npos;
    EXPECT_EQ(check(type + std::string(60, ' ')).verdict, known ? Verdict::kInvalid : Verdict::kUnknownType) << type;
  }
}

TEST(Itch50, RefusesAnEmptyMessage) { expect_invalid("", Reason::kEmpty); }

TEST(Itch50, BxAndPsxHaveNeitherIpoQuotingNorDirectListings) {
  for (const std::string_view market : {"itch50-bx", "itch50-psx"}) {
    const Protocol* const protocol = Protocol::find(market);
    ASSERT_NE(protocol, nullptr);
    EXPECT_EQ(protocol->name(), market);
    for (const MessageType& type : itch50_types()) {
      const bool missing = type.type == 'K' || type.type == 'O';
      EXPECT_EQ(protocol->check(as_bytes(sample(type))).verdict, missing ? Verdict::kUnknownType : Verdict::kValid);
    }
  }
}

TEST(Protocol, RawTakesAnythingAndReadsNothing) {
  const Protocol* const raw = Protocol::find("raw");
  ASSERT_NE(raw, nullptr);
  for (const std::string_view message : {"", "A", "\xFF\xFE", "R and some more bytes, not a directory message"}) {
    const Checked checked = raw->check(as_bytes(message));
    EXPECT_EQ(checked.verdict, Verdict::kValid);
    EXPECT_EQ(checked.instrument, 0);
    EXPECT_EQ(checked.time_ns, kNoTime);
    EXPECT_FALSE(checked.directory);
  }
}

TEST(Protocol, DoesNotFindWhatIsNotThere) { EXPECT_EQ(Protocol::find("itch41"), nullptr); }

// A second market is another table: other types, another directory message with its symbol elsewhere.
TEST(MessageTable, ReadsTheSymbolWhereTheTableHasIt) {
  static constexpr Field kFields[] = {{"class", 1, Field::Kind::kCode, "XY"}, {"symbol", 6, Field::Kind::kSymbol}};
  static constexpr MessageType kTypes[] = {{'d', "directory", 18, kFields}};
  const MessageTable table{"other", kTypes, "", 'd'};
  const std::string message = tests::wire::itch_header('d', 1, 1) + "XVOD   ";
  ASSERT_TRUE(table.check(as_bytes(message)).directory);
  EXPECT_EQ(table.symbol(as_bytes(message)), "VOD");
}

TEST(MessageTable, HasAFingerprintOfWhatItChecks) {
  static constexpr Field kFields[] = {{"class", 1, Field::Kind::kCode, "XY"}, {"symbol", 6, Field::Kind::kSymbol}};
  static constexpr Field kMoreCodes[] = {{"class", 1, Field::Kind::kCode, "XYZ"}, {"symbol", 6, Field::Kind::kSymbol}};
  static constexpr Field kNumber[] = {{"class", 1, Field::Kind::kNumber}, {"symbol", 6, Field::Kind::kSymbol}};
  static constexpr Field kRenamed[] = {{"kind", 1, Field::Kind::kCode, "XY"}, {"symbol", 6, Field::Kind::kSymbol}};
  const auto fingerprint = [](std::uint8_t length, std::span<const Field> fields, char directory = 'd') {
    const MessageType type{'d', "directory", length, fields};
    return MessageTable{"other", {&type, 1}, "", directory}.fingerprint();
  };
  const std::uint64_t known = fingerprint(18, kFields);
  EXPECT_EQ(fingerprint(18, kRenamed), known);
  for (const std::uint64_t other : {fingerprint(19, kFields), fingerprint(18, kMoreCodes), fingerprint(18, kNumber),
                                    fingerprint(18, kFields, 'e'), Protocol::find("raw")->fingerprint()}) {
    EXPECT_NE(other, known);
  }
  EXPECT_NE(Protocol::find("itch50")->fingerprint(), Protocol::find("itch50-bx")->fingerprint());
}

TEST(Itch50, SaysSomethingOfAnyBytes) {
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 200'000; ++i) {
    std::string message(random() % 64, '\0');
    for (char& byte : message) byte = static_cast<char>(random());
    if (!message.empty() && i % 2 == 0) message[0] = itch50_types()[random() % itch50_types().size()].type;
    const Checked checked = check(message);
    ASSERT_EQ(checked.verdict == Verdict::kInvalid, checked.reason != Reason::kNone);
    ASSERT_TRUE(checked.time_ns == kNoTime || checked.time_ns < kDayNanoseconds);
  }
}

}  // namespace
}  // namespace tickbridge::codec
