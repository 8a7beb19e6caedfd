// Command lines, parsed by the command table.
//
//   auto result = base::parse(program, argc, argv);
//   if (auto* exit = std::get_if<base::ExitNow>(&result)) return base::finish(*exit);
//   const auto& parsed = std::get<base::Parsed>(result);
//   if (parsed.flag("check")) …
//
// Every program also answers --help, --version (when it has one) and five hidden
// commands: __complete WORD…, __completion SHELL, __man [COMMAND…], __reference and
// __install FOLDER (man pages and completion scripts below a data folder).
// Thread rule: parse reads the environment; call it before starting threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/args/command_table.hpp"

namespace nimbus::base {

/// EX_USAGE of sysexits.h: the command line itself is wrong.
inline constexpr int kExitUsage = 64;

enum class Origin : std::uint8_t { Unset, Fallback, Environment, CommandLine };

/// A command line that obeys the table. Names are those of the table, of flags
/// ("format") and positionals ("DIR") alike; asking for a name that the command
/// does not have is a bug in the program and throws std::logic_error.
class Parsed {
 public:
  /// Names below the program: {"provider", "list"}.
  const std::vector<std::string>& command() const noexcept { return command_; }

  /// Whether a switch was given.
  bool flag(std::string_view name) const { return origin(name) == Origin::CommandLine; }
  /// The value, given or fallback; nothing if there is neither. Of many: the last.
  std::optional<std::string> get(std::string_view name) const;
  /// As get(), with "" for nothing.
  std::string text(std::string_view name) const { return get(name).value_or(std::string()); }
  /// Of a flag whose type is Number.
  std::int64_t number(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  Origin origin(std::string_view name) const;

 private:
  friend class Parser;
  struct Entry {
    Origin origin = Origin::Unset;
    std::vector<std::string> values;
  };
  const Entry& entry(std::string_view name) const;

  std::vector<std::string> command_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The command line asked for something that is answered already (help), or is wrong.
struct ExitNow {
  int code = 0;
  std::string stdout_text = {};
  std::string stderr_text = {};
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;
/// The process's own.
Environment process_environment();

std::variant<Parsed, ExitNow> parse(const CommandTable& program, int argc, const char* const* argv,
                                    const Environment& environment = process_environment());

/// A usage error in the program's usual words, for checks that the table cannot express.
ExitNow usage_error(const CommandTable& program, const std::vector<std::string>& path, std::string_view message);

/// Writes the texts to standard output and standard error; returns the exit code.
int finish(const ExitNow& exit);

/// What --help prints for the command at `path` (empty: the program); examples first.
std::string help_text(const CommandTable& program, const std::vector<std::string>& path);
/// What `help TOPIC` prints.
std::string topic_text(const Topic& topic);

/// Words broken at `width`; every line indented by `indent`.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace nimbus::base
