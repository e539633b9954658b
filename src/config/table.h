#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "config/option.h"

namespace tickbridge::config {

/// Every option there is, in the order of the documentation.
[[nodiscard]] const std::vector<Option>& options();

/// The option of that path ("feed.*.topic", "pipeline.workers"); nullptr: there is none.
[[nodiscard]] const Option* find_option(std::string_view path);
/// The kMap option that `path` is an entry of; nullptr: none.
[[nodiscard]] const Option* find_map(std::string_view path);

/// The tables that options stand in, in order: "", "feed.*", "feed.*.soupbintcp", "pipeline", …
[[nodiscard]] std::vector<std::string_view> tables();
/// "feed.*.soupbintcp.version" → "feed.*.soupbintcp"; "producer.linger.ms" → "producer".
[[nodiscard]] std::string_view table_of(std::string_view path);
/// What follows the table's name.
[[nodiscard]] std::string_view key_of(std::string_view path);

// The table's parts, each in a file of its own.
[[nodiscard]] std::vector<Option> feed_options();
[[nodiscard]] std::vector<Option> daemon_options();
[[nodiscard]] std::vector<Option> producer_options();

// Fields by their path through the structs.
template <class T>
[[nodiscard]] Field make_field(T* at) {
  if constexpr (std::is_enum_v<T>) {
    static_assert(sizeof(T) == 1);
    return Word{reinterpret_cast<std::uint8_t*>(at)};
  } else {
    return at;
  }
}
template <auto... Members>
[[nodiscard]] Field in_feed(Config&, Feed& feed) {
  return make_field(&(feed.*....*Members));
}
template <auto... Members>
[[nodiscard]] Field in_daemon(Config& config, Feed&) {
  return make_field(&(config.*....*Members));
}
/// A bool told by two words.
template <auto... Members>
[[nodiscard]] Field word_in_feed(Config&, Feed& feed) {
  bool* const at = &(feed.*....*Members);
  return Word{reinterpret_cast<std::uint8_t*>(at)};
}

}  // namespace tickbridge::config
