#pragma once

#include "sink/handles.h"

namespace tickbridge::sink {

/// Sends the library's log to ours, at most a few lines a facility in ten seconds: when brokers are away each
/// of its threads repeats itself. What was left out is counted in the next line.
void log_to_ours(rd_kafka_conf_t* conf);

}  // namespace tickbridge::sink
