// tickbridge-exchange: an exchange to try the daemon against (docs/tools/exchange.md).
#include <boost/asio/io_context.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "base/exit_code.h"
#include "exchange/arguments.h"
#include "exchange/message_file.h"
#include "exchange/server.h"
#include "exchange/venue.h"

namespace tickbridge::exchange {
namespace {

/// Opens or generates the messages, and saves them if asked to.
MessageFile prepare(Options& options) {
  const bool looped = options.loop > 1;
  if (options.file.empty()) {
    MessageFile file = MessageFile::generate(options.generate, looped ? std::string{} : options.save);
    if (looped && !options.save.empty()) file.save(options.save, options.loop);
    return file;
  }
  std::string warning;
  MessageFile file = MessageFile::open(options.file, warning);
  if (!warning.empty()) std::cerr << "warning: " << options.file << ": " << warning << std::endl;
  if (!options.save.empty()) file.save(options.save, options.loop);
  return file;
}

void serve(const MessageFile& file, Options& options) {
  boost::asio::io_context io{1};
  Venue venue{file.records(), options};
  if (options.encode_first) venue.current().image.encode_ahead();
  Server server{io, venue};
  server.stop_on_signals();
  std::cout << "listening on " << options.host << ':' << server.port() << std::endl;
  io.run();
}

int run(int count, const char* const* words) {
  Arguments arguments = parse_arguments(count, words);
  if (!arguments.run) {
    (arguments.exit_code == 0 ? std::cout : std::cerr) << arguments.text;
    return arguments.exit_code;
  }
  const MessageFile file = prepare(arguments.options);
  if (arguments.options.serve) serve(file, arguments.options);
  return 0;
}

}  // namespace
}  // namespace tickbridge::exchange

int main(int count, char** words) {
  try {
    return tickbridge::exchange::run(count, words);
  } catch (const std::exception& error) {
    std::cerr << "tickbridge-exchange: " << error.what() << std::endl;
    return static_cast<int>(tickbridge::ExitCode::kInternal);
  }
}
