#include "fault.h"

#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

namespace tickbridge::embedded {
namespace {

// Kafka's protocol guide, "Api Keys".
constexpr std::array<std::pair<std::string_view, std::int16_t>, 8> kApis = {{
    {"produce", 0},
    {"fetch", 1},
    {"list_offsets", 2},
    {"metadata", 3},
    {"find_coordinator", 10},
    {"init_producer_id", 22},
    {"add_partitions_to_txn", 24},
    {"end_txn", 26},
}};

std::optional<std::int16_t> api_of(std::string_view name) {
  for (const auto& [known, key] : kApis) {
    if (known == name) return key;
  }
  return std::nullopt;
}

std::optional<rd_kafka_resp_err_t> error_of(std::string_view name) {
  if (name == "NO_ERROR") return RD_KAFKA_RESP_ERR_NO_ERROR;
  const rd_kafka_err_desc* table = nullptr;
  std::size_t count = 0;
  rd_kafka_get_err_descs(&table, &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (table[i].name != nullptr && name == table[i].name) return table[i].code;
  }
  return std::nullopt;
}

/// Cuts `text` at the last `mark` and reads the number behind it; false where that is no positive number.
bool take_number(std::string_view& text, char mark, int& number) {
  const auto at = text.rfind(mark);
  if (at == std::string_view::npos) return true;
  const auto digits = text.substr(at + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  text = text.substr(0, at);
  return error == std::errc{} && end == digits.data() + digits.size() && number > 0;
}

}  // namespace

std::optional<Fault> parse_fault(std::string_view text) {
  Fault fault;
  if (!take_number(text, '@', fault.rtt_ms) || !take_number(text, '*', fault.count)) return std::nullopt;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto api = api_of(text.substr(0, colon));
  const auto error = error_of(text.substr(colon + 1));
  if (!api || !error) return std::nullopt;
  fault.api = *api;
  fault.error = *error;
  return fault;
}

}  // namespace tickbridge::embedded
