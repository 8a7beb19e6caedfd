#include "base/log/log.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>

#include <fmt/core.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

std::atomic<Level> g_least{Level::Info};
std::atomic<LogFormat> g_format{LogFormat::Text};

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warning:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view name_of(Level level) noexcept {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
  }
  return "error";
}

std::string_view journal_prefix(Level level) noexcept {  // sd-daemon(3)
  switch (level) {
    case Level::Debug:
      return "<7>";
    case Level::Info:
      return "<6>";
    case Level::Warning:
      return "<4>";
    case Level::Error:
      return "<3>";
  }
  return "<3>";
}

/// The line is made by us; the library gives time, sink and locking.
spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("nimbus", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::debug);
    made->set_pattern("%v");
    return made;
  }();
  return *logger;
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds);
}

constexpr std::size_t kLongestValue = 4096;

/// As a JSON string or a logfmt quoted value: both escape " and \ alike.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text, kLongestValue)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string as_json(Level level, std::string_view id, std::string_view message,
                    std::initializer_list<LogField> fields) {
  std::string line = fmt::format(R"({{"ts":"{}","level":"{}","id":{},"msg":{})", timestamp(), name_of(level),
                                 quoted(id), quoted(message));
  for (const auto& field : fields) line += fmt::format(",{}:{}", quoted(field.key), quoted(field.value));
  return line + "}";
}

std::string as_logfmt(Level level, std::string_view id, std::string_view message,
                      std::initializer_list<LogField> fields) {
  std::string line = fmt::format("ts={} level={} id={} msg={}", timestamp(), name_of(level), id, quoted(message));
  for (const auto& field : fields) line += fmt::format(" {}={}", field.key, quoted(field.value));
  return line;
}

std::string as_text(Level level, std::string_view id, std::string_view message,
                    std::initializer_list<LogField> fields) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line =
      journal ? fmt::format("{}[{}] {}", journal_prefix(level), id, printable(message, kLongestValue))
              : fmt::format("{} {:<7} [{}] {}", timestamp(), name_of(level), id, printable(message, kLongestValue));
  for (const auto& field : fields) {
    line += fmt::format(" {}={}", field.key,
                        field.value.find_first_of(" \"=") == std::string::npos && !field.value.empty()
                            ? printable(field.value, kLongestValue)
                            : quoted(field.value));
  }
  return line;
}

}  // namespace

void configure_log(Level least, LogFormat format) {
  g_least = least;
  g_format = format;
}

void log(Level level, std::string_view id, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < g_least.load()) return;
  std::string line;
  switch (g_format.load()) {
    case LogFormat::Text:
      line = as_text(level, id, message, fields);
      break;
    case LogFormat::Json:
      line = as_json(level, id, message, fields);
      break;
    case LogFormat::Logfmt:
      line = as_logfmt(level, id, message, fields);
      break;
  }
  sink().log(to_spdlog(level), "{}", line);
}

std::optional<Level> parse_level(std::string_view text) noexcept {
  for (const auto level : {Level::Debug, Level::Info, Level::Warning, Level::Error}) {
    if (text == name_of(level)) return level;
  }
  return std::nullopt;
}

std::optional<LogFormat> parse_log_format(std::string_view text) noexcept {
  if (text == "text") return LogFormat::Text;
  if (text == "json") return LogFormat::Json;
  if (text == "logfmt") return LogFormat::Logfmt;
  return std::nullopt;
}

}  // namespace nimbus::base
