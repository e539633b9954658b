#pragma once

#include <string_view>

namespace tickbridge {

/// Whether the value of the client library's property (or Java's) is never shown.
[[nodiscard]] bool is_secret_name(std::string_view property);
/// Of those: whether it would do harm if seen. Certificates are hidden for their length only.
[[nodiscard]] bool is_confidential_name(std::string_view property);

}  // namespace tickbridge
