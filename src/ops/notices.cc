#include "ops/notices.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <mutex>

#include "base/text.h"

namespace tickbridge::ops {

namespace {

class NoticeSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  NoticeSink() { set_level(spdlog::level::warn); }

  Notices all() {
    const std::scoped_lock lock{mutex_};
    return {total_, {newest_.begin(), newest_.end()}};
  }
  std::uint64_t total() {
    const std::scoped_lock lock{mutex_};
    return total_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(message.time.time_since_epoch());
    newest_.push_back(
        {at.count(), message.level >= spdlog::level::err, one_line({message.payload.data(), message.payload.size()})});
    if (newest_.size() > kKept) newest_.pop_front();
    ++total_;
  }
  void flush_() override {}

  std::deque<Notice> newest_;
  std::uint64_t total_ = 0;
};

// Shared with the logger; of the process, as spdlog's default logger is.
const std::shared_ptr<NoticeSink>& sink() {
  static const auto only = std::make_shared<NoticeSink>();
  return only;
}

}  // namespace

Notices notices() { return sink()->all(); }
std::uint64_t count_notices() { return sink()->total(); }
spdlog::sink_ptr notice_sink() { return sink(); }

bool concerns(std::string_view text, std::string_view feed) {
  const std::string name = "feed " + one_line(feed);
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const bool begins = at == 0 || text[at - 1] == ' ';
    const std::string_view rest = text.substr(at + name.size());
    if (begins && (rest.starts_with(": ") || rest.starts_with(" stops"))) return true;
  }
  return false;
}

const Notice* newest_about(const std::vector<Notice>& told, std::string_view feed) {
  const auto found = std::find_if(told.rbegin(), told.rend(), [&](const Notice& n) { return concerns(n.text, feed); });
  return found == told.rend() ? nullptr : &*found;
}

std::string time_text(std::int64_t at_ns) {
  const std::int64_t ms = at_ns / 1'000'000;
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

}  // namespace tickbridge::ops
