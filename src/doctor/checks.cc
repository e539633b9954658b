#include "doctor/checks.h"

#include <array>

namespace tickbridge::doctor {

std::span<const Check> checks() {
  static constexpr std::array kChecks{
      Check{"config", check_file},     Check{"config", check_secrets}, Check{"config", check_feeds},
      Check{"host", check_versions},   Check{"host", check_user},      Check{"host", check_clock},
      Check{"host", check_memory},     Check{"host", check_cores},     Check{"host", check_files},
      Check{"host", check_sockets},    Check{"host", check_port},      Check{"exchange", check_exchange},
      Check{"Kafka", check_bootstrap}, Check{"Kafka", check_cluster},  Check{"Kafka", check_brokers},
      Check{"Kafka", check_topics},    Check{"Kafka", check_rights},   Check{"Kafka", check_checkpoints},
  };
  return kChecks;
}

}  // namespace tickbridge::doctor
