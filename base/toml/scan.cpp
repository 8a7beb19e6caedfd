#include "base/toml/scan.hpp"

#include <fmt/core.h>

namespace nimbus::base::toml {
namespace {

/// Walks tokens without judging them. Where the text is invalid, the parser stops
/// at or before the point where this walk could go astray.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<SyntaxError> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      switch (c) {
        case '"':
        case '\'':
          skip_string(c);
          continue;
        case '#':
          skip_comment();
          continue;
        case '.':
          if (++dots_ > kMaxDotsInKey) return error();
          break;
        case '\n':
        case '=':
        case ',':
        case '[':
        case ']':
        case '{':
        case '}':
          dots_ = 0;
          break;
        default:
          break;
      }
      step();
    }
    return std::nullopt;
  }

 private:
  void step() {
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  bool triple_at(std::size_t at, char quote) const {
    return at + 2 < text_.size() && text_[at] == quote && text_[at + 1] == quote && text_[at + 2] == quote;
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  void skip_string(char quote) {
    const bool escapes = quote == '"';
    if (triple_at(at_, quote)) {
      at_ += 3;
      while (at_ < text_.size() && !triple_at(at_, quote)) {
        if (escapes && text_[at_] == '\\' && at_ + 1 < text_.size()) step();
        step();
      }
      // Up to two more quotes belong to the string: """a""""" ends in two.
      for (int i = 0; i < 5 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
      return;
    }
    ++at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (escapes && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      ++at_;
    }
    if (at_ < text_.size() && text_[at_] == quote) ++at_;
  }

  SyntaxError error() const {
    // Columns in bytes are columns in code points here unless the key is quoted;
    // close enough for a key that nobody writes in earnest.
    return {SyntaxError::Cause::TooDeep,
            {static_cast<std::uint32_t>(line_), static_cast<std::uint32_t>(at_ - line_start_ + 1),
             static_cast<std::uint32_t>(at_)},
            fmt::format("a key has more than {} dots", kMaxDotsInKey)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t dots_ = 0;
};

}  // namespace

std::optional<SyntaxError> find_overlong_key(std::string_view text) { return Scanner(text).run(); }

}  // namespace nimbus::base::toml
