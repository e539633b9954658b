#include "sink/library_log.h"

#include <spdlog/spdlog.h>
#include <sys/syslog.h>

#include <string_view>

#include "base/rate_limit.h"
#include "sink/connection.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

/// Syslog's levels, which the library uses, to spdlog's.
spdlog::level::level_enum level_of(int syslog) {
  if (syslog <= 2) return spdlog::level::critical;
  if (syslog == 3) return spdlog::level::err;
  if (syslog <= 5) return spdlog::level::warn;
  return syslog == 6 ? spdlog::level::info : spdlog::level::debug;
}

}  // namespace

void forward_log(const rd_kafka_t* /*client*/, int syslog, const char* facility, const char* text) {
  // "enable.gapless.guarantee is experimental": ours by default, and meant.
  const std::string_view line{text};
  if (std::string_view{facility} == "CONFWARN" && line.find("experimental") != line.npos) syslog = LOG_DEBUG;
  // A broker that cannot be told not to create topics: the embedded one, which says what it is for already.
  if (std::string_view{facility} == "AUTOCREATE") syslog = LOG_DEBUG;
  if (is_mere_disconnect(line)) syslog = LOG_DEBUG;
  static RateLimitByKind limit{5, 10s};
  const auto held_back = limit.admit(facility);
  if (!held_back) return;
  if (*held_back == 0) {
    spdlog::log(level_of(syslog), "librdkafka {}: {}", facility, text);
  } else {
    spdlog::log(level_of(syslog), "librdkafka {}: {} ({} more of these left out)", facility, text, *held_back);
  }
}

void log_to_ours(rd_kafka_conf_t* conf) { rd_kafka_conf_set_log_cb(conf, forward_log); }

}  // namespace tickbridge::sink
