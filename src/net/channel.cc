#include "net/channel.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "base/log.h"

namespace tickbridge::net {

namespace asio = boost::asio;
using Code = boost::system::error_code;
using Step = TlsStream::Step;

Channel::Channel(asio::io_context& io, std::unique_ptr<TlsClient> tls) : io_{io}, tls_{std::move(tls)}, socket_{io} {}

Channel::tcp::socket& Channel::renew() {
  close();
  socket_ = tcp::socket{io_};
  return socket_;
}

void Channel::close() {
  ++generation_;
  has_more_ = false;
  if (stream_ && socket_.is_open()) stream_->say_goodbye();
  stream_.reset();
  Code ignored;
  socket_.close(ignored);
}

void Channel::shake_hands(const std::string& host, Done done) {
  if (!tls_) return done("");
  stream_ = std::make_unique<TlsStream>(*tls_, socket_.native_handle(), host);
  continue_handshake(std::move(done));
}

void Channel::continue_handshake(Done done) {
  const Step step = stream_->shake_hands();
  if (step == Step::kDone) {
    log_event(Event::kTlsEstablished, of_feed(tls_->feed()), "{}", stream_->description());
    return done("");
  }
  go_on(step, std::move(done), &Channel::continue_handshake);
}

void Channel::go_on(Step step, Done done, void (Channel::*with)(Done)) {
  if (step == Step::kFailed) return done(std::string{stream_->problem()});  // a copy: it may close us
  const auto what = step == Step::kWaitsToWrite ? tcp::socket::wait_write : tcp::socket::wait_read;
  socket_.async_wait(what, [this, done = std::move(done), with, generation = generation_](Code code) mutable {
    if (generation != generation_) return done(std::string{kClosed});
    if (code) return done(code.message());
    (this->*with)(std::move(done));
  });
}

std::string Channel::describe(const SocketRead& read) const {
  return stream_ ? stream_->problem() : std::strerror(read.error);
}

void Channel::send(std::string_view bytes, Done done) {
  if (!stream_) {
    asio::async_write(socket_, asio::buffer(bytes), [done = std::move(done)](Code code, std::size_t) {
      done(code ? code.message() : std::string{});
    });
    return;
  }
  rest_ = bytes;
  continue_sending(std::move(done));
}

void Channel::continue_sending(Done done) {
  const Step step = stream_->write(rest_);
  if (step == Step::kDone) return done("");
  go_on(step, std::move(done), &Channel::continue_sending);
}

void Channel::send_now(std::string_view bytes) {
  if (!socket_.is_open()) return;
  if (stream_) {
    (void)stream_->write(bytes);
    return;
  }
  Code ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(asio::buffer(bytes), ignored);
}

}  // namespace tickbridge::net
