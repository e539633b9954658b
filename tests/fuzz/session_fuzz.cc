// Input: a byte of settings, then what happens to a session: bytes come, time goes on, the connection is cut, reads
// pause. PacketScanner and Session together, as the reader drives them.
#include <spdlog/spdlog.h>

#include <string>

#include "fuzz/bytes.h"
#include "net/scanner.h"
#include "net/session.h"

namespace {

using namespace tickbridge;
using fuzz::must;
using net::Scan;
using net::Verdict;

class Connection {
 public:
  explicit Connection(unsigned settings)
      : codec_{options(settings)},
        scanner_{codec_},
        session_{"fuzz", codec_, net_options(settings), "secret", settings + 1} {
    connect();
  }

  void run(fuzz::Input& input) {
    while (!input.rest().empty() && alive_) {
      const unsigned what = input.byte();
      switch (what % 8) {
        case 0:
          now_ += std::chrono::milliseconds{1 + input.byte() * 100};
          judge(session_.tick(now_));
          break;
        case 1:
          judge(session_.closed(what >= 128, now_));
          break;
        case 2:
          session_.pause();
          break;
        case 3:
          session_.resume(now_);
          break;
        case 4:
          session_.request_logout();
          break;
        default:
          receive(input.take(input.byte()));
      }
      check_output();
    }
  }

 private:
  static codec::Options options(unsigned settings) {
    codec::Options options;
    options.soup_version = static_cast<codec::SoupVersion>(settings % 3);
    if ((settings & 4U) != 0) options.transport = codec::Transport::kFrames;
    return options;
  }
  static net::Options net_options(unsigned settings) {
    net::Options options;
    options.hosts = {{"a", 1}, {"b", 2}};
    if ((settings & 8U) != 0) options.session = "S1";
    options.start = (settings & 16U) != 0 ? "now" : "beginning";
    return options;
  }

  void connect() {
    unpublished_.clear();
    scanner_.connected();
    session_.connected(now_, turn_++ % 2);
    connected_ = true;
    check_output();
  }
  void receive(Bytes bytes) {
    if (!connected_) return;
    session_.received(now_);
    unpublished_ += as_text(bytes);
    for (;;) {
      const Scan scan = scanner_.scan(as_bytes(unpublished_));
      must(scan.whole <= unpublished_.size(), "no more than there is");
      must(scan.stop != Scan::Stop::kMore || unpublished_.size() - scan.whole < scanner_.max_packet_bytes(),
           "what is left is less than a packet");
      must((scan.stop == Scan::Stop::kBroken) == (scan.problem != nullptr), "broken says why");
      unpublished_.erase(0, scan.whole);
      judge(session_.scanned(scan, now_));
      if (!connected_ || scan.stop == Scan::Stop::kMore) return;
    }
  }
  /// Does what the session says, as the reader would.
  void judge(Verdict verdict) {
    if (verdict == Verdict::kFailed) {
      must(!session_.problem().message.empty(), "a failure says why");
      alive_ = false;
    }
    if (verdict == Verdict::kGoOn) return;
    if (connected_) static_cast<void>(session_.closed(false, now_));
    connected_ = false;
    const auto delay = session_.delay();
    must(delay >= std::chrono::milliseconds{0} && delay <= std::chrono::seconds{10}, "a delay within its limits");
    now_ += delay;
    if (alive_) connect();
  }
  /// Only whole client packets ever go out.
  void check_output() {
    const std::string output = session_.take_output();
    const codec::PacketCutter cutter{codec::Options{}};
    std::string_view rest = output;
    while (!rest.empty()) {
      const codec::Packet packet = cutter.cut(as_bytes(rest));
      must(packet.status == codec::Packet::Status::kWhole, "whole packets go out");
      must(packet.type == 'L' || packet.type == 'R' || packet.type == 'O', "of a client's types");
      rest.remove_prefix(packet.size);
    }
  }

  codec::Options codec_;
  net::PacketScanner scanner_;
  net::Session session_;
  SteadyTime now_{std::chrono::hours{1}};
  std::size_t turn_ = 0;
  std::string unpublished_;
  bool connected_ = false;
  bool alive_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  fuzz::Input input{data, size};
  Connection connection{input.byte()};
  connection.run(input);
  return 0;
}
