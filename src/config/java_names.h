#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tickbridge::config {

/// A name that is known and not taken, and what to do instead.
struct Refused {
  std::string_view name;    ///< "partitioner.class"; ending in "*": all names that begin so
  std::string_view advice;  ///< why, and what to set
};

/// Names of the Java producer that have no counterpart here.
[[nodiscard]] std::span<const Refused> refused_java_names();
/// Properties of the client library that the daemon sets itself, so nobody else may.
[[nodiscard]] std::span<const Refused> owned_properties();
/// The entry for `name`; nullptr: it is not refused.
[[nodiscard]] const Refused* find_refused(std::span<const Refused> names, std::string_view name);

/// The library has two names for some properties: the one used here (queue.buffering.max.ms → linger.ms).
[[nodiscard]] std::string_view canonical_property(std::string_view name);

}  // namespace tickbridge::config
