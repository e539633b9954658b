#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "exchange/deflater.h"
#include "exchange/stream.h"
#include "exchange/venue.h"

namespace tickbridge::exchange {

/// One client. Lives as long as its operations do (hence shared); all on the thread that runs the io_context.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Tcp = boost::asio::ip::tcp;
  /// `on_closed` is called once, at the end. REQUIRES: venue outlives this.
  Connection(Tcp::socket socket, boost::asio::ssl::context* tls, Venue& venue, std::function<void()> on_closed);
  void start();  ///< with TLS's handshake, if there is one

 private:
  void serve();

  // What comes from the client
  void read();
  void take_packets();
  void take_packet(char type, Bytes payload);
  void take_login(Bytes payload);
  void begin_stream(Session& session, std::uint64_t packet);

  // What goes to the client
  void pump();
  [[nodiscard]] bool prepare();
  [[nodiscard]] bool prepare_packets();
  [[nodiscard]] bool prepare_run(std::uint64_t limit);
  [[nodiscard]] bool prepare_cut();
  [[nodiscard]] bool end_session();
  void send(Bytes bytes);
  void write();
  void written(const boost::system::error_code& error, std::size_t size);

  // What goes wrong on purpose
  [[nodiscard]] bool break_due() const noexcept;
  void commit_break();
  void send_garbage();
  void send_bad_length();
  void send_stream_bomb();

  [[nodiscard]] std::chrono::microseconds tick_length() const;
  void tick();
  void on_tick();
  void finish() noexcept;
  void close() noexcept;
  void tell(std::string_view what) const;

  Stream client_;
  boost::asio::steady_timer timer_;
  Venue& venue_;
  const Options& options_;
  std::function<void()> on_closed_;

  std::array<std::byte, 4096> input_{};
  std::size_t input_size_ = 0;
  SteadyTime heard_;      ///< when the client last sent something
  milliseconds silence_;  ///< after which it is given up
  bool asked_ = false;    ///< a login came

  Session* session_ = nullptr;  ///< null: not logged in
  std::uint64_t next_ = 1;      ///< number of the next packet to send
  std::uint64_t first_ = 1;     ///< of the first one sent
  std::uint64_t cut_after_ = kNever;
  std::uint64_t existing_ = 0;  ///< packets that exist, as last seen; kNever: all
  Break* break_ = nullptr;      ///< the next fault
  SteadyTime stalled_until_;
  std::shared_ptr<const Chunk> chunk_;

  std::vector<std::byte> control_;   ///< packets of our own that go next
  std::vector<std::byte> outgoing_;  ///< control packets being written
  std::vector<std::byte> deflated_;  ///< what is being written, where all is one zlib stream
  std::optional<Deflater> stream_;
  Bytes pending_;  ///< still to write; lies in chunk_, outgoing_ or deflated_
  SteadyTime sent_;
  bool ready_ = false;  ///< hands are shaken
  bool writing_ = false;
  bool ending_ = false;    ///< nothing goes after what is prepared
  bool served_ = false;    ///< the client has been sent all
  bool finished_ = false;  ///< our side of the connection is shut
  bool closed_ = false;
};

}  // namespace tickbridge::exchange
