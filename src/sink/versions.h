#pragma once

#include <string>

#include "base/result.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// The client library's, as rd_kafka_version() gives it, and by name: "2.0.2".
[[nodiscard]] int library_version();
[[nodiscard]] std::string library_version_name();

/// Whether the client library of this version (rd_kafka_version(), 0xMMmmrrpp) can do `delivery`. The string is a
/// warning, empty if there is nothing to say. Errors: kConfig for a version that would break exactly-once.
[[nodiscard]] Result<std::string> check_library_version(int version, Delivery delivery);

}  // namespace tickbridge::sink
