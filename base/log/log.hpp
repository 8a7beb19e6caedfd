// The log: one line per event on standard error, with a stable id.
//
//   base::log(Level::Warning, "bmc-unreachable", "no answer within 5s",
//             {{"machine", id.text()}, {"driver", "ipmi"}});
//
// Ids are listed with an operator's note in docs/reference/log.md; a test holds
// the two together. Everything foreign is escaped here: line ends and control
// characters cannot forge lines. Never pass a Secret's bytes. Thread rule: safe
// from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace nimbus::base {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };
enum class LogFormat : std::uint8_t { Text, Json, Logfmt };

struct LogField {
  std::string_view key;
  std::string value;
};

/// Default: Info and above, as text. Under systemd ($JOURNAL_STREAM) text lines
/// carry the priority prefix "<6>".
void configure_log(Level least, LogFormat format);
void log(Level level, std::string_view id, std::string_view message, std::initializer_list<LogField> fields = {});

std::optional<Level> parse_level(std::string_view text) noexcept;
std::optional<LogFormat> parse_log_format(std::string_view text) noexcept;

}  // namespace nimbus::base
