#include "config/flags.h"

#include <array>

namespace tickbridge::config {

std::span<const Flag> flags() {
  static constexpr std::array kFlags{
      Flag{"--config", "FILE", "The configuration; without it /etc/tickbridge/tickbridge.toml, if there is one."},
      Flag{"--host", "HOST", "The exchange's host; wins over the file."},
      Flag{"--port", "PORT", "The exchange's port; wins over the file."},
      Flag{"--feed", "NAME", "Which feed --host and --port are for; needed if there are several."},
      Flag{"--set", "KEY=VALUE", "Sets an option by its full name; wins over all. May be given several times."},
      Flag{"--start", "WHERE", "Where to begin, once: checkpoint, beginning, now or a sequence number."},
      Flag{"--exit-at-end", "", "When all feeds have ended and all is acknowledged, exit."},
      Flag{"--accept-change", "", "Go on although the configuration that shapes the output changed."},
      Flag{"--check-config", "", "Check the configuration and exit: 0, or 78 with what is wrong."},
      Flag{"--print-config", "", "Print the whole effective configuration and where each option is from."},
      Flag{"--version", "", "Print the version."},
      Flag{"--help", "", "Print this."},
  };
  return kFlags;
}

}  // namespace tickbridge::config
