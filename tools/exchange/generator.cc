#include "exchange/generator.h"

#include <algorithm>

#include "exchange/notices.h"

namespace tickbridge::exchange {

Generator::Generator(const GeneratorOptions& options)
    : random_{options.seed},
      instruments_{make_instruments(listed_instruments(options.messages, options.symbols), random_)},
      orders_{instruments_, random_},
      scenes_{plan_day(options.messages, static_cast<std::uint32_t>(instruments_.size()))} {}

std::size_t Generator::fill(MutableBytes out) {
  std::size_t used = 0;
  while (scene_ < scenes_.size() && out.size() - used >= kMaxItchRecord) used += write_next(out.subspan(used));
  return used;
}

std::size_t Generator::write_next(MutableBytes out) {
  const Scene& scene = scenes_[scene_];
  if (index_ == scene.count) {
    ++scene_;
    index_ = 0;
    return 0;
  }
  MessageWriter writer{out};
  time_ = next_time(scene);
  write(writer, scene, index_++, time_);
  return writer.finish();
}

/// Spreads the scene's messages over its time: most follow closely, one in sixteen after a pause.
std::uint64_t Generator::next_time(const Scene& scene) {
  const std::uint64_t from = std::max(time_, scene.begin);
  if (from >= scene.end) return from;
  const std::uint64_t average = (scene.end - from) / (scene.count - index_);
  const bool pause = random_.below(16) == 0;
  return from + std::min(random_.below64(pause ? 30 * average + 1 : average / 8 + 1), (scene.end - from) / 2);
}

void Generator::write(MessageWriter& out, const Scene& scene, std::uint64_t index, std::uint64_t time) {
  const auto rank = static_cast<std::uint32_t>(index % instruments_.size());
  switch (scene.kind) {
    case SceneKind::kEvent:
      return write_event(out, time, scene.letter);
    case SceneKind::kListing:
      return write_listing_part(out, index, time);
    case SceneKind::kPositions:
      return write_position(out, time, instruments_[rank], random_);
    case SceneKind::kTrading:
      return orders_.write_any(out, time);
    case SceneKind::kCertain:
      return orders_.write_certain(out, time, scene.letter);
    case SceneKind::kNotice:
      return write_notice(out, scene.letter, time);
    case SceneKind::kHalt:
      return write_trading_action(out, time, orders_.ranked(0), scene.letter, scene.letter == 'T' ? "    " : "LUDP");
    case SceneKind::kOperationalHalt:
      return write_operational_halt(out, time, orders_.ranked(0), scene.letter);
    case SceneKind::kCross:
      return orders_.write_cross(out, time, rank, scene.letter);
    case SceneKind::kImbalance:
      return write_imbalance(out, time, orders_.ranked(rank), scene.letter, random_);
  }
}

void Generator::write_listing_part(MessageWriter& out, std::uint64_t index, std::uint64_t time) {
  const Instrument& instrument = instruments_[index / 3];
  if (index % 3 == 0) return write_listing(out, time, instrument, random_);
  if (index % 3 == 1) return write_trading_action(out, time, instrument, 'T', "    ");
  write_short_sale(out, time, instrument, random_);
}

void Generator::write_notice(MessageWriter& out, char type, std::uint64_t time) {
  switch (type) {
    case 'V':
      return write_decline_levels(out, time);
    case 'W':
      return write_decline_status(out, time, random_);
    case 'K':
      return write_quoting_period(out, time, orders_.any());
    case 'O':
      return write_direct_listing(out, time, orders_.any());
    case 'J':
      return write_auction_collar(out, time, orders_.ranked(0), random_);
    case 'N':
      return write_retail_interest(out, time, orders_.any(), random_);
    default:
      return orders_.write_broken_trade(out, time);
  }
}

}  // namespace tickbridge::exchange
