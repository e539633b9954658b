#include "exchange/arguments.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "exchange/packets.h"

namespace tickbridge::exchange {
namespace {

template <typename E>
CLI::Option* add_choice(CLI::App& app, const std::string& name, E& value, const std::map<std::string, E>& words,
                        const std::string& help) {
  std::string choices;
  for (const auto& [word, unused] : words) choices += (choices.empty() ? "" : " | ") + word;
  return app
      .add_option_function<std::string>(
          name, [&value, words](const std::string& word) { value = words.at(word); }, help + ": " + choices)
      ->check(CLI::Validator(
          [words, choices](std::string& word) { return words.contains(word) ? std::string{} : "must be " + choices; },
          "", ""));
}

std::optional<std::string> from_hex(const std::string& text) {
  std::string bytes;
  const std::size_t start = text.starts_with("0x") ? 2 : 0;
  if ((text.size() - start) % 2 != 0) return std::nullopt;
  for (std::size_t i = start; i < text.size(); i += 2) {
    if (std::isxdigit(static_cast<unsigned char>(text[i])) == 0 ||
        std::isxdigit(static_cast<unsigned char>(text[i + 1])) == 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void add_messages(CLI::App& app, Options& options) {
  auto* source = app.add_option_group("messages");
  source->add_option("--file", options.file, "serve this BinaryFILE (.itch or .itch.gz)")->check(CLI::ExistingFile);
  source->add_option("--generate", options.generate.messages, "serve a generated session of so many messages")
      ->check(CLI::PositiveNumber);
  source->require_option(1);
  app.add_option("--seed", options.generate.seed, "of the generator, packet sizes and faults")->capture_default_str();
  app.add_option("--symbols", options.generate.symbols, "instruments to generate; fewer in a small session")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("--loop", options.loop, "the messages so many times over, in one session")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--sessions", options.sessions, "so many sessions one after the other, each from sequence 1")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--save", options.save, "write the (valid) messages to this file");
  app.add_flag("!--no-serve", options.serve, "do not serve: for --save alone");
}

void add_wire(CLI::App& app, WireOptions& wire) {
  add_choice(app, "--transport", wire.transport,
             std::map<std::string, Transport>{{"soupbintcp", Transport::kSoupBinTcp}, {"frames", Transport::kFrames}},
             "how packets are cut out of the stream");
  add_choice(app, "--soup-version", wire.soup_version,
             std::map<std::string, SoupVersion>{
                 {"3.00", SoupVersion::k300}, {"4.00", SoupVersion::k400}, {"4.1", SoupVersion::k410}},
             "of SoupBinTCP");
  add_choice(app, "--compression", wire.compression,
             std::map<std::string, Compression>{{"none", Compression::kNone},
                                                {"zlib", Compression::kZlib},
                                                {"zlib-auto", Compression::kZlibAuto},
                                                {"zlib-stream", Compression::kZlibStream}},
             "none, each payload, about every other payload, all that is sent");
  add_choice(app, "--compression-starts", wire.compression_starts,
             std::map<std::string, CompressionStart>{{"first-byte", CompressionStart::kFirstByte},
                                                     {"after-login", CompressionStart::kAfterLogin}},
             "zlib-stream over soupbintcp");
  add_choice(app, "--payload", wire.payload,
             std::map<std::string, PayloadFormat>{{"message", PayloadFormat::kMessage},
                                                  {"block", PayloadFormat::kBlock},
                                                  {"moldudp64", PayloadFormat::kMoldUdp64}},
             "what a packet holds");
  app.add_option("--packet-messages", wire.packet_messages, "in a block or moldudp64 packet (1 to 20, by the seed)")
      ->check(CLI::Range(1, 65534));
  app.add_option("--session", wire.session, "name of the (first) session, 1 to 10 characters")->capture_default_str();
}

void add_frames(CLI::App& app, FramesOptions& frames) {
  app.add_option("--frames-length-offset", frames.length_offset, "bytes before the length")->check(CLI::Range(0, 255));
  app.add_option("--frames-length-bytes", frames.length_bytes, "1, 2 or 4")->check(CLI::IsMember({1, 2, 4}));
  add_choice(app, "--frames-byte-order", frames.byte_order,
             std::map<std::string, ByteOrder>{{"big", ByteOrder::kBig}, {"little", ByteOrder::kLittle}},
             "of the length");
  add_choice(app, "--frames-length-counts", frames.length_counts,
             std::map<std::string, LengthCounts>{{"rest", LengthCounts::kRest}, {"packet", LengthCounts::kPacket}},
             "what follows the length, or the whole packet");
  app.add_option("--frames-length-adjust", frames.length_adjust, "what the reader adds to the length")
      ->check(CLI::Range(-65536, 65536));
  app.add_option("--frames-header-bytes", frames.header_bytes, "bytes before the payload")->check(CLI::Range(1, 256));
  app.add_option_function<std::string>(
      "--frames-magic",
      [&frames](const std::string& text) {
        const auto bytes = from_hex(text);
        if (!bytes) throw CLI::ValidationError("--frames-magic", "must be hex digits, two a byte");
        frames.magic = *bytes;
      },
      "fixed bytes of the header, in hex");
  app.add_option("--frames-magic-offset", frames.magic_offset, "where they stand")->check(CLI::Range(0, 255));
  app.add_option("--frames-max-packet-bytes", frames.max_packet_bytes, "no packet is longer")
      ->check(CLI::Range(1, 1 << 30));
}

void add_serving(CLI::App& app, Options& options) {
  app.add_option("--host", options.host, "address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "port to listen on; 0 takes a free one")->capture_default_str();
  auto* rate = app.add_option("--rate", options.rate, "messages a second (as fast as the client reads)")
                   ->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--pace", options.pace, "times the file's own time")->check(CLI::PositiveNumber)->excludes(rate);
  app.add_option("--username", options.username, "that a login must have");
  app.add_option("--password", options.password, "that a login must have");
  auto* certificate =
      app.add_option("--tls-certificate", options.tls.certificate_file, "serve over TLS, with this (PEM)")
          ->check(CLI::ExistingFile);
  auto* key = app.add_option("--tls-key", options.tls.key_file, "its key (PEM)")->check(CLI::ExistingFile);
  key->needs(certificate);
  certificate->needs(key);
  app.add_option("--tls-client-ca", options.tls.client_ca_file,
                 "clients must have a certificate of this authority (PEM)")
      ->check(CLI::ExistingFile)
      ->needs(certificate);
  app.add_flag("--exit-when-served,--once", options.exit_when_served,
               "exit when a client got all (of the last session) and closed");
  app.add_flag("--encode-first", options.encode_first,
               "encode before listening, so that serving costs only the sending");
  app.add_option_function<std::vector<std::string>>(
         "--fault",
         [&options](const std::vector<std::string>& faults) {
           for (const std::string& fault : faults) {
             if (const auto wrong = add_fault(options.faults, fault)) throw CLI::ValidationError(*wrong);
           }
         },
         "KIND[:ARG][@SEQ], repeatable; " + fault_help())
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::string check_frames(const WireOptions& wire) {
  const FramesOptions& frames = wire.frames;
  if (frames.length_offset + frames.length_bytes > frames.header_bytes)
    return "the length does not fit into --frames-header-bytes";
  if (frames.magic_offset + frames.magic.size() > frames.header_bytes)
    return "the magic does not fit into --frames-header-bytes";
  const bool apart = frames.magic_offset + frames.magic.size() <= frames.length_offset ||
                     frames.length_offset + frames.length_bytes <= frames.magic_offset;
  if (!frames.magic.empty() && !apart) return "the magic lies over the length";
  return {};
}

std::string check_faults(const Options& options) {
  const Faults& faults = options.faults;
  const bool frames = options.wire.transport == Transport::kFrames;
  const bool login = faults.silent_logins + faults.rejections + faults.other_sessions > 0 || faults.repeat > 0;
  if (frames && (login || faults.unsequenced_every > 0 || faults.debug_every > 0))
    return "this --fault needs --transport soupbintcp";
  const bool zlib = options.wire.compression != Compression::kNone;
  if (!zlib && faults.truncated_zlib + faults.bomb > 0) return "this --fault needs --compression";
  if (faults.bomb > 0 && faults.bomb == faults.truncated_zlib) return "two --fault cannot have the same SEQ";
  return {};
}

std::string check_options(const Options& options) {
  if (options.wire.session.empty() || options.wire.session.size() > 10) return "--session must have 1 to 10 characters";
  if (!options.serve && options.save.empty()) return "--no-serve needs --save";
  if (options.wire.transport == Transport::kFrames) {
    if (const std::string wrong = check_frames(options.wire); !wrong.empty()) return wrong;
    if (max_payload(options.wire) < 1) return "the frame's length cannot say any payload's";
  }
  return check_faults(options);
}

/// Where all is one zlib stream, a packet of it cannot be bad alone: the stream goes bad, once.
void move_to_stream(Options& options) {
  if (options.wire.compression != Compression::kZlibStream) return;
  Faults& faults = options.faults;
  const std::uint64_t truncated = std::exchange(faults.truncated_zlib, 0);
  const std::uint64_t bomb = std::exchange(faults.bomb, 0);
  if (truncated > 0) faults.breaks.push_back({.kind = BreakKind::kTruncateStream, .after = truncated});
  if (bomb > 0) faults.breaks.push_back({.kind = BreakKind::kBombStream, .after = bomb});
}

}  // namespace

Arguments parse_arguments(int count, const char* const* words) {
  Arguments arguments;
  Options& options = arguments.options;
  CLI::App app{"Serves a trading session as an exchange's TCP feed, to several clients, from any sequence number.",
               "tickbridge-exchange"};
  add_messages(app, options);
  add_wire(app, options.wire);
  add_frames(app, options.wire.frames);
  add_serving(app, options);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const int code = app.exit(error, out, out);
    arguments.text = out.str();
    arguments.exit_code = code == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
    return arguments;
  }
  options.wire.seed = options.generate.seed;
  move_to_stream(options);
  const std::string wrong = check_options(options);
  arguments.run = wrong.empty();
  arguments.exit_code = arguments.run ? 0 : static_cast<int>(ExitCode::kUsage);
  arguments.text = wrong + (wrong.empty() ? "" : "\n");
  return arguments;
}

}  // namespace tickbridge::exchange
