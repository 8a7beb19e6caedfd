#include "cli/toml_layout.hpp"

#include <optional>
#include <vector>

#include <fmt/core.h>

#include "base/toml/tokens.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::cli {
namespace {

using base::toml::Token;
using base::toml::TokenKind;
using base::toml::tokens_of;

std::string_view without_trailing_blanks(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

/// Writes one statement after the other.
class Printer {
 public:
  explicit Printer(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  std::string run() {
    while (at_ < tokens_.size()) statement();
    while (out_.ends_with("\n\n")) out_.pop_back();
    return std::move(out_);
  }

 private:
  bool at_end() const { return at_ == tokens_.size(); }
  const Token& now() const { return tokens_[at_]; }
  bool is(TokenKind kind) const { return !at_end() && now().kind == kind; }
  bool is_char(char c) const { return is(TokenKind::Mark) && now().text.front() == c; }

  std::string_view skip_blank() {
    if (!is(TokenKind::Blank)) return {};
    return tokens_[at_++].text;
  }

  void empty_line() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }

  void statement() {
    skip_blank();
    if (at_end()) return;
    if (is(TokenKind::LineEnd)) {
      ++at_;
      empty_line();
    } else if (is(TokenKind::Comment)) {
      out_ += without_trailing_blanks(now().text);
      ++at_;
      line_end();
    } else if (is_char('[')) {
      header();
    } else {
      key_and_value();
    }
  }

  /// The comment behind a statement, and the end of its line.
  void rest_of_line() {
    const std::string_view distance = skip_blank();
    if (is(TokenKind::Comment)) {
      out_ += distance.empty() ? " " : std::string(distance);
      out_ += without_trailing_blanks(now().text);
      ++at_;
    }
    line_end();
  }

  void line_end() {
    if (is(TokenKind::LineEnd)) ++at_;
    out_ += '\n';
  }

  /// An empty line comes before a header, or before the comments that stand right above it.
  void separate() {
    std::size_t above = out_.size();
    while (above > 0) {
      const auto begin = above < 2 ? std::string::npos : out_.rfind('\n', above - 2);
      const std::size_t line = begin == std::string::npos ? 0 : begin + 1;
      if (out_[line] != '#') break;
      above = line;
    }
    if (above == 0 || out_.substr(0, above).ends_with("\n\n")) return;
    out_.insert(above, "\n");
  }

  void header() {
    separate();
    while (!at_end() && !is(TokenKind::LineEnd) && !is(TokenKind::Comment)) {
      if (is(TokenKind::Blank)) {
        if (at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == TokenKind::Comment) break;
      } else {
        out_ += now().text;
      }
      ++at_;
    }
    rest_of_line();
  }

  void key() {
    while (!at_end() && !is_char('=')) {
      if (!is(TokenKind::Blank)) out_ += now().text;
      ++at_;
    }
    ++at_;  // '='
    out_ += " = ";
    skip_blank();
  }

  void key_and_value() {
    key();
    value();
    rest_of_line();
  }

  void value() {
    if (is_char('[')) {
      array();
    } else if (is_char('{')) {
      inline_table();
    } else if (!at_end()) {
      out_ += now().text;
      ++at_;
      // "1979-05-27 07:32:00" is two words.
      if (at_ + 1 < tokens_.size() && is(TokenKind::Blank) && now().text == " " &&
          tokens_[at_ + 1].kind == TokenKind::Word) {
        out_ += " ";
        out_ += tokens_[at_ + 1].text;
        at_ += 2;
      }
    }
  }

  void array() {
    out_ += '[';
    ++at_;
    ++depth_;
    bool line_start = false;  // nothing but indentation stands on this line yet
    bool comma = false;       // a comma was written and nothing behind it yet
    while (!at_end()) {
      const std::string_view distance = skip_blank();
      if (is(TokenKind::LineEnd)) {
        ++at_;
        const bool second_empty = line_start && out_.ends_with("\n\n");
        if (!second_empty) out_ += '\n';
        line_start = true;
        comma = false;
        continue;
      }
      if (is(TokenKind::Comment)) {
        if (line_start)
          indent(depth_);
        else
          out_ += distance.empty() ? " " : std::string(distance);
        out_ += without_trailing_blanks(now().text);
        line_start = false;
        comma = false;
        ++at_;
        continue;
      }
      if (is_char(']')) {
        if (line_start) indent(depth_ - 1);
        break;
      }
      if (is_char(',')) {
        if (line_start) indent(depth_);
        out_ += ',';
        ++at_;
        comma = true;
      } else {
        if (line_start) indent(depth_);
        if (comma) out_ += ' ';
        comma = false;
        value();
      }
      line_start = false;
    }
    --depth_;
    out_ += ']';
    ++at_;
  }

  void indent(std::size_t depth) {
    while (out_.ends_with("\n\n\n")) out_.pop_back();
    out_ += std::string(depth * 2, ' ');
  }

  void inline_table() {
    out_ += '{';
    ++at_;
    bool any = false;
    while (!at_end()) {
      skip_blank();
      if (is_char('}')) break;
      if (is_char(',')) {
        out_ += ',';
        ++at_;
        continue;
      }
      out_ += ' ';
      any = true;
      key();
      value();
    }
    out_ += any ? " }" : "}";
    ++at_;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;  // the parser has capped it: base::toml::kMaxDepth
  std::string out_;
};

std::vector<std::string> comments_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& token : tokens_of(text)) {
    if (token.kind == TokenKind::Comment) out.emplace_back(without_trailing_blanks(token.text));
  }
  return out;
}

}  // namespace

Result<std::string> toml_layout(std::string_view text) {
  const auto before = base::toml::parse(text);
  if (!before) {
    return Error{Code::Invalid, fmt::format("line {}: {}", before.error().at.line, before.error().message)};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string out = Printer(tokens_of(text)).run();
  if (out == "\n") out.clear();
  const auto after = base::toml::parse(out);
  if (!after || !(*after == *before) || comments_of(out) != comments_of(text)) {
    return Error{Code::Internal,
                 "the new layout would not mean the same; this is a bug in nimbusctl, the file was left alone"};
  }
  return out;
}

}  // namespace nimbus::cli
