// tickbridge-verify: is everything that the exchange sent in the topic, once, in order, unchanged?
// docs/tools/verify.md. Exit codes: 0 yes, 1 no, 64 usage, 69 topic or brokers not there, 70 could not go on, 78
// config.

#include <malloc.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "comparison.h"
#include "options.h"
#include "report.h"

namespace {

using namespace tickbridge::verify;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

milliseconds seconds(double value) { return milliseconds(static_cast<std::int64_t>(value * 1000)); }

/// Compares each record's timestamp with the time in the message. Messages without one are not looked at.
class TimestampCheck {
 public:
  explicit TimestampCheck(const Options& options)
      : on_(options.timestamps),
        rules_(options.rules),
        midnight_(on_ ? midnight_ms(options.trading_date, options.time_zone) : 0) {}

  void look(const Record& record) {
    if (!on_) return;
    const auto message = look_at(record.value, rules_);
    if (message.time_ns < 0) return;
    ++checked_;
    const auto expected = midnight_ + message.time_ns / 1'000'000;
    if (record.timestamp_ms() == expected || wrong_++ >= 10) return;
    std::cout << "  timestamp " << record.partition << '@' << record.offset << ": " << record.timestamp_ms()
              << " instead of " << expected << '\n';
  }
  [[nodiscard]] bool good() const { return wrong_ == 0; }
  void print() const {
    if (on_) std::cout << "timestamps checked " << checked_ << " wrong " << wrong_ << '\n';
  }

 private:
  bool on_;
  Rules rules_;
  std::int64_t midnight_;
  std::uint64_t checked_ = 0;
  std::uint64_t wrong_ = 0;
};

/// A line a second on standard error while following.
class Progress {
 public:
  void tell(const Comparison& comparison, std::uint64_t expected) {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::seconds(1)) return;
    const auto rate =
        static_cast<double>(comparison.found() - before_) / std::chrono::duration<double>(now - last_).count();
    std::fprintf(stderr, "read %llu of %llu, %.0f a second\n", static_cast<unsigned long long>(comparison.found()),
                 static_cast<unsigned long long>(expected), rate);
    last_ = now;
    before_ = comparison.found();
  }

 private:
  Clock::time_point last_ = Clock::now();
  std::uint64_t before_ = 0;
};

/// When to stop reading.
class Ending {
 public:
  Ending(const Options& options, std::uint64_t expected) : options_(options), expected_(expected) {}

  /// `found` so far, `arrived` by the last poll.
  [[nodiscard]] bool reached(const TopicReader& reader, std::uint64_t found, std::uint64_t arrived) {
    if (!options_.follow && reader.at_end()) return true;
    const auto now = Clock::now();
    if (arrived > 0) last_ = now;
    const bool all_there = options_.follow && found >= expected_;
    return now - last_ >= seconds(all_there ? options_.quiet : options_.timeout);
  }

 private:
  const Options& options_;
  std::uint64_t expected_;
  Clock::time_point last_ = Clock::now();
};

/// 0 where the topic is not there.
std::int32_t start(TopicReader& reader, const Options& options) {
  const auto partitions = reader.partition_count(options.topic, seconds(options.timeout));
  if (partitions == 0) {
    std::cerr << "tickbridge-verify: topic " << options.topic << " at " << options.reader.bootstrap << ": "
              << reader.error() << '\n';
  } else if (options.partitions != 0 && options.partitions != partitions) {
    std::cerr << "tickbridge-verify: topic " << options.topic << " has " << partitions << " partitions, not "
              << options.partitions << '\n';
    return 0;
  }
  return partitions;
}

void print_dead_letters(const Options& options) {
  TopicReader reader(options.reader);
  const auto partitions = reader.partition_count(options.dead_letters, seconds(5));
  std::map<std::string, std::uint64_t> reasons;
  if (partitions > 0) reader.start(options.dead_letters, partitions);
  const auto deadline = Clock::now() + seconds(options.timeout);
  while (partitions > 0 && !reader.at_end() && Clock::now() < deadline) {
    reader.poll(milliseconds(100), [&](const Record& record) { ++reasons[record.header("reason")]; });
  }
  std::cout << "dead letters by reason:" << (reasons.empty() ? " none" : "");
  for (const auto& [reason, count] : reasons) std::cout << ' ' << (reason.empty() ? "(none)" : reason) << ' ' << count;
  std::cout << '\n';
}

void print_notes(const Options& options, const Expectation& expectation, const TopicReader& reader,
                 const MessageFile& file, bool following_ended_early) {
  if (expectation.kept_out() > 0) {
    std::cout << "messages of the file that must not be in the topic: " << expectation.kept_out() << '\n';
  }
  if (file.cut_off() > 0) std::cout << "the file ends inside a message: " << file.cut_off() << " bytes left over\n";
  if (reader.skipped() > 0) {
    std::cout << "offsets without a record: " << reader.skipped()
              << " (transaction markers or aborted records; dropped by the broker before they were read; retention)\n";
  }
  if (!reader.error().empty()) std::cout << "the client library says: " << reader.error() << '\n';
  if (following_ended_early) std::cout << "ended after " << options.timeout << " s without a record\n";
}

int verify(const Options& options) {
  TopicReader reader(options.reader);
  const auto partitions = start(reader, options);
  if (partitions == 0) return 69;
  TimestampCheck timestamps(options);
  MessageFile file(options.file);
  // Reading starts after the file is known, so that it can keep up from then on.
  const Expectation expectation(file, options.rules, partitions);
  Comparison comparison(expectation);
  std::array<std::uint64_t, 256> by_type{};
  const TopicReader::Visit visit = [&](const Record& record) {
    if (!record.value.empty()) ++by_type[static_cast<unsigned char>(record.value[0])];
    timestamps.look(record);
    comparison.take(record.partition, record.key, record.value, record.offset);
  };

  reader.start(options.topic, partitions);
  if (options.follow) std::cerr << "expecting " << expectation.total() << " records\n";
  Progress progress;
  Ending ending(options, expectation.total());
  std::uint64_t arrived = 0;
  do {
    arrived = reader.poll(milliseconds(100), visit);
    if (options.follow) progress.tell(comparison, expectation.total());
  } while (!ending.reached(reader, comparison.found(), arrived));

  const bool early = comparison.found() < expectation.total() && (options.follow || !reader.at_end());
  const auto verdict = comparison.finish();
  print_types(std::cout, by_type);
  print_notes(options, expectation, reader, file, early);
  if (!options.dead_letters.empty()) print_dead_letters(options);
  print_faults(std::cout, verdict, expectation, file, options.rules, partitions);
  timestamps.print();
  std::cout << verdict.line() << std::endl;
  return verdict.clean() && timestamps.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Fetched batches are some megabytes each: keep their pages instead of giving them back and faulting them in again.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  Options options;
  if (const auto code = read_options(argc, argv, options)) return *code;
  try {
    return verify(options);
  } catch (const std::exception& error) {
    std::cerr << "tickbridge-verify: " << error.what() << '\n';
    return 70;
  }
}
