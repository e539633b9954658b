// Prints every field of every message of an .itch file as the public views give it, one message a line, for
// independent_test.py to compare with what it makes of the same bytes.
#include <fmt/core.h>
#include <tickbridge/itch50.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace tickbridge::itch50;

std::string shown(char code) { return {code}; }
std::string shown(std::string_view text) { return std::string(text); }
std::string shown(Price price) { return price.text(); }
std::string shown(LevelPrice price) { return price.text(); }
std::string shown(std::chrono::seconds time) { return std::to_string(time.count()); }
std::string shown(std::uint32_t number) { return std::to_string(number); }
std::string shown(std::uint64_t number) { return std::to_string(number); }

template <class Message, class... Fields>
void print(const Message& m, const Fields&... fields) {
  std::string line =
      fmt::format("{}|{}|{}|{}", Message::kType, m.stock_locate(), m.tracking_number(), m.timestamp().count());
  ((line += '|' + shown(fields)), ...);
  fmt::print("{}\n", line);
}

const Overloaded kPrint{
    [](const SystemEvent& m) { print(m, m.event_code()); },
    [](const StockDirectory& m) {
      print(m, m.stock(), m.market_category(), m.financial_status_indicator(), m.round_lot_size(), m.round_lots_only(),
            m.issue_classification(), m.issue_sub_type(), m.authenticity(), m.short_sale_threshold_indicator(),
            m.ipo_flag(), m.luld_reference_price_tier(), m.etp_flag(), m.etp_leverage_factor(), m.inverse_indicator());
    },
    [](const StockTradingAction& m) { print(m, m.stock(), m.trading_state(), m.reserved(), m.reason()); },
    [](const RegShoRestriction& m) { print(m, m.stock(), m.reg_sho_action()); },
    [](const MarketParticipantPosition& m) {
      print(m, m.mpid(), m.stock(), m.primary_market_maker(), m.market_maker_mode(), m.market_participant_state());
    },
    [](const MwcbDeclineLevel& m) { print(m, m.level_1(), m.level_2(), m.level_3()); },
    [](const MwcbStatus& m) { print(m, m.breached_level()); },
    [](const IpoQuotingPeriodUpdate& m) {
      print(m, m.stock(), m.ipo_quotation_release_time(), m.ipo_quotation_release_qualifier(), m.ipo_price());
    },
    [](const LuldAuctionCollar& m) {
      print(m, m.stock(), m.auction_collar_reference_price(), m.upper_auction_collar_price(),
            m.lower_auction_collar_price(), m.auction_collar_extension());
    },
    [](const OperationalHalt& m) { print(m, m.stock(), m.market_code(), m.operational_halt_action()); },
    [](const AddOrder& m) {
      print(m, m.order_reference_number(), m.buy_sell_indicator(), m.shares(), m.stock(), m.price());
    },
    [](const AddOrderWithMpid& m) {
      print(m, m.order_reference_number(), m.buy_sell_indicator(), m.shares(), m.stock(), m.price(), m.attribution());
    },
    [](const OrderExecuted& m) { print(m, m.order_reference_number(), m.executed_shares(), m.match_number()); },
    [](const OrderExecutedWithPrice& m) {
      print(m, m.order_reference_number(), m.executed_shares(), m.match_number(), m.printable(), m.execution_price());
    },
    [](const OrderCancel& m) { print(m, m.order_reference_number(), m.cancelled_shares()); },
    [](const OrderDelete& m) { print(m, m.order_reference_number()); },
    [](const OrderReplace& m) {
      print(m, m.original_order_reference_number(), m.new_order_reference_number(), m.shares(), m.price());
    },
    [](const Trade& m) {
      print(m, m.order_reference_number(), m.buy_sell_indicator(), m.shares(), m.stock(), m.price(), m.match_number());
    },
    [](const CrossTrade& m) { print(m, m.shares(), m.stock(), m.cross_price(), m.match_number(), m.cross_type()); },
    [](const BrokenTrade& m) { print(m, m.match_number()); },
    [](const Noii& m) {
      print(m, m.paired_shares(), m.imbalance_shares(), m.imbalance_direction(), m.stock(), m.far_price(),
            m.near_price(), m.current_reference_price(), m.cross_type(), m.price_variation_indicator());
    },
    [](const RetailPriceImprovement& m) { print(m, m.stock(), m.interest_flag()); },
    [](const DirectListing& m) {
      print(m, m.stock(), m.open_eligibility_status(), m.minimum_allowable_price(), m.maximum_allowable_price(),
            m.near_execution_price(), m.near_execution_time(), m.lower_price_range_collar(),
            m.upper_price_range_collar());
    },
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t at = 0; at + 2 <= bytes.size();) {
    const std::size_t length = static_cast<unsigned char>(bytes[at]) * 256U + static_cast<unsigned char>(bytes[at + 1]);
    at += 2;
    if (at + length > bytes.size()) break;
    // a copy of its own on the heap, so that the address sanitizer sees a read beyond the message
    const std::vector<char> message(bytes.data() + at, bytes.data() + at + length);
    switch (visit(message.data(), message.size(), kPrint)) {
      case Visited::kTaken:
        break;
      case Visited::kPassedOver:
        fmt::print("passed over\n");
        break;
      case Visited::kUnknownType:
        fmt::print("unknown type\n");
        break;
      case Visited::kWrongLength:
        fmt::print("wrong length\n");
        break;
    }
    at += length;
  }
}
