#pragma once

namespace tickbridge::doctor {

/// `tickbridge doctor [--login] [--json] [the daemon's flags]`: `argv` begins with the program's name and goes on
/// behind the word "doctor". Prints what it finds and returns the exit code: 0, or what the daemon would end with.
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace tickbridge::doctor
