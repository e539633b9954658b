#pragma once

namespace tickbridge {

/// The process's exit codes (contract, "The daemon"); numbers after sysexits.h.
enum class ExitCode : int {
  kOk = 0,
  kUsage = 64,           ///< the command line
  kData = 65,            ///< data cannot be trusted
  kUnavailable = 69,     ///< exchange, Kafka or a topic not there within startup_timeout
  kInternal = 70,        ///< a fault of ours or of the environment
  kUnacknowledged = 75,  ///< stopped with records not acknowledged: start again, nothing is lost
  kProtocol = 76,        ///< login not authorised, foreign writer, another owner alive
  kConfig = 78,          ///< the configuration
};

}  // namespace tickbridge
