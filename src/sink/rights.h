#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// What is known of a right of the daemon's user.
struct Right {
  enum class Answer : std::uint8_t {
    kGiven,
    kMissing,
    kUnknown,  ///< text says why
  };
  Answer answer = Answer::kUnknown;
  std::string text;
};

/// may_use_transactional_id()'s text where there are no ACLs at all: every right is given.
constexpr const char* kNoAuthorizer = "the brokers have no authorizer";

// Questions that change nothing in the cluster. Each blocks until `deadline` at most.

/// Whether records may be written to the topic. Asked by a record with acks = 2, which the protocol does not know: a
/// broker first looks at the right, then refuses the request as a whole (INVALID_REQUIRED_ACKS). REQUIRES: a real
/// broker; the embedded one takes anything.
[[nodiscard]] Right may_write(const ProducerOptions& options, const std::string& topic, SteadyTime deadline);

/// Whether the topic may be read: a fetch at the end of partition 0.
[[nodiscard]] Right may_read(const ProducerOptions& options, const std::string& topic, SteadyTime deadline);

/// Whether the ACLs let `principal` ("User:feed") write under the transactional id. Only they are read: to use the id
/// would fence the daemon that has it. Unknown where the user may not read ACLs, or none speaks of him.
[[nodiscard]] Right may_use_transactional_id(const Client& client, const std::string& id, const std::string& principal,
                                             SteadyTime deadline);

}  // namespace tickbridge::sink
