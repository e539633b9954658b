#pragma once

#include <librdkafka/rdkafka.h>

namespace tickbridge::sink {

/// A socket whose end, a killed process's too, resets the connection and throws away what the kernel has not sent yet.
/// The kernel would otherwise go on sending it, for minutes if the network stalls, and a broker could append it behind
/// what the next process writes. As the library's socket callback wants it: the descriptor, or -1 with errno.
[[nodiscard]] int resetting_socket(int domain, int type, int protocol, void* opaque);

/// Has a client's sockets made so. Not for acks = 0: there a clean stop, too, relies on the kernel sending the rest.
void reset_at_death(rd_kafka_conf_t* conf);

}  // namespace tickbridge::sink
