#include "doctor/line.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "base/bytes.h"

namespace tickbridge::doctor {

using Step = net::TlsStream::Step;

bool Line::await(Step step, SteadyTime deadline) const {
  if (step != Step::kWaitsToRead && step != Step::kWaitsToWrite) return false;
  return socket_.wait(step == Step::kWaitsToWrite, deadline);
}

Result<Line> Line::open(const config::Feed& feed, const std::string& host, Socket socket, SteadyTime deadline) {
  Line line{std::move(socket)};
  if (!feed.net.tls.on) return line;
  auto tls = net::TlsClient::create(feed.name, feed.net.tls);
  if (!tls) return tls.error();
  line.tls_ = std::move(*tls);
  line.stream_ = std::make_unique<net::TlsStream>(*line.tls_, line.socket_.get(), host);
  Step step = line.stream_->shake_hands();
  while (line.await(step, deadline)) step = line.stream_->shake_hands();
  if (step == Step::kDone) return line;
  return error(ExitCode::kUnavailable, step == Step::kFailed
                                           ? line.stream_->problem()
                                           : fmt::format("no answer to TLS's handshake in time; does the "
                                                         "port speak TLS? See feed.{}.tls",
                                                         feed.name));
}

bool Line::send(const std::string& bytes, SteadyTime deadline) {
  if (!stream_) return socket_.send(bytes, deadline);
  std::string_view rest{bytes};
  Step step = stream_->write(rest);
  while (!rest.empty() && await(step, deadline)) step = stream_->write(rest);
  return rest.empty();
}

std::string Line::receive(SteadyTime deadline) {
  if (!stream_) return socket_.receive(deadline);
  std::array<std::byte, 4096> bytes{};
  net::SocketRead read = stream_->read(bytes);
  while (read.size == 0 && read.error == EAGAIN && await(Step::kWaitsToRead, deadline)) read = stream_->read(bytes);
  return std::string{as_text(Bytes{bytes}.first(read.size))};
}

}  // namespace tickbridge::doctor
