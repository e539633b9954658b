#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/exit_code.h"

namespace tickbridge {

/// What went wrong, in words for the person who runs the daemon: what, where, what to do.
struct Error {
  ExitCode code = ExitCode::kInternal;  ///< what the process exits with if nobody can go on
  std::string message;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

template <class T>
using Result = boost::system::result<T, Error>;

[[nodiscard]] inline Error error(ExitCode code, std::string message) { return Error{code, std::move(message)}; }

}  // namespace tickbridge
