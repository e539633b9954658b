#include "sink/versions.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

namespace tickbridge::sink {

namespace {

/// The number that rd_kafka_version() gives, without its pre-release byte.
constexpr int version_number(int major, int minor, int revision) { return major << 16 | minor << 8 | revision; }

const char* known_fault(int number) {
  if (number >= version_number(2, 2, 0) && number < version_number(2, 5, 0)) {
    return "stops with a fatal error when a large batch is retried (librdkafka issue 4736)";
  }
  if (number == version_number(2, 10, 0)) return "is broken for idempotent producers (librdkafka issue 5088)";
  return nullptr;
}

}  // namespace

int library_version() { return rd_kafka_version(); }
std::string library_version_name() { return rd_kafka_version_str(); }

Result<std::string> check_library_version(int version, Delivery delivery) {
  const int number = version >> 8;
  const std::string name = fmt::format("librdkafka {}.{}.{}", number >> 16, number >> 8 & 0xff, number & 0xff);
  if (number < version_number(2, 0, 2)) {
    return error(ExitCode::kConfig, name + " is too old: 2.0.2 or later is needed, 2.12.1 or later is advised");
  }
  const char* const fault = known_fault(number);
  if (fault == nullptr) return std::string{};
  const std::string text = fmt::format("{} {}; install 2.12.1 or later", name, fault);
  if (delivery == Delivery::kExactlyOnce || delivery == Delivery::kTransactional) return error(ExitCode::kConfig, text);
  return text;
}

}  // namespace tickbridge::sink
