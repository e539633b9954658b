#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "journal/checkpoint.h"
#include "pipeline/options.h"
#include "routing/options.h"
#include "sink/compacted_log.h"
#include "sink/producer.h"

namespace tickbridge::pipeline {

// What a start judges before anything is read: for the daemon, which goes by it, and for the doctor, which tells it.

/// What a feed asks of its data topic.
struct TopicDemand {
  std::string feed;
  std::string topic;
  std::string servers;  ///< for commands
  FeedPolicies policies;
  routing::Options routing;
  bool exact = false;  ///< every record is needed to align with
};
/// Whether the topic suits the feed: partitions, kind of timestamp, compaction, limits on timestamps. Returns warnings.
[[nodiscard]] Result<std::vector<std::string>> check_topic(const TopicDemand& demand, const sink::TopicInfo& topic);

/// A warning about how often commits come; empty: none.
[[nodiscard]] std::string check_intervals(const std::string& feed, sink::Delivery delivery, milliseconds checkpoints,
                                          milliseconds transactions);

/// The parameters in force: the options that shape the output, the topic's partition count and record limit, and what
/// this build's message table says.
[[nodiscard]] journal::Parameters parameters_in_force(journal::Parameters shaping, const sink::TopicInfo& topic,
                                                      const std::string& protocol);

/// A feed's checkpoints out of what was read of `topic`. A tombstone takes back what came before it under its key,
/// whether or not compaction has come by. Errors: kData.
[[nodiscard]] Result<std::vector<journal::Checkpoint>> parse_checkpoints(const std::string& feed,
                                                                         const std::string& topic,
                                                                         const std::vector<sink::Entry>& entries);

}  // namespace tickbridge::pipeline
