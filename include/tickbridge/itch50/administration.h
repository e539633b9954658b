#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <tickbridge/itch50/message.h>

/// Sections 1.1 and 1.2 of TotalView-ITCH 5.0: the day's events, instruments and their states. Include
/// <tickbridge/itch50.h>.
namespace tickbridge::itch50 {

/// An event of the market or the feed; concerns no instrument.
class SystemEvent : public Message<SystemEvent, 'S', 12> {
  using Message::Message;

 public:
  /// `O` start of messages, `S` start of system hours, `Q` start of market hours, `M` end of market hours,
  /// `E` end of system hours, `C` end of messages.
  [[nodiscard]] char event_code() const noexcept { return code_at<11>(); }
};

/// An instrument of the day: which symbol its number stands for, and what it is. Sent before the market opens.
class StockDirectory : public Message<StockDirectory, 'R', 39> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// Where it is listed: `Q` Nasdaq Global Select, `G` Nasdaq Global, `S` Nasdaq Capital, `N` NYSE, `A` NYSE American,
  /// `P` NYSE Arca, `Z` Cboe BZX, `V` IEX, space: not available.
  [[nodiscard]] char market_category() const noexcept { return code_at<19>(); }
  /// `N` normal, `D` deficient, `E` delinquent, `Q` bankrupt, `S` suspended, `G` `H` `J` `K` combinations of these,
  /// `C` creations or redemptions suspended (ETPs), space: not available.
  [[nodiscard]] char financial_status_indicator() const noexcept { return code_at<20>(); }
  /// Shares in a round lot.
  [[nodiscard]] std::uint32_t round_lot_size() const noexcept { return number_at<std::uint32_t, 21>(); }
  /// `Y`: only round lots are accepted, `N`: any size.
  [[nodiscard]] char round_lots_only() const noexcept { return code_at<25>(); }
  /// For instance `C` common stock, `A` American depositary share, `O` ordinary shares, `W` warrant.
  [[nodiscard]] char issue_classification() const noexcept { return code_at<26>(); }
  /// The specification's appendix lists them; `Z`: not applicable.
  [[nodiscard]] std::string_view issue_sub_type() const noexcept { return text_at<27, 2>(); }
  /// `P` live, `T` a test instrument.
  [[nodiscard]] char authenticity() const noexcept { return code_at<29>(); }
  /// `Y` restricted under Rule 203(b)(3), `N` not, space: not available.
  [[nodiscard]] char short_sale_threshold_indicator() const noexcept { return code_at<30>(); }
  /// `Y`: a new listing that is released for quotation today, `N`, space: not available.
  [[nodiscard]] char ipo_flag() const noexcept { return code_at<31>(); }
  /// `1`, `2`: tier of the limit up / limit down plan, space: none.
  [[nodiscard]] char luld_reference_price_tier() const noexcept { return code_at<32>(); }
  /// `Y` an exchange traded product, `N` not, space: not available.
  [[nodiscard]] char etp_flag() const noexcept { return code_at<33>(); }
  /// Whole number, of an exchange traded product; 1: not leveraged.
  [[nodiscard]] std::uint32_t etp_leverage_factor() const noexcept { return number_at<std::uint32_t, 34>(); }
  /// `Y`: an inverse exchange traded product, `N`.
  [[nodiscard]] char inverse_indicator() const noexcept { return code_at<38>(); }
};

/// A change of an instrument's trading state; sent for each one before the market opens too.
class StockTradingAction : public Message<StockTradingAction, 'H', 25> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// `H` halted, `P` paused (not Nasdaq-listed), `Q` quotation only, `T` trading.
  [[nodiscard]] char trading_state() const noexcept { return code_at<19>(); }
  /// Reserved.
  [[nodiscard]] char reserved() const noexcept { return code_at<20>(); }
  /// Why; the specification's appendix lists the codes.
  [[nodiscard]] std::string_view reason() const noexcept { return text_at<21, 4>(); }
};

/// Whether the short sale price test of Rule 201 is in effect.
class RegShoRestriction : public Message<RegShoRestriction, 'Y', 20> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// `0` none, `1` in effect after a fall today, `2` remains in effect.
  [[nodiscard]] char reg_sho_action() const noexcept { return code_at<19>(); }
};

/// A market participant's standing in an instrument.
class MarketParticipantPosition : public Message<MarketParticipantPosition, 'L', 26> {
  using Message::Message;

 public:
  /// The participant.
  [[nodiscard]] std::string_view mpid() const noexcept { return text_at<11, 4>(); }
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<15, 8>(); }
  /// `Y` or `N`.
  [[nodiscard]] char primary_market_maker() const noexcept { return code_at<23>(); }
  /// `N` normal, `P` passive, `S` syndicate, `R` pre-syndicate, `L` penalty.
  [[nodiscard]] char market_maker_mode() const noexcept { return code_at<24>(); }
  /// `A` active, `E` excused or withdrawn, `W` withdrawn, `S` suspended, `D` deleted.
  [[nodiscard]] char market_participant_state() const noexcept { return code_at<25>(); }
};

/// The day's levels of the market-wide circuit breaker, in points of the S&P 500.
class MwcbDeclineLevel : public Message<MwcbDeclineLevel, 'V', 35> {
  using Message::Message;

 public:
  /// 7 %.
  [[nodiscard]] LevelPrice level_1() const noexcept { return LevelPrice(number_at<std::uint64_t, 11>()); }
  /// 13 %.
  [[nodiscard]] LevelPrice level_2() const noexcept { return LevelPrice(number_at<std::uint64_t, 19>()); }
  /// 20 %.
  [[nodiscard]] LevelPrice level_3() const noexcept { return LevelPrice(number_at<std::uint64_t, 27>()); }
};

/// A level of the market-wide circuit breaker was reached.
class MwcbStatus : public Message<MwcbStatus, 'W', 12> {
  using Message::Message;

 public:
  /// `1`, `2` or `3`.
  [[nodiscard]] char breached_level() const noexcept { return code_at<11>(); }
};

/// When a new listing is released for quotation.
class IpoQuotingPeriodUpdate : public Message<IpoQuotingPeriodUpdate, 'K', 28> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// Since midnight, exchange time.
  [[nodiscard]] std::chrono::seconds ipo_quotation_release_time() const noexcept {
    return std::chrono::seconds(number_at<std::uint32_t, 19>());
  }
  /// `A` anticipated, `C` cancelled or postponed.
  [[nodiscard]] char ipo_quotation_release_qualifier() const noexcept { return code_at<23>(); }
  /// The price that the issue is offered at.
  [[nodiscard]] Price ipo_price() const noexcept { return price_at<24>(); }
};

/// The prices that an auction after a limit up / limit down pause may have.
class LuldAuctionCollar : public Message<LuldAuctionCollar, 'J', 35> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// The price that the collar is set around.
  [[nodiscard]] Price auction_collar_reference_price() const noexcept { return price_at<19>(); }
  /// The highest.
  [[nodiscard]] Price upper_auction_collar_price() const noexcept { return price_at<23>(); }
  /// The lowest.
  [[nodiscard]] Price lower_auction_collar_price() const noexcept { return price_at<27>(); }
  /// How often the collar has been widened.
  [[nodiscard]] std::uint32_t auction_collar_extension() const noexcept { return number_at<std::uint32_t, 31>(); }
};

/// An interruption on one market of the group.
class OperationalHalt : public Message<OperationalHalt, 'h', 21> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// `Q` Nasdaq, `B` BX, `X` PSX.
  [[nodiscard]] char market_code() const noexcept { return code_at<19>(); }
  /// `H` halted, `T` lifted.
  [[nodiscard]] char operational_halt_action() const noexcept { return code_at<20>(); }
};

}  // namespace tickbridge::itch50
