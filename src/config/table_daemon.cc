// The daemon's own options: all tables but [feed.*] and [producer].
#include <fmt/format.h>

#include "config/checks.h"
#include "config/table.h"

namespace tickbridge::config {

std::vector<Option> daemon_options() {
  constexpr std::int64_t kHour = 3'600'000;
  return {
      {.path = "startup_timeout",
       .kind = Kind::kDuration,
       .field = in_daemon<&Config::startup_timeout>,
       .doc = "How long the exchange, Kafka and the topics may take to be reached at the start; then exit code 69.",
       .min = 1,
       .max = kHour,
       .reloadable = true,
       .in_help = true},
      {.path = "shutdown_timeout",
       .kind = Kind::kDuration,
       .field = in_daemon<&Config::shutdown_timeout>,
       .doc = "How long a stop waits for what was handed over to be acknowledged; then exit code 75.",
       .min = 0,
       .max = kHour,
       .reloadable = true,
       .in_help = true},
      {.path = "core_dumps",
       .kind = Kind::kSwitch,
       .field = in_daemon<&Config::core_dumps>,
       .doc =
           "Whether a crash may write the daemon's memory, secrets and all, to a file, and a debugger of the same user "
           "may look into it."},

      {.path = "pipeline.workers",
       .kind = Kind::kWhole,
       .field = in_daemon<&Config::pipeline, &pipeline::Options::workers>,
       .doc = "Threads that decode and commit, for all feeds; 0: one less than the machine's cores, at least 1.",
       .min = 0,
       .max = 256,
       .in_help = true},
      {.path = "pipeline.ring_bytes",
       .kind = Kind::kSize,
       .field = in_daemon<&Config::pipeline, &pipeline::Options::ring_bytes>,
       .doc = "Memory of a feed's ring between socket and workers, taken at start; rounded up to a power of two.",
       .min = 1 << 20,
       .max = std::int64_t{1} << 36,
       .in_help = true},
      {.path = "pipeline.task_bytes",
       .kind = Kind::kSize,
       .field = in_daemon<&Config::pipeline, &pipeline::Options::task_bytes>,
       .doc = "The largest piece that a worker takes at once; larger ones make longer batches and more latency.",
       .min = 4096,
       .max = 16 << 20},

      {.path = "topics.create",
       .kind = Kind::kSwitch,
       .field = in_daemon<&Config::topics, &sink::TopicOptions::create>,
       .doc = "Creates missing data topics as this table says; the checkpoint, state and dead-letter topics are "
              "created anyway, with one partition.",
       .renews = true,
       .in_help = true},
      {.path = "topics.partitions",
       .kind = Kind::kWhole,
       .field = in_daemon<&Config::topics, &sink::TopicOptions::partitions>,
       .doc = "Partitions of a data topic that is created.",
       .min = 1,
       .max = 100'000,
       .renews = true},
      {.path = "topics.replication_factor",
       .kind = Kind::kWhole,
       .field = in_daemon<&Config::topics, &sink::TopicOptions::replication_factor>,
       .doc = "Replicas of each partition of a topic that is created.",
       .min = 1,
       .max = 32'767,
       .renews = true},
      {.path = "topics.config",
       .kind = Kind::kMap,
       .field = in_daemon<&Config::topics, &sink::TopicOptions::config>,
       .doc = "Kafka's own settings of a topic that is created, such as { \"min.insync.replicas\" = \"2\" }.",
       .allowed = "a table of Kafka's topic settings, such as { \"min.insync.replicas\" = \"2\" }",
       .renews = true},

      {.path = "checkpoint.topic",
       .field = in_daemon<&Config::checkpoint, &journal::Options::topic>,
       .doc =
           "The compacted topic of the checkpoints; <topic>.state beside it holds directory entries and sticky keys.",
       .min = 1,
       .max = 243,
       .check = check_topic,
       .allowed = kTopicAllowed},
      {.path = "checkpoint.interval",
       .kind = Kind::kDuration,
       .field = in_daemon<&Config::checkpoint, &journal::Options::interval>,
       .doc = "Time between checkpoints; what lies behind the last one is compared with the replay after a crash.",
       .min = 10,
       .max = 60'000,
       .renews = true},
      {.path = "checkpoint.settle",
       .kind = Kind::kDuration,
       .field = in_daemon<&Config::checkpoint, &journal::Options::settle>,
       .doc = "How long the topics' ends must stand still after a crash where no fence is possible.",
       .min = 0,
       .max = 60'000,
       .renews = true},

      {.path = "http.listen",
       .field = in_daemon<&Config::http, &ops::HttpOptions::listen>,
       .doc =
           "Where the dashboard, /metrics, /healthz, /readyz and /api/status are served; \"\" switches them off, port "
           "0 takes a free one and logs it.",
       .check = check_listen,
       .allowed = "\"host:port\", \"[ipv6]:port\" or \"\"",
       .in_help = true},

      {.path = "log.level",
       .kind = Kind::kWord,
       .field = in_daemon<&Config::log, &ops::LogOptions::level>,
       .doc = "The least important messages that are logged.",
       .words = {"trace", "debug", "info", "warn", "error", "critical", "off"},
       .reloadable = true,
       .in_help = true},
      {.path = "log.format",
       .kind = Kind::kWord,
       .field = in_daemon<&Config::log, &ops::LogOptions::format>,
       .doc = "Lines for people, or an object a line for programs.",
       .words = {"text", "json"},
       .in_help = true},
  };
}

}  // namespace tickbridge::config
