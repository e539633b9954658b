#include "sink/sockets.h"

#include <sys/socket.h>

namespace tickbridge::sink {

int resetting_socket(int domain, int type, int protocol, void* /*opaque*/) {
  const int descriptor = ::socket(domain, type | SOCK_CLOEXEC, protocol);
  if (descriptor < 0) return descriptor;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);  // cannot fail on a fresh TCP socket
  return descriptor;
}

void reset_at_death(rd_kafka_conf_t* conf) { rd_kafka_conf_set_socket_cb(conf, resetting_socket); }

}  // namespace tickbridge::sink
