#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"
#include "sink/lane.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// Looks a topic up until `deadline`. Start-up thread only; blocks.
/// Errors: kUnavailable, naming bootstrap.servers or the command that creates the topic.
[[nodiscard]] Result<TopicInfo> look_up(const Client& client, rd_kafka_topic_t* topic, const TopicOptions& options,
                                        SteadyTime deadline);

}  // namespace tickbridge::sink
