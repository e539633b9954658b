#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/arrival.h"
#include "net/tls_client.h"
#include "net/tls_stream.h"

namespace tickbridge::net {

/// A connection's bytes, as they are or through TLS. Main thread only.
///
/// Handlers are called even if the channel was closed meanwhile: their owner knows which connection they were for.
class Channel {
 public:
  using tcp = boost::asio::ip::tcp;
  using Done = std::function<void(const std::string& problem)>;  ///< "": it is done
  static constexpr std::string_view kClosed = "closed";          ///< the problem where close() came first

  /// Without `tls`: as they are.
  Channel(boost::asio::io_context& io, std::unique_ptr<TlsClient> tls);

  /// A new socket, to be connected. Handlers of the one before have nothing to do with it.
  [[nodiscard]] tcp::socket& renew();
  [[nodiscard]] tcp::socket& socket() noexcept { return socket_; }
  /// Once connected: TLS's handshake, if there is one. close() ends it.
  void shake_hands(const std::string& host, Done done);

  /// Until there may be something to read().
  template <class Handler>
  void wait(Handler&& handler) {
    socket_.async_wait(tcp::socket::wait_read, std::forward<Handler>(handler));
  }
  /// What is there, at once.
  [[nodiscard]] SocketRead read(MutableBytes into) {
    if (!stream_) return read_stamped(socket_.native_handle(), into);
    const SocketRead read = stream_->read(into);
    has_more_ = read.error == 0 && !read.emptied;
    return read;
  }
  /// There may be more although nothing comes: do not wait() for it.
  [[nodiscard]] bool has_more() const noexcept { return has_more_; }
  /// What the error of a read() means.
  [[nodiscard]] std::string describe(const SocketRead& read) const;

  /// Writes all of it. One at a time; `bytes` stay where they are until done.
  void send(std::string_view bytes, Done done);
  /// Writes what goes at once, and no more.
  void send_now(std::string_view bytes);
  void close();

 private:
  /// Continues what TLS waited for: `step` says for what.
  void go_on(TlsStream::Step step, Done done, void (Channel::*with)(Done));
  void continue_handshake(Done done);
  void continue_sending(Done done);

  boost::asio::io_context& io_;
  std::unique_ptr<TlsClient> tls_;
  tcp::socket socket_;
  std::unique_ptr<TlsStream> stream_;
  std::uint64_t generation_ = 0;  // of sockets and their ends
  std::string_view rest_;         // still to be sent
  bool has_more_ = false;
};

}  // namespace tickbridge::net
