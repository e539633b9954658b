#pragma once

#include "sink/handles.h"

namespace tickbridge::sink {

/// Sends the library's log to ours, at most a few lines a facility in ten seconds: when brokers are away each
/// of its threads repeats itself. What was left out is counted in the next line.
void log_to_ours(rd_kafka_conf_t* conf);

/// What log_to_ours() has the library call: for a client that listens to its log itself. Any thread.
void forward_log(const rd_kafka_t* client, int level, const char* facility, const char* text);

}  // namespace tickbridge::sink
