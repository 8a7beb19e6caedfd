// Where a command writes: data to standard output, messages to standard error.
//
// Rules of the house: whatever does not come from this program's own source goes
// through base::printable() before it reaches a terminal (say() and the tables do
// that themselves); colour only where a terminal shows it. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace nimbus::cli {

enum class Style : std::uint8_t { Plain, Bold, Dim, Good, Warning, Bad };
enum class Color : std::uint8_t { Off, On };
enum class Talk : std::uint8_t { Normal, Quiet };

class Console {
 public:
  struct Settings {
    Color color_out = Color::Off;
    Color color_err = Color::Off;
    Talk talk = Talk::Normal;
    std::size_t width = 0;  // columns of the terminal on standard output; 0: no terminal
  };

  Console(std::FILE* out, std::FILE* err, const Settings& settings) : out_(out), err_(err), settings_(settings) {}

  /// Data, as it is: the caller has escaped what needs it.
  void out(std::string_view text);
  /// "nimbusctl: error: …" on standard error, escaped, one line.
  void error(std::string_view message);
  void warning(std::string_view message);
  /// A message about what was done; not with --quiet. Escaped, one line.
  void say(std::string_view message);
  /// As say(), with its own line ends: from this program's own source only.
  void hint(std::string_view text);

  /// `text` in a style, if standard output shows colours.
  std::string paint(Style style, std::string_view text) const;
  std::size_t width() const noexcept { return settings_.width; }

  /// False when something could not be written (disk full, pipe closed).
  bool flush();

 private:
  void message(Style style, std::string_view kind, std::string_view text);

  std::FILE* out_;
  std::FILE* err_;
  Settings settings_;
  bool failed_ = false;
};

/// What the environment and flags say about colour: NO_COLOR (https://no-color.org),
/// TERM=dumb, CLICOLOR_FORCE; `when` is "auto", "always" or "never".
struct ColorRules {
  std::string_view when = "auto";
  std::string_view no_color = {};
  std::string_view force = {};
  std::string_view term = {};
};
Color choose_color(const ColorRules& rules, bool is_terminal);

/// Columns that the text takes on a terminal; it must be printable UTF-8 already.
std::size_t display_width(std::string_view text);
/// Cut to `columns`, the last one an ellipsis.
std::string cut_to_width(std::string_view text, std::size_t columns);

}  // namespace nimbus::cli
