#pragma once

#include <span>
#include <string_view>

#include "doctor/context.h"
#include "doctor/finding.h"

namespace tickbridge::doctor {

class KafkaWorld;

/// One check: looks at one thing and appends what it found. Blocks, a few seconds at most for each thing it asks.
struct Check {
  std::string_view section;
  void (*run)(const Context&, KafkaWorld&, Findings&);
};

/// Every check there is, in the order in which they are told; those of a section stand together.
[[nodiscard]] std::span<const Check> checks();

// check_config.cc
void check_file(const Context& context, KafkaWorld& kafka, Findings& out);
void check_secrets(const Context& context, KafkaWorld& kafka, Findings& out);
void check_feeds(const Context& context, KafkaWorld& kafka, Findings& out);
// check_host.cc
void check_versions(const Context& context, KafkaWorld& kafka, Findings& out);
void check_user(const Context& context, KafkaWorld& kafka, Findings& out);
void check_clock(const Context& context, KafkaWorld& kafka, Findings& out);
void check_port(const Context& context, KafkaWorld& kafka, Findings& out);
// check_limits.cc
void check_memory(const Context& context, KafkaWorld& kafka, Findings& out);
void check_cores(const Context& context, KafkaWorld& kafka, Findings& out);
void check_files(const Context& context, KafkaWorld& kafka, Findings& out);
void check_sockets(const Context& context, KafkaWorld& kafka, Findings& out);
// check_exchange.cc
void check_exchange(const Context& context, KafkaWorld& kafka, Findings& out);
// check_kafka.cc
void check_bootstrap(const Context& context, KafkaWorld& kafka, Findings& out);
void check_cluster(const Context& context, KafkaWorld& kafka, Findings& out);
void check_brokers(const Context& context, KafkaWorld& kafka, Findings& out);
// check_topics.cc
void check_topics(const Context& context, KafkaWorld& kafka, Findings& out);
// check_rights.cc
void check_rights(const Context& context, KafkaWorld& kafka, Findings& out);
// check_checkpoints.cc
void check_checkpoints(const Context& context, KafkaWorld& kafka, Findings& out);

}  // namespace tickbridge::doctor
