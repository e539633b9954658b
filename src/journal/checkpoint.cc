#include "journal/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <limits>
#include <tuple>
#include <utility>

namespace tickbridge::journal {
namespace {

namespace json = boost::json;

// Names that come from the exchange may hold any byte: each one becomes the code point of its number (ISO 8859-1).
std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      out += byte;
    } else {
      out += static_cast<char>(0xC0 | (code >> 6));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return out;
}

std::string from_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const bool two = (lead & 0xFC) == 0xC0 && i + 1 < text.size();
    out += two ? static_cast<char>((lead << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F)) : text[i];
  }
  return out;
}

std::string hex(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

// Reads an object's members; remembers the first that is missing or wrong.
class Members {
 public:
  Members(const json::object& object, std::string where, std::string& problem)
      : object_{object}, where_{std::move(where)}, problem_{problem} {}

  template <class T>
  void number(const char* name, T& out) {
    if (const json::value* const value = find(name)) read_number(*value, name, out);
  }
  template <class T>
  void optional_number(const char* name, T& out) {
    if (const json::value* const value = object_.if_contains(name)) read_number(*value, name, out);
  }
  void text(const char* name, std::string& out) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return wrong(name, "is no string");
    out.assign(value->get_string().data(), value->get_string().size());
  }
  void name_of_exchange(const char* name, std::string& out) {
    text(name, out);
    out = from_utf8(out);
  }
  void flag(const char* name, bool& out) {
    const json::value* const value = find(name);
    if (value == nullptr) return;
    if (!value->is_bool()) return wrong(name, "is neither true nor false");
    out = value->get_bool();
  }
  void optional_flag(const char* name, bool& out) {
    if (object_.contains(name)) flag(name, out);
  }
  void hash(const char* name, std::uint64_t& out) {
    std::string digits;
    text(name, digits);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    if (failed != std::errc{} || end != digits.data() + digits.size()) wrong(name, "is no hexadecimal number");
  }
  [[nodiscard]] const json::object& object(const char* name) {
    static const json::object kNone;
    const json::value* const value = find(name);
    if (value == nullptr) return kNone;
    if (value->is_object()) return value->get_object();
    wrong(name, "is no object");
    return kNone;
  }
  [[nodiscard]] const json::array& array(const char* name) {
    static const json::array kNone;
    const json::value* const value = find(name);
    if (value == nullptr) return kNone;
    if (value->is_array()) return value->get_array();
    wrong(name, "is no array");
    return kNone;
  }
  [[nodiscard]] const json::array& optional_array(const char* name) {
    static const json::array kNone;
    return object_.contains(name) ? array(name) : kNone;
  }
  void wrong(const char* name, std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("\"{}{}\" {}", where_, name, what);
  }

 private:
  [[nodiscard]] const json::value* find(const char* name) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr) wrong(name, "is missing");
    return value;
  }
  template <class T>
  void read_number(const json::value& value, const char* name, T& out) {
    boost::system::error_code failed;
    const T read = value.to_number<T>(failed);
    if (failed) return wrong(name, "is no whole number in its range");
    out = read;
  }

  const json::object& object_;
  std::string where_;
  std::string& problem_;
};

json::object partition_json(const Checkpoint& checkpoint, std::size_t number) {
  const PartitionState& state = checkpoint.partitions[number];
  json::object out;
  out["topic"] = checkpoint.topic;
  out["partition"] = number;
  out["session"] = to_utf8(checkpoint.session);
  out["sequence"] = state.position.sequence;
  out["index"] = state.position.index;
  out["offset"] = state.offset;
  out["hash"] = hex(state.hash);
  out["markers"] = state.markers;
  if (state.gap) out["gap"] = true;
  if (state.strangers_to >= 0) out["strangers_to"] = state.strangers_to;
  return out;
}

void read_partition(const json::value& value, Checkpoint& checkpoint, std::string& problem) {
  static const json::object kNone;
  const std::size_t number = checkpoint.partitions.size();
  Members members{value.is_object() ? value.get_object() : kNone, fmt::format("partitions[{}].", number), problem};
  PartitionState state;
  std::string session;
  std::size_t given = 0;
  members.number("partition", given);
  if (given != number) members.wrong("partition", "is out of order");
  members.text("topic", checkpoint.topic);
  members.name_of_exchange("session", session);
  if (session != checkpoint.session) members.wrong("session", "is not the checkpoint's session");
  members.number("sequence", state.position.sequence);
  members.number("index", state.position.index);
  members.number("offset", state.offset);
  members.hash("hash", state.hash);
  members.optional_number("markers", state.markers);
  members.optional_flag("gap", state.gap);
  members.optional_number("strangers_to", state.strangers_to);
  checkpoint.partitions.push_back(state);
}

json::array left_json(const std::vector<LeftSession>& left) {
  json::array out;
  for (const LeftSession& one : left)
    out.push_back(json::array{to_utf8(one.session), one.next_sequence, one.midnight_ms});
  return out;
}

bool read_left(const json::value& value, LeftSession& left) {
  if (!value.is_array() || value.get_array().size() < 3 || !value.get_array()[0].is_string()) return false;
  boost::system::error_code failed[2];
  left.session = from_utf8({value.get_array()[0].get_string().data(), value.get_array()[0].get_string().size()});
  left.next_sequence = value.get_array()[1].to_number<std::uint64_t>(failed[0]);
  left.midnight_ms = value.get_array()[2].to_number<std::int64_t>(failed[1]);
  return !failed[0] && !failed[1];
}

json::array strangers_json(const std::vector<StrangerRange>& strangers) {
  json::array out;
  for (const StrangerRange& one : strangers) out.push_back(json::array{one.partition, one.first, one.last});
  return out;
}

bool read_strangers(const json::value& value, StrangerRange& range) {
  if (!value.is_array() || value.get_array().size() < 3) return false;
  const json::array& members = value.get_array();
  boost::system::error_code failed[3];
  range.partition = members[0].to_number<std::int32_t>(failed[0]);
  range.first = members[1].to_number<std::int64_t>(failed[1]);
  range.last = members[2].to_number<std::int64_t>(failed[2]);
  return !failed[0] && !failed[1] && !failed[2] && range.first >= 0 && range.first <= range.last &&
         range.last < std::numeric_limits<std::int64_t>::max();
}

json::object state_json(const FunctionState& state) {
  json::object out;
  out["midnight_ms"] = state.midnight_ms;
  out["last_timestamp_ms"] = state.last_timestamp_ms;
  out["turn"] = state.turn;
  out["mold_session"] = to_utf8(state.mold_session);
  out["mold_expected"] = state.mold_expected;
  return out;
}

void read_function_state(const json::object& object, FunctionState& state, std::string& problem) {
  Members members{object, "state.", problem};
  members.number("midnight_ms", state.midnight_ms);
  members.number("last_timestamp_ms", state.last_timestamp_ms);
  members.number("turn", state.turn);
  members.name_of_exchange("mold_session", state.mold_session);
  members.number("mold_expected", state.mold_expected);
}

void read_parameters(const json::object& object, Parameters& parameters, std::string& problem) {
  Members members{object, "parameters.", problem};
  for (const auto& member : object) {
    const std::string name{member.key()};
    members.text(name.c_str(), parameters[name]);
  }
}

// `what` begins the message. The document lives in `parsed`.
Result<const json::object*> parse_object(std::string_view what, std::string_view text, json::value& parsed) {
  boost::system::error_code failed;
  json::parse_options lenient;
  lenient.allow_invalid_utf8 = true;  // parameters come from a file that somebody else has checked, or not
  parsed = json::parse({text.data(), text.size()}, failed, {}, lenient);
  if (failed) return error(ExitCode::kData, fmt::format("{} is no JSON: {}", what, failed.message()));
  if (!parsed.is_object()) return error(ExitCode::kData, fmt::format("{} is no JSON object", what));
  return &parsed.get_object();
}

json::array entry_json(const StateEntry& entry) {
  return {entry.position.sequence, entry.position.index, entry.instrument, to_utf8(entry.key), entry.sticky};
}

constexpr std::size_t kEntryMembers = 5;

bool read_entry(const json::value& value, StateEntry& entry) {
  if (!value.is_array() || value.get_array().size() < kEntryMembers) return false;
  const json::array& members = value.get_array();
  boost::system::error_code failed[3];
  entry.position.sequence = members[0].to_number<std::uint64_t>(failed[0]);
  entry.position.index = members[1].to_number<std::uint32_t>(failed[1]);
  entry.instrument = members[2].to_number<std::uint16_t>(failed[2]);
  if (failed[0] || failed[1] || failed[2] || !members[3].is_string() || !members[4].is_bool()) return false;
  entry.key = from_utf8({members[3].get_string().data(), members[3].get_string().size()});
  entry.sticky = members[4].get_bool();
  return true;
}

}  // namespace

void leave(std::vector<LeftSession>& sessions, LeftSession left) {
  constexpr std::size_t kMost = 16;
  std::erase_if(sessions, [&](const LeftSession& one) { return one.session == left.session; });
  if (left.next_sequence <= 1) return;
  sessions.push_back(std::move(left));
  if (sessions.size() > kMost) sessions.erase(sessions.begin());
}

const LeftSession* find_left(const std::vector<LeftSession>& left, std::string_view session,
                             std::int64_t midnight_ms) noexcept {
  const auto found = std::ranges::find_if(
      left, [&](const LeftSession& one) { return one.session == session && one.midnight_ms == midnight_ms; });
  return found == left.end() ? nullptr : &*found;
}

std::string checkpoint_key(std::string_view feed, std::uint64_t epoch) { return fmt::format("{}/{}", feed, epoch); }

std::string to_json(const Checkpoint& checkpoint) {
  json::object out;
  out["feed"] = checkpoint.feed;
  out["epoch"] = checkpoint.epoch;
  out["number"] = checkpoint.number;
  out["instance"] = checkpoint.instance;
  out["session"] = to_utf8(checkpoint.session);
  out["next_sequence"] = checkpoint.next_sequence;
  out["topic"] = checkpoint.topic;
  json::array partitions;
  for (std::size_t p = 0; p < checkpoint.partitions.size(); ++p) partitions.emplace_back(partition_json(checkpoint, p));
  out["partitions"] = std::move(partitions);
  out["state"] = state_json(checkpoint.state);
  out["state_epoch_floor"] = checkpoint.state_epoch_floor;
  json::object parameters;
  for (const auto& [name, value] : checkpoint.parameters) parameters[name] = value;
  out["parameters"] = std::move(parameters);
  if (checkpoint.interval_ms != 0) out["interval_ms"] = checkpoint.interval_ms;
  out["decision"] = checkpoint.decision;
  out["session_ended"] = checkpoint.session_ended;
  if (!checkpoint.left.empty()) out["left"] = left_json(checkpoint.left);
  if (!checkpoint.strangers.empty()) out["strangers"] = strangers_json(checkpoint.strangers);
  out["clean"] = checkpoint.clean;
  if (checkpoint.settled) out["settled"] = true;
  return json::serialize(out);
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  json::value parsed;
  const Result<const json::object*> object = parse_object("a checkpoint", text, parsed);
  if (!object) return object.error();
  std::string problem;
  Checkpoint out;
  Members members{**object, "", problem};
  members.text("feed", out.feed);
  members.number("epoch", out.epoch);
  members.number("number", out.number);
  members.text("instance", out.instance);
  members.name_of_exchange("session", out.session);
  members.number("next_sequence", out.next_sequence);
  members.text("topic", out.topic);
  for (const json::value& partition : members.array("partitions")) read_partition(partition, out, problem);
  read_function_state(members.object("state"), out.state, problem);
  members.optional_number("state_epoch_floor", out.state_epoch_floor);
  members.optional_number("interval_ms", out.interval_ms);
  read_parameters(members.object("parameters"), out.parameters, problem);
  members.text("decision", out.decision);
  members.optional_flag("session_ended", out.session_ended);
  for (const json::value& value : members.optional_array("left")) {
    if (!read_left(value, out.left.emplace_back())) members.wrong("left", "has a member that is none");
  }
  for (const json::value& value : members.optional_array("strangers")) {
    if (!read_strangers(value, out.strangers.emplace_back())) members.wrong("strangers", "has a member that is none");
  }
  members.flag("clean", out.clean);
  members.optional_flag("settled", out.settled);
  if (!problem.empty()) return error(ExitCode::kData, "a checkpoint cannot be read: " + problem);
  return out;
}

std::string state_key(std::string_view feed, std::uint64_t epoch, std::uint64_t number) {
  return fmt::format("{}/{}/{}", feed, epoch, number);
}

std::string to_json(const StateBatch& batch) {
  json::object out;
  out["feed"] = batch.feed;
  out["session"] = to_utf8(batch.session);
  out["epoch"] = batch.epoch;
  out["number"] = batch.number;
  json::array entries;
  for (const StateEntry& entry : batch.entries) entries.emplace_back(entry_json(entry));
  out["entries"] = std::move(entries);
  return json::serialize(out);
}

Result<StateBatch> parse_state(std::string_view text) {
  json::value parsed;
  const Result<const json::object*> object = parse_object("a state record", text, parsed);
  if (!object) return object.error();
  std::string problem;
  StateBatch out;
  Members members{**object, "", problem};
  members.text("feed", out.feed);
  members.name_of_exchange("session", out.session);
  members.number("epoch", out.epoch);
  members.number("number", out.number);
  for (const json::value& value : members.array("entries")) {
    StateEntry& entry = out.entries.emplace_back();
    if (!read_entry(value, entry))
      members.wrong("entries", "holds one that is not [sequence, index, instrument, key, sticky]");
  }
  if (!problem.empty()) return error(ExitCode::kData, "a state record cannot be read: " + problem);
  return out;
}

bool gone(const StateBatch& batch, std::string_view session, std::uint64_t epoch_floor) noexcept {
  return batch.session != session || batch.epoch < epoch_floor;
}

std::vector<StateEntry> entries_before(const std::vector<StateBatch>& batches, std::string_view session,
                                       std::uint64_t next_sequence, std::uint64_t epoch_floor) {
  std::vector<StateEntry> out;
  for (const StateBatch& batch : batches) {
    if (gone(batch, session, epoch_floor)) continue;
    for (const StateEntry& entry : batch.entries) {
      if (entry.position.sequence < next_sequence) out.push_back(entry);
    }
  }
  std::ranges::stable_sort(out, {}, &StateEntry::position);
  const auto repeats = std::ranges::unique(out);
  out.erase(repeats.begin(), repeats.end());
  return out;
}

std::uint64_t number(const Parameters& parameters, std::string_view name) noexcept {
  const auto found = parameters.find(std::string{name});
  if (found == parameters.end()) return 0;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() ? value : 0;
}

}  // namespace tickbridge::journal
