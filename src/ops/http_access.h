#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ops/options.h"

namespace tickbridge::ops {

/// Who may ask: with a token, whoever shows it. HTTP thread only, once it runs.
class HttpAccess {
 public:
  /// Reads the token; a file that holds none worth the name is kConfig. Without http.token_file everybody may ask.
  [[nodiscard]] static Result<HttpAccess> create(const HttpOptions& options);

  /// Whether `authorization` (the header field's value) shows the token: `Bearer TOKEN`, or `Basic` with the token as
  /// the password of anybody. Takes as long for a wrong token of the same length as for the right one.
  [[nodiscard]] bool admits(std::string_view authorization) const;
  [[nodiscard]] bool needs_token() const noexcept { return !token_.empty(); }

  /// Paths that answer without a token; they tell one word then, never a reason.
  [[nodiscard]] static bool is_open(std::string_view target);

 private:
  std::string token_;  // empty: none is needed
};

}  // namespace tickbridge::ops
