#include "doctor/sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.h"

namespace tickbridge::doctor {

namespace {

struct Style {
  std::string_view word;
  std::string_view colour;  ///< the terminal's
};

Style style(Level level) {
  switch (level) {
    case Level::kOk:
      return {"ok", "\x1b[32m"};
    case Level::kSkipped:
      return {"skip", "\x1b[36m"};
    case Level::kWarning:
      return {"warn", "\x1b[33m"};
    case Level::kFailure:
      return {"FAIL", "\x1b[1;31m"};
  }
  return {"?", ""};
}

std::string painted(std::string_view text, std::string_view colour, bool wanted) {
  return wanted ? fmt::format("{}{}\x1b[0m", colour, text) : std::string{text};
}

std::size_t count(const std::vector<Section>& sections, Level level) {
  std::size_t sum = 0;
  for (const Section& section : sections) {
    sum += static_cast<std::size_t>(std::ranges::count(section.findings, level, &Finding::level));
  }
  return sum;
}

boost::json::array lines(const Section& section) {
  boost::json::array out;
  for (const Finding& finding : section.findings) {
    boost::json::object line{{"section", section.name},
                             {"level", style(finding.level).word},
                             {"check", valid_utf8(finding.subject)},
                             {"text", valid_utf8(finding.text)}};
    if (finding.level == Level::kFailure) line["code"] = static_cast<int>(finding.code);
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace

std::string to_text(const Section& section, bool colour) {
  std::string out = painted(section.name, "\x1b[1m", colour) + "\n";
  for (const Finding& finding : section.findings) {
    const Style how = style(finding.level);
    out += fmt::format("  {}  {}: {}\n", painted(fmt::format("{:<4}", how.word), how.colour, colour),
                       one_line(finding.subject), one_line(finding.text));
  }
  return out;
}

std::string summary(const std::vector<Section>& sections, bool colour) {
  const std::size_t failures = count(sections, Level::kFailure);
  const Level level = failures != 0                           ? Level::kFailure
                      : count(sections, Level::kWarning) != 0 ? Level::kWarning
                                                              : Level::kOk;
  const std::string counts =
      fmt::format("{} ok, {} warning(s), {} failure(s), {} not checked", count(sections, Level::kOk),
                  count(sections, Level::kWarning), failures, count(sections, Level::kSkipped));
  const int code = static_cast<int>(worst(sections));
  return fmt::format("{}{}\n", painted(counts, style(level).colour, colour),
                     failures == 0 ? "" : fmt::format("; the daemon would end with code {}", code));
}

std::string to_json(const std::vector<Section>& sections, std::string_view version) {
  boost::json::array all;
  for (const Section& section : sections) {
    for (auto& line : lines(section)) all.push_back(std::move(line));
  }
  return boost::json::serialize(boost::json::object{{"version", version},
                                                    {"code", static_cast<int>(worst(sections))},
                                                    {"ok", count(sections, Level::kOk)},
                                                    {"warnings", count(sections, Level::kWarning)},
                                                    {"failures", count(sections, Level::kFailure)},
                                                    {"not_checked", count(sections, Level::kSkipped)},
                                                    {"checks", std::move(all)}}) +
         "\n";
}

ExitCode worst(const std::vector<Section>& sections) {
  constexpr std::array kWorstFirst{ExitCode::kInternal,       ExitCode::kData,   ExitCode::kProtocol,
                                   ExitCode::kUnacknowledged, ExitCode::kConfig, ExitCode::kUsage,
                                   ExitCode::kUnavailable};
  for (const ExitCode code : kWorstFirst) {
    for (const Section& section : sections) {
      if (std::ranges::any_of(section.findings, [code](const Finding& finding) {
            return finding.level == Level::kFailure && finding.code == code;
          })) {
        return code;
      }
    }
  }
  return ExitCode::kOk;
}

}  // namespace tickbridge::doctor
