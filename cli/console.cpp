#include "cli/console.hpp"

#include <cwchar>

#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

std::string_view code_of(Style style) {
  switch (style) {
    case Style::Plain:
      return "";
    case Style::Bold:
      return "\x1b[1m";
    case Style::Dim:
      return "\x1b[2m";
    case Style::Good:
      return "\x1b[32m";
    case Style::Warning:
      return "\x1b[33m";
    case Style::Bad:
      return "\x1b[1;31m";
  }
  return "";
}

std::string painted(Style style, std::string_view text) {
  if (style == Style::Plain || text.empty()) return std::string(text);
  return std::string(code_of(style)) + std::string(text) + "\x1b[0m";
}

/// The first code point and its length in bytes; `text` is valid UTF-8.
struct CodePoint {
  wchar_t value = 0;
  std::size_t bytes = 1;
};
CodePoint first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const unsigned lead = byte(0);
  const std::size_t bytes = lead < 0x80U ? 1 : (lead < 0xE0U ? 2 : (lead < 0xF0U ? 3 : 4));
  if (bytes == 1 || bytes > text.size()) return {static_cast<wchar_t>(lead), 1};
  unsigned value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) value = (value << 6U) | (byte(i) & 0x3FU);
  return {static_cast<wchar_t>(value), bytes};
}

std::size_t columns_of(wchar_t value) {
  const int columns = wcwidth(value);  // needs a UTF-8 locale; without one, unknown characters count as one
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

}  // namespace

void Console::out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_) != text.size()) failed_ = true;
}

void Console::message(Style style, std::string_view kind, std::string_view text) {
  std::fflush(out_);  // so that both streams read in order on one terminal
  std::string line = "nimbusctl: ";
  if (!kind.empty()) line += (settings_.color_err == Color::On ? painted(style, kind) : std::string(kind)) + ": ";
  line += base::printable(text, 4096) + "\n";
  std::fwrite(line.data(), 1, line.size(), err_);
}

void Console::error(std::string_view text) { message(Style::Bad, "error", text); }
void Console::warning(std::string_view text) { message(Style::Warning, "warning", text); }

void Console::say(std::string_view text) {
  if (settings_.talk == Talk::Normal) message(Style::Plain, "", text);
}

void Console::hint(std::string_view text) {
  if (settings_.talk == Talk::Quiet) return;
  std::fflush(out_);
  std::fwrite(text.data(), 1, text.size(), err_);
}

std::string Console::paint(Style style, std::string_view text) const {
  return settings_.color_out == Color::On ? painted(style, text) : std::string(text);
}

bool Console::flush() {
  if (std::fflush(out_) != 0 || std::ferror(out_) != 0) failed_ = true;
  return !failed_;
}

Color choose_color(const ColorRules& rules, bool is_terminal) {
  if (rules.when == "never" || !rules.no_color.empty()) return Color::Off;
  if (rules.when == "always") return Color::On;
  if (!rules.force.empty() && rules.force != "0") return Color::On;
  return is_terminal && rules.term != "dumb" ? Color::On : Color::Off;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint next = first_of(text);
    width += columns_of(next.value);
    text.remove_prefix(next.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string out;
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint next = first_of(text);
    width += columns_of(next.value);
    if (width > columns - 1) break;
    out += text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
  }
  return out + "…";
}

}  // namespace nimbus::cli
