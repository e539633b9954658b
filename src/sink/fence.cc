#include "sink/fence.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "sink/admin.h"
#include "sink/errors.h"
#include "sink/library_log.h"
#include "sink/reader.h"
#include "sink/transactions.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kJoin = 1s;        ///< for the partitions to join; a round that left one out is repeated
constexpr auto kMarkers = 400ms;  ///< for the markers to show
constexpr auto kPause = 5ms;
constexpr int kVainRounds = 3;  ///< without a single marker: the broker writes none

/// What became of a step.
struct Outcome {
  enum Kind : std::uint8_t { kDone, kAgain, kNotAllowed } kind = kDone;
  std::string text;
};

/// Answers that say that transactions are not to be had here, however often one asks.
bool not_allowed(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return true;
    default:
      return false;
  }
}

Outcome outcome_of(const ErrorHandle& fault) {
  if (!fault) return {};
  const rd_kafka_resp_err_t code = rd_kafka_error_code(fault.get());
  return {not_allowed(code) ? Outcome::kNotAllowed : Outcome::kAgain,
          fmt::format("{}: {}", describe(code), rd_kafka_error_string(fault.get()))};
}

/// A transactional client. init() ends the transaction of the one before it with the same id, and comes back only when
/// that one's markers are written.
class Handle {
 public:
  static Result<std::unique_ptr<Handle>> create(const ProducerOptions& options, const std::string& id,
                                                const std::string& topic) {
    std::unique_ptr<Handle> made{new Handle};
    auto side = SideClient::create({.type = RD_KAFKA_PRODUCER,
                                    .properties = fence_properties(options, id),
                                    .log = listen,
                                    .log_opaque = &made->joined_});
    if (!side) return side.error();
    made->side_ = std::move(*side);
    made->topic_.reset(rd_kafka_topic_new(made->side_->handle(), topic.c_str(), nullptr));
    if (made->topic_) return made;
    return error(ExitCode::kConfig, fmt::format("topic {}: {}", topic, rd_kafka_err2str(rd_kafka_last_error())));
  }

  Outcome init(SteadyTime deadline) { return outcome_of(until_done(rd_kafka_init_transactions, client(), deadline)); }

  /// Has every partition join a transaction, and aborts it before anything is sent.
  Outcome touch(std::int32_t partitions, SteadyTime deadline) {
    Outcome outcome = outcome_of(ErrorHandle{rd_kafka_begin_transaction(client())});
    if (outcome.kind != Outcome::kDone) return outcome;
    outcome = join(partitions, deadline);
    const Outcome aborted = outcome_of(until_done(rd_kafka_abort_transaction, client(), deadline));
    return outcome.kind != Outcome::kDone ? outcome : aborted;
  }

  /// The library knows the topic's partitions from here on.
  Result<Look> look(SteadyTime deadline) { return look_up(side_->client(), topic_.get(), false, deadline); }

 private:
  Handle() = default;
  [[nodiscard]] rd_kafka_t* client() const { return side_->handle(); }

  Outcome join(std::int32_t partitions, SteadyTime deadline) {
    static char nothing = 0;
    for (std::int32_t p = 0; p < partitions; ++p) {
      if (rd_kafka_produce(topic_.get(), p, RD_KAFKA_MSG_F_COPY, &nothing, 1, nullptr, 0, nullptr) != 0) {
        return {Outcome::kAgain, describe(rd_kafka_last_error())};
      }
    }
    const SteadyTime join_by = std::min(deadline, SteadyClock::now() + kJoin);
    while (joined_.load() < partitions && SteadyClock::now() < join_by) std::this_thread::sleep_for(kPause);
    return {};
  }

  // Any thread of the library. The line is in rd_kafka_txn_partition_registered, 2.0.2 to 2.12; if it is ever missing,
  // kJoin is waited for.
  static void listen(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    constexpr int kDebug = 7;
    if (std::string_view{facility} == "GETPID") return;  // "not yet" while a predecessor's markers are being written
    if (level < kDebug) return forward_log(client, level, facility, text);
    if (std::string_view{text}.find("registered with transaction") == std::string_view::npos) return;
    static_cast<std::atomic<int>*>(rd_kafka_opaque(client))->fetch_add(1);
  }

  std::atomic<int> joined_{0};  ///< partitions; before side_, whose threads count it
  std::unique_ptr<SideClient> side_;
  TopicHandle topic_;
};

/// One fence: its transactions and the looks at what they did.
class Fencing {
 public:
  Fencing(const ProducerOptions& options, std::string id, Reader& reader, std::int32_t partitions)
      : options_{options}, id_{std::move(id)}, reader_{reader}, partitions_{partitions} {}

  /// kNotAllowed: transactions are not to be had. kAgain: the deadline passed.
  Result<Outcome> run(FenceReport& report, SteadyTime deadline) {
    Outcome last{Outcome::kAgain, "no time"};
    open_ = static_cast<std::size_t>(partitions_);
    while (SteadyClock::now() < deadline) {
      ++report.rounds;
      Result<Outcome> outcome = round(deadline);
      if (!outcome) return outcome.error();
      if (outcome->kind != Outcome::kAgain) return outcome;
      last = std::move(*outcome);
      if (moved_ == 0 && last.text.empty() && report.rounds >= kVainRounds) {
        return Outcome{Outcome::kNotAllowed, "the broker writes no transaction markers"};
      }
    }
    if (last.text.empty()) last.text = fmt::format("{} partition(s) did not take part", open_);
    return last;
  }

 private:
  Result<Outcome> round(SteadyTime deadline) {
    Result<std::unique_ptr<Handle>> first = Handle::create(options_, id_, reader_.topic());
    if (!first) return first.error();
    if (Outcome outcome = (*first)->init(deadline); outcome.kind != Outcome::kDone) return outcome;
    if (const auto look = (*first)->look(deadline); !look) return look.error();
    // Behind the first init: the markers of all transactions before it are in these ends.
    const auto before = reader_.offsets(partitions_, deadline);
    if (!before) return before.error();
    if (Outcome outcome = (*first)->touch(partitions_, deadline); outcome.kind != Outcome::kDone) return outcome;
    await_markers(*before, deadline);
    Result<std::unique_ptr<Handle>> second = Handle::create(options_, id_, reader_.topic());
    if (!second) return second.error();
    if (Outcome outcome = (*second)->init(deadline); outcome.kind != Outcome::kDone) return outcome;
    return judge_ends(*before, deadline);
  }

  // Asked while the markers are being written, the coordinator says "not yet", and the library asks again after half a
  // second only (2.0.2, rd_kafka_idemp_pid_timer_restart): cheaper to look until they show. It proves nothing.
  void await_markers(const std::vector<Offsets>& before, SteadyTime deadline) {
    const SteadyTime give_up = std::min(deadline, SteadyClock::now() + kMarkers);
    const auto all_moved = [&] {
      const auto now = reader_.offsets(partitions_, give_up);
      return !now || std::equal(now->begin(), now->end(), before.begin(),
                                [](const Offsets& a, const Offsets& b) { return a.end > b.end; });
    };
    while (!all_moved() && SteadyClock::now() < give_up) std::this_thread::sleep_for(kPause);
    std::this_thread::sleep_for(kPause);  // the coordinator's own note that all are written
  }

  // A partition is fenced if an offset behind its first end holds no data record: our marker. (The last one need not be
  // it: somebody else may write on.)
  Result<Outcome> judge_ends(const std::vector<Offsets>& before, SteadyTime deadline) {
    const auto after = reader_.offsets(partitions_, deadline);
    if (!after) return after.error();
    std::vector<Range> fresh;
    std::vector<std::int64_t> unmarked;  // by partition: offsets of `fresh` that no data record has been seen at
    for (std::size_t p = 0; p < after->size(); ++p) {
      unmarked.push_back((*after)[p].end - before[p].end);
      if (unmarked[p] > 0) fresh.push_back({static_cast<std::int32_t>(p), before[p].end, (*after)[p].end});
    }
    moved_ += fresh.size();
    const auto data = [&](const rd_kafka_message_t& message) {
      --unmarked[static_cast<std::size_t>(message.partition)];
    };
    if (const auto read = reader_.read(fresh, data, deadline); !read) return read.error();
    open_ = static_cast<std::size_t>(std::ranges::count_if(unmarked, [](std::int64_t left) { return left <= 0; }));
    return Outcome{open_ == 0 ? Outcome::kDone : Outcome::kAgain, {}};
  }

  const ProducerOptions& options_;
  const std::string id_;
  Reader& reader_;
  const std::int32_t partitions_;
  std::size_t open_ = 0;   ///< partitions not fenced by the last round
  std::size_t moved_ = 0;  ///< ends that any round has moved
};

/// Waits until no end has moved for `settle`.
Result<void> settle_down(Reader& reader, std::int32_t partitions, std::chrono::milliseconds settle,
                         SteadyTime deadline) {
  std::vector<std::int64_t> last;
  SteadyTime since = SteadyClock::now();
  const auto pause = std::clamp<std::chrono::milliseconds>(settle / 20, 1ms, 50ms);
  const Error restless =
      error(ExitCode::kUnavailable,
            fmt::format("topic {} does not come to rest: somebody else writes to it", reader.topic()));
  for (;; std::this_thread::sleep_for(pause)) {
    const SteadyTime asked = SteadyClock::now();
    const auto now = reader.offsets(partitions, deadline);
    if (!now)
      return !last.empty() && deadline - asked < kJoin ? restless : now.error();  // there was no time for the last look
    std::vector<std::int64_t> ends;
    for (const Offsets& one : *now) ends.push_back(one.end);
    const SteadyTime looked = SteadyClock::now();
    if (std::exchange(last, ends) != ends) {
      since = looked;
    } else if (looked - since >= settle) {
      return {};
    }
    if (looked >= deadline) return restless;
  }
}

/// The library's mock cluster does all of it but writes no markers (2.0.2).
bool embedded(Reader& reader, const Look& look, SteadyTime deadline) {
  return describe_topic(reader.client(), look.answered, reader.topic(), deadline).outcome ==
         Described::Outcome::kUnsupported;
}

}  // namespace

Result<FenceReport> fence(const ProducerOptions& options, const std::string& transactional_id, const std::string& topic,
                          std::int32_t partitions, std::chrono::milliseconds settle, SteadyTime deadline) {
  Result<std::unique_ptr<Reader>> reader = Reader::open(options, topic, "read_uncommitted");
  if (!reader) return reader.error();
  const Result<Look> look = (*reader)->look(deadline);
  if (!look) return look.error();
  FenceReport report;
  if (embedded(**reader, *look, deadline)) {
    report.why_not = "the embedded broker writes no transaction markers";
  } else {
    Fencing fencing{options, transactional_id, **reader, partitions};
    Result<Outcome> outcome = fencing.run(report, deadline);
    if (!outcome) return outcome.error();
    if (outcome->kind == Outcome::kAgain) {
      return error(
          ExitCode::kUnavailable,
          fmt::format("topic {} could not be fenced with transactional.id {}: {}; look whether all brokers run "
                      "and the transaction coordinator answers",
                      topic, transactional_id, outcome->text));
    }
    report.fenced = outcome->kind == Outcome::kDone;
    report.why_not = std::move(outcome->text);
  }
  if (!report.fenced) {
    if (const auto rest = settle_down(**reader, partitions, settle, deadline); !rest) return rest.error();
  }
  return report;
}

Result<void> end_transaction(const ProducerOptions& options, const std::string& transactional_id,
                             const std::string& topic, SteadyTime deadline) {
  Result<std::unique_ptr<Handle>> handle = Handle::create(options, transactional_id, topic);
  if (!handle) return handle.error();
  const Outcome outcome = (*handle)->init(deadline);
  if (outcome.kind == Outcome::kDone) return {};
  return error(ExitCode::kUnavailable, fmt::format("the transaction of transactional.id {} could not be ended: {}",
                                                   transactional_id, outcome.text));
}

}  // namespace tickbridge::sink
