// Compiled as C++17: what consumers need.
#include <tickbridge/itch50.h>
#include <tickbridge/record.h>
#include <tickbridge/version.h>

static_assert(__cplusplus == 201703L);

namespace tickbridge {

std::uint64_t shares_traded(std::string_view bytes) {
  std::uint64_t shares = 0;
  itch50::visit(bytes, itch50::Overloaded{
                           [&](const itch50::Trade& trade) { shares = trade.shares(); },
                           [&](const itch50::CrossTrade& cross) { shares = cross.shares(); },
                       });
  return shares;
}

}  // namespace tickbridge
