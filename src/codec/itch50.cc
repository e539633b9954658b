#include "codec/message_table.h"

namespace tickbridge::codec {

// Nasdaq TotalView-ITCH 5.0, editions 2015 to 2026. Known codes are those of all editions.
namespace {

using enum Field::Kind;
constexpr std::string_view kYesNo = "YN";
constexpr std::string_view kYesNoBlank = "YN ";
constexpr std::string_view kSides = "BS";

constexpr Field kStock{"stock", 8, kSymbol};
constexpr Field kReference{"order_reference", 8};
constexpr Field kShares{"shares", 4};
constexpr Field kPrice{"price", 4, kPrice4};
constexpr Field kMatch{"match_number", 8};

constexpr Field kSystemEvent[] = {{"event", 1, kCode, "OSQMEC"}};
constexpr Field kStockDirectory[] = {kStock,
                                     {"market_category", 1, kCode, "QGSNAPZV "},
                                     {"financial_status", 1, kCode, "DEQSGHJKCN "},
                                     {"round_lot_size", 4},
                                     {"round_lots_only", 1, kCode, kYesNo},
                                     {"issue_classification", 1, kCode, "ABCFILNOPQRSTUVW"},
                                     {"issue_sub_type", 2, kText},
                                     {"authenticity", 1, kCode, "PT"},
                                     {"short_sale_threshold", 1, kCode, kYesNoBlank},
                                     {"ipo_flag", 1, kCode, kYesNoBlank},
                                     {"luld_tier", 1, kCode, "12 "},
                                     {"etp_flag", 1, kCode, kYesNoBlank},
                                     {"etp_leverage", 4},
                                     {"inverse", 1, kCode, kYesNo}};
constexpr Field kTradingAction[] = {
    kStock, {"trading_state", 1, kCode, "HPQT"}, {"reserved", 1, kText}, {"reason", 4, kText}};
constexpr Field kRegSho[] = {kStock, {"action", 1, kCode, "012"}};
constexpr Field kParticipantPosition[] = {{"mpid", 4, kText},
                                          kStock,
                                          {"primary_market_maker", 1, kCode, kYesNo},
                                          {"market_maker_mode", 1, kCode, "NPSRL"},
                                          {"participant_state", 1, kCode, "AEWSD"}};
constexpr Field kMwcbDecline[] = {{"level_1", 8, kPrice8}, {"level_2", 8, kPrice8}, {"level_3", 8, kPrice8}};
constexpr Field kMwcbStatus[] = {{"breached_level", 1, kCode, "123"}};
constexpr Field kIpoQuoting[] = {
    kStock, {"release_time", 4}, {"release_qualifier", 1, kCode, "AC"}, {"ipo_price", 4, kPrice4}};
constexpr Field kLuldCollar[] = {kStock,
                                 {"reference_price", 4, kPrice4},
                                 {"upper_price", 4, kPrice4},
                                 {"lower_price", 4, kPrice4},
                                 {"extension", 4}};
constexpr Field kOperationalHalt[] = {kStock, {"market", 1, kCode, "QBX"}, {"action", 1, kCode, "HT"}};
constexpr Field kAddOrder[] = {kReference, {"side", 1, kCode, kSides}, kShares, kStock, kPrice};
constexpr Field kAddOrderMpid[] = {kReference, {"side", 1, kCode, kSides}, kShares, kStock, kPrice, {"mpid", 4, kText}};
constexpr Field kOrderExecuted[] = {kReference, {"executed_shares", 4}, kMatch};
constexpr Field kOrderExecutedWithPrice[] = {
    kReference, {"executed_shares", 4}, kMatch, {"printable", 1, kCode, kYesNo}, {"execution_price", 4, kPrice4}};
constexpr Field kOrderCancel[] = {kReference, {"cancelled_shares", 4}};
constexpr Field kOrderDelete[] = {kReference};
constexpr Field kOrderReplace[] = {{"original_reference", 8}, {"new_reference", 8}, kShares, kPrice};
constexpr Field kTrade[] = {kReference, {"side", 1, kCode, kSides}, kShares, kStock, kPrice, kMatch};
constexpr Field kCrossTrade[] = {
    {"shares", 8}, kStock, {"cross_price", 4, kPrice4}, kMatch, {"cross_type", 1, kCode, "OCHIA"}};
constexpr Field kBrokenTrade[] = {kMatch};
constexpr Field kNoii[] = {{"paired_shares", 8},
                           {"imbalance_shares", 8},
                           {"imbalance_direction", 1, kCode, "BSNOP"},
                           kStock,
                           {"far_price", 4, kPrice4},
                           {"near_price", 4, kPrice4},
                           {"reference_price", 4, kPrice4},
                           {"cross_type", 1, kCode, "OCHA"},
                           {"price_variation", 1, kCode, "L123456789ABC "}};
constexpr Field kRetailInterest[] = {kStock, {"interest", 1, kCode, "BSAN"}};
constexpr Field kDirectListing[] = {kStock,
                                    {"open_eligibility", 1, kCode, kYesNo},
                                    {"minimum_price", 4, kPrice4},
                                    {"maximum_price", 4, kPrice4},
                                    {"near_price", 4, kPrice4},
                                    {"near_time", 8},
                                    {"lower_collar", 4, kPrice4},
                                    {"upper_collar", 4, kPrice4}};

constexpr MessageType kTypes[] = {
    {'S', "system event", 12, kSystemEvent},
    {'R', "stock directory", 39, kStockDirectory},
    {'H', "trading action", 25, kTradingAction},
    {'Y', "Reg SHO restriction", 20, kRegSho},
    {'L', "market participant position", 26, kParticipantPosition},
    {'V', "MWCB decline levels", 35, kMwcbDecline},
    {'W', "MWCB status", 12, kMwcbStatus},
    {'K', "IPO quoting period", 28, kIpoQuoting},
    {'J', "LULD auction collar", 35, kLuldCollar},
    {'h', "operational halt", 21, kOperationalHalt},
    {'A', "add order", 36, kAddOrder},
    {'F', "add order with attribution", 40, kAddOrderMpid},
    {'E', "order executed", 31, kOrderExecuted},
    {'C', "order executed with price", 36, kOrderExecutedWithPrice},
    {'X', "order cancel", 23, kOrderCancel},
    {'D', "order delete", 19, kOrderDelete},
    {'U', "order replace", 35, kOrderReplace},
    {'P', "trade, non-cross", 44, kTrade},
    {'Q', "cross trade", 40, kCrossTrade},
    {'B', "broken trade", 19, kBrokenTrade},
    {'I', "NOII", 50, kNoii},
    {'N', "retail interest", 20, kRetailInterest},
    {'O', "direct listing with capital raise", 48, kDirectListing},
};

constexpr bool fields_fill_each_message() {
  for (const MessageType& type : kTypes) {
    std::size_t size = kHeaderSize;
    for (const Field& field : type.fields) size += field.size;
    if (size != type.length) return false;
  }
  return true;
}
static_assert(fields_fill_each_message());
static_assert(std::size(kTypes) == 23);

}  // namespace

std::span<const MessageType> itch50_types() noexcept { return kTypes; }

}  // namespace tickbridge::codec
