#include "journal/jump.h"

namespace tickbridge::journal {

std::uint64_t set_apart(std::vector<Stranger>& strangers, const JumpedRange& range) {
  if (range.own == 0) return 0;
  const std::uint64_t found = std::erase_if(strangers, [&](const Stranger& stranger) {
    return stranger.kind == Stranger::Kind::kForeign && stranger.partition == range.partition &&
           stranger.offset >= range.begin && stranger.offset < range.end;
  });
  return found > range.own ? found - range.own : 0;
}

}  // namespace tickbridge::journal
