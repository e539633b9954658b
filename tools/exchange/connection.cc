#include "exchange/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <iostream>
#include <utility>

namespace tickbridge::exchange {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds kHeartbeat = 1s;
constexpr milliseconds kSilence = 15s;
constexpr milliseconds kFarewell = 5s;  ///< how long we wait for the client to close after us
constexpr milliseconds kTick = 50ms;
constexpr std::chrono::microseconds kShortestTick = 100us;  // with a pace: no more than 10,000 sends a second
constexpr std::chrono::microseconds kPacedTick = 500us;
constexpr std::size_t kStreamPiece = 64U << 10U;  ///< deflated at once, so that a big chunk does not hold up others

}  // namespace

Connection::Connection(Tcp::socket socket, boost::asio::ssl::context* tls, Venue& venue,
                       std::function<void()> on_closed)
    : client_{std::move(socket), tls},
      timer_{client_.socket().get_executor()},
      venue_{venue},
      options_{venue.options()},
      on_closed_{std::move(on_closed)},
      heard_{SteadyClock::now()},
      silence_{kSilence},
      sent_{heard_} {}

void Connection::start() {
  boost::system::error_code ignored;
  client_.socket().set_option(Tcp::no_delay(true), ignored);
  tick();
  client_.shake_hands([self = shared_from_this()](const boost::system::error_code& error) {
    if (self->closed_) return;
    if (!error) return self->serve();
    self->tell("failed in the TLS handshake: " + error.message());
    self->close();
  });
}

void Connection::serve() {
  ready_ = true;
  const bool stream = options_.wire.compression == Compression::kZlibStream;
  const bool frames = options_.wire.transport == Transport::kFrames;
  if (stream && (frames || options_.wire.compression_starts == CompressionStart::kFirstByte)) stream_.emplace();
  if (frames) {
    Session& session = venue_.current();
    session.pacer.start(SteadyClock::now());
    begin_stream(session, session.hole_end);
  }
  read();
  pump();
}

void Connection::read() {
  const auto room = boost::asio::buffer(input_.data() + input_size_, input_.size() - input_size_);
  client_.read_some(room, [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
    if (self->closed_) return;
    if (error) return self->close();
    self->heard_ = SteadyClock::now();
    self->input_size_ += size;
    self->take_packets();
    if (!self->closed_) self->read();
  });
}

void Connection::take_packets() {
  if (session_ != nullptr && options_.wire.transport == Transport::kFrames) {
    input_size_ = 0;  // a frames client has nothing to say
    return;
  }
  Bytes rest{input_.data(), input_size_};
  while (rest.size() >= 3) {
    const std::size_t length = load_be<std::uint16_t>(rest, 0);
    if (length == 0 || length + 2 > input_.size()) {
      tell("sent a packet of an impossible length");
      return close();
    }
    if (rest.size() < length + 2) break;
    take_packet(static_cast<char>(rest[2]), rest.subspan(3, length - 1));
    if (closed_) return;
    rest = rest.subspan(length + 2);
  }
  std::ranges::copy(rest, input_.begin());
  input_size_ = rest.size();
  pump();
}

void Connection::take_packet(char type, Bytes payload) {
  switch (type) {
    case 'L':
      return take_login(payload);
    case 'O':
      tell("logged out");
      return close();
    case 'R':
    case 'U':
    case '+':
      return;
    default:
      tell("sent a packet of an unknown type");
      return close();
  }
}

void Connection::take_login(Bytes payload) {
  if (std::exchange(asked_, true)) return tell("sent a second login");
  const auto request = parse_login(options_.wire.soup_version, payload);
  if (!request) {
    tell("sent a login that this SoupBinTCP version does not know");
    append_rejected('A', control_);
    ending_ = true;
    return;
  }
  if (request->timeout_ms > 0) silence_ = milliseconds{request->timeout_ms};
  const LoginAnswer answer = venue_.login(*request, SteadyClock::now());
  const std::string asked =
      "asked for session \"" + request->session + "\" sequence " + std::to_string(request->sequence);
  if (answer.kind == LoginAnswer::Kind::kSilence) return tell(asked + ": not answered");
  if (options_.faults.debug_every > 0) append_soup('+', as_bytes("welcome"), control_);
  if (answer.kind == LoginAnswer::Kind::kRejected) {
    tell(asked + ": rejected " + answer.reason);
    append_rejected(answer.reason, control_);
    ending_ = true;
    return;
  }
  tell(asked + ": session " + answer.session_name + " from " + std::to_string(answer.sequence));
  append_accepted(answer.session_name, answer.sequence, control_);
  begin_stream(*answer.session, answer.sequence);
}

void Connection::begin_stream(Session& session, std::uint64_t packet) {
  session_ = &session;
  next_ = first_ = packet;
  cut_after_ = venue_.draw_cut();
  break_ = venue_.next_break(next_ - 1);
  existing_ = session.existing(SteadyClock::now());
}

void Connection::pump() {
  if (!ready_ || writing_ || closed_ || finished_) return;
  while (pending_.empty()) {
    if (!prepare()) return;
  }
  write();
}

/// Puts what goes next into pending_. false: nothing to do for now. May be true with nothing in pending_: call again.
bool Connection::prepare() {
  if (!control_.empty()) {
    outgoing_ = std::exchange(control_, {});
    send(outgoing_);
    const bool answered = session_ != nullptr && !stream_;
    if (answered && options_.wire.compression == Compression::kZlibStream) stream_.emplace();
    return true;
  }
  if (ending_) {
    finish();
    return false;
  }
  if (session_ == nullptr || SteadyClock::now() < stalled_until_) return false;
  return prepare_packets();
}

bool Connection::prepare_packets() {
  if (break_due()) {
    commit_break();
    return true;
  }
  if (next_ > existing_) return false;
  if (next_ - first_ >= cut_after_) return prepare_cut();
  std::uint64_t limit = std::min(existing_, cut_after_ == kNever ? kNever : first_ + cut_after_ - 1);
  if (break_ != nullptr) limit = std::min(limit, break_->after);
  return prepare_run(limit);
}

bool Connection::prepare_run(std::uint64_t limit) {
  if (!chunk_ || next_ < chunk_->first || next_ > chunk_->last()) chunk_ = session_->image.find(next_);
  if (!chunk_) return end_session();
  const std::size_t begin = chunk_->begin_of(next_);
  std::uint64_t last = std::min(limit, chunk_->last());
  if (stream_) {  // a smaller run
    const auto ends = std::ranges::upper_bound(chunk_->ends, begin + kStreamPiece);
    const auto packets = static_cast<std::uint64_t>(ends - chunk_->ends.begin());
    last = std::min(last, std::max(next_, chunk_->first + packets - 1));
  }
  send(Bytes{chunk_->bytes}.subspan(begin, chunk_->begin_of(last + 1) - begin));
  next_ = last + 1;
  return true;
}

/// The first bytes of the next packet, and then the end.
bool Connection::prepare_cut() {
  chunk_ = session_->image.find(next_);
  if (!chunk_) return end_session();
  const std::size_t begin = chunk_->begin_of(next_);
  const auto size = static_cast<std::uint32_t>(chunk_->begin_of(next_ + 1) - begin);
  send(Bytes{chunk_->bytes}.subspan(begin, venue_.random().below(size)));
  tell("cut inside packet " + std::to_string(next_));
  ending_ = true;
  return true;
}

bool Connection::end_session() {
  if (options_.wire.transport == Transport::kSoupBinTcp) append_soup('Z', {}, control_);
  tell("has been sent session " + session_->name + " to its end");
  served_ = ending_ = true;
  venue_.served(*session_);
  return true;
}

void Connection::send(Bytes bytes) {
  pending_ = bytes;
  if (!stream_ || bytes.empty()) return;
  deflated_.clear();
  stream_->piece(bytes, deflated_);
  pending_ = deflated_;
}

void Connection::write() {
  std::size_t size = pending_.size();
  if (options_.faults.slice_bytes > 0) {
    size = std::min<std::size_t>(size, 1 + venue_.random().below(options_.faults.slice_bytes));
  }
  writing_ = true;
  client_.write_some(boost::asio::buffer(pending_.data(), size),
                     [self = shared_from_this()](const boost::system::error_code& error, std::size_t written) {
                       self->written(error, written);
                     });
}

void Connection::written(const boost::system::error_code& error, std::size_t size) {
  writing_ = false;
  if (closed_) return;
  if (error) return close();
  sent_ = SteadyClock::now();
  pending_ = pending_.subspan(size);
  pump();
}

bool Connection::break_due() const noexcept { return break_ != nullptr && !break_->done && break_->after == next_ - 1; }

void Connection::commit_break() {
  Break& fault = *break_;
  fault.done = fault.kind != BreakKind::kSkip;  // a hole stays: whoever comes to it is sent away
  break_ = venue_.next_break(next_ - 1);
  switch (fault.kind) {
    case BreakKind::kStall:
      stalled_until_ = SteadyClock::now() + milliseconds{fault.amount};
      break;
    case BreakKind::kGarbage:
      send_garbage();
      break;
    case BreakKind::kBadLength:
      send_bad_length();
      break;
    case BreakKind::kTruncateStream:
      pending_ = outgoing_ = std::vector<std::byte>(64, std::byte{0xFF});
      break;
    case BreakKind::kBombStream:
      send_stream_bomb();
      break;
    case BreakKind::kRepeat:
      venue_.arrange_repeat(fault.amount);
      ending_ = true;
      break;
    case BreakKind::kSkip:
      session_->hole_begin = next_;
      session_->hole_end = next_ + fault.amount;
      ending_ = true;
      break;
  }
  tell("met a fault after packet " + std::to_string(fault.after));
}

/// Random bytes in the place of a packet. What should be its type is none that exists.
void Connection::send_garbage() {
  Random& random = venue_.random();
  control_.resize(64 + random.below(448));
  for (std::byte& byte : control_) byte = static_cast<std::byte>(random.below(256));
  control_[2] = static_cast<std::byte>(0x80U | random.below(128));
  ++next_;
}

void Connection::send_bad_length() {
  if (options_.wire.transport == Transport::kSoupBinTcp) return control_.resize(2);
  const FramesOptions& frames = options_.wire.frames;
  control_.resize(frames.header_bytes);
  std::ranges::copy(as_bytes(frames.magic), control_.begin() + frames.magic_offset);
}

/// 32 MiB of zeros in debug packets (frames: bare), as a part of the one zlib stream.
void Connection::send_stream_bomb() {
  constexpr int kPackets = 512;
  stream_->set_level(9);
  const std::vector<std::byte> zeros(0xFFFE - 1);
  for (int i = 0; i < kPackets; ++i) append_soup('+', zeros, control_);
}

std::chrono::microseconds Connection::tick_length() const {
  if (session_ == nullptr || session_->pacer.unlimited() || existing_ == kNever) return kTick;
  if (options_.rate == 0) return kPacedTick;
  return std::clamp<std::chrono::microseconds>(1'000'000us / options_.rate, kShortestTick, kTick);
}

void Connection::tick() {
  timer_.expires_after(tick_length());
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->closed_) self->on_tick();
  });
}

void Connection::on_tick() {
  const SteadyTime now = SteadyClock::now();
  const bool soup = options_.wire.transport == Transport::kSoupBinTcp;
  if (finished_ && now - sent_ > kFarewell) return close();
  if (soup && now - heard_ > silence_) {
    tell("was silent for too long");
    return close();
  }
  if (session_ != nullptr) existing_ = session_->existing(now);
  pump();
  const bool idle = !writing_ && pending_.empty() && control_.empty() && !ending_ && now >= stalled_until_;
  if (soup && idle && session_ != nullptr && now - sent_ >= kHeartbeat) append_soup('H', {}, control_);
  pump();
  if (!closed_) tick();
}

/// Shuts our side and waits for the client's, so that nothing that was sent is lost on the way.
void Connection::finish() noexcept {
  finished_ = true;
  client_.finish(shared_from_this());
}

void Connection::close() noexcept {
  if (std::exchange(closed_, true)) return;
  boost::system::error_code ignored;
  client_.socket().close(ignored);
  timer_.cancel();
  on_closed_();
}

void Connection::tell(std::string_view what) const {
  boost::system::error_code ignored;
  std::cerr << "client " << client_.socket().remote_endpoint(ignored).port() << ' ' << what << std::endl;
}

}  // namespace tickbridge::exchange
