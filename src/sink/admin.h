#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"

namespace tickbridge::sink {

/// A topic's settings by Kafka's names, or why they are not known.
struct Described {
  enum class Outcome : std::uint8_t {
    kKnown,
    kUnsupported,  ///< the broker does not know the question: the library's mock cluster
    kFailed,       ///< text says why: no right to ask, time ran out
  };
  Outcome outcome = Outcome::kFailed;
  std::map<std::string, std::string> values;
  std::string text;
};

struct NewTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication_factor = 1;
  std::map<std::string, std::string> config;
};

// Start-up thread only; each blocks until `deadline` at most.

/// Asks the broker with this id: the library would look for the controller, which the mock cluster has not.
[[nodiscard]] Described describe_topic(const Client& client, std::int32_t broker, const std::string& name,
                                       SteadyTime deadline);
/// Empty: created, or there already. Else the reason that the broker or the library gives. `only_try`: the broker says
/// whether it would, and creates nothing.
[[nodiscard]] std::string create_topic(const Client& client, const NewTopic& topic, SteadyTime deadline,
                                       bool only_try = false);

/// Milliseconds left until `deadline`, between 1 and `most`.
[[nodiscard]] int milliseconds_left(SteadyTime deadline, std::chrono::milliseconds most);

}  // namespace tickbridge::sink
