#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "sink/admission.h"
#include "sink/handles.h"
#include "sink/options.h"

namespace tickbridge::sink {

using Properties = std::map<std::string, std::string>;

/// All that may be in flight, over all lanes: the smaller of max_in_flight_messages and the user's
/// queue.buffering.max.messages, and buffer_memory in bytes as the library really uses them.
[[nodiscard]] Charge total_budget(const ProducerOptions& options) noexcept;

/// The client library's properties: the daemon's defaults for this delivery and send, overridden by the user's
/// (docs/producer.md says why each). Aliases of one property count as one.
[[nodiscard]] Properties properties_for(const ProducerOptions& options, Delivery delivery, Send send);

/// Errors: kConfig naming the property, its value and the library's own message.
[[nodiscard]] Result<ConfHandle> make_conf(const Properties& properties);

}  // namespace tickbridge::sink
