#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/admission.h"
#include "sink/handles.h"
#include "sink/options.h"

namespace tickbridge::sink {

using Properties = std::map<std::string, std::string>;

/// What max_in_flight_messages = 0 allows over all lanes, at least.
constexpr std::uint64_t kLeastInFlight = 50'000;
/// And a lane for each partition of its topic, at least: the library sends one partition's messages a request, so fewer
/// mean smaller requests. Not with at_most_once, which loses what is in flight.
constexpr std::uint64_t kInFlightPerPartition = 500;

/// What one lane of `lanes` may have in flight: its part of the smaller of max_in_flight_messages and the user's
/// queue.buffering.max.messages, and of buffer_memory in bytes as the library really uses them.
[[nodiscard]] Charge in_flight_share(const ProducerOptions& options, Delivery delivery, std::size_t lanes,
                                     std::size_t partitions) noexcept;

/// The client library's properties: the daemon's defaults for this delivery and send, overridden by the user's
/// (docs/producer.md says why each). Aliases of one property count as one.
[[nodiscard]] Properties properties_for(const ProducerOptions& options, Delivery delivery, Send send);

/// The same for a producer with a transactional id.
[[nodiscard]] Properties transactional(Properties properties, const std::string& id);

/// Those of the user's properties that say how to reach the cluster (addresses, security, sockets, client.id): what any
/// other client of the daemon takes over from the producer. Of the rest a consumer or a short-lived producer would
/// refuse some and misunderstand others.
[[nodiscard]] Properties connection_properties(const ProducerOptions& options);
/// A reader's: no group, quick answers, `isolation` read_uncommitted or read_committed.
[[nodiscard]] Properties reader_properties(const ProducerOptions& options, std::string_view isolation);
/// An idempotent producer's for the daemon's own notes: sent at once, never given up.
[[nodiscard]] Properties notes_properties(const ProducerOptions& options);
/// A fence's: nothing is sent within its lifetime.
[[nodiscard]] Properties fence_properties(const ProducerOptions& options, const std::string& transactional_id);

/// Errors: kConfig naming the property, its value and the library's own message.
[[nodiscard]] Result<ConfHandle> make_conf(const Properties& properties);

}  // namespace tickbridge::sink
