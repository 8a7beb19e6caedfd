#include "base/toml/tokens.hpp"

#include <algorithm>
#include <string>

namespace nimbus::base::toml {
namespace {

bool is_mark(char c) { return std::string_view("[]{}=,").find(c) != std::string_view::npos; }

/// Length of the string literal at the start of `text`.
std::size_t string_length(std::string_view text) {
  const char quote = text.front();
  const std::string triple(3, quote);
  const bool multiline = text.starts_with(triple);
  std::size_t at = multiline ? 3 : 1;
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (!multiline && text[at] == quote) {
      return at + 1;
    } else if (multiline && text.substr(at).starts_with(triple)) {
      at += 3;
      while (at < text.size() && text[at] == quote) ++at;  // up to two quotes may stand before the end
      return at;
    } else {
      ++at;
    }
  }
  return text.size();
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> out;
  while (!text.empty()) {
    const char first = text.front();
    std::size_t length = 1;
    TokenKind kind = TokenKind::Word;
    if (first == '\n' || text.starts_with("\r\n")) {
      kind = TokenKind::LineEnd;
      length = first == '\n' ? 1 : 2;
    } else if (first == ' ' || first == '\t') {
      kind = TokenKind::Blank;
      length = std::min(text.find_first_not_of(" \t"), text.size());
    } else if (first == '#') {
      kind = TokenKind::Comment;
      length = std::min(text.find('\n'), text.size());
    } else if (first == '"' || first == '\'') {
      kind = TokenKind::String;
      length = string_length(text);
    } else if (is_mark(first)) {
      kind = TokenKind::Mark;
    } else {
      while (length < text.size() && std::string_view(" \t\r\n#\"'").find(text[length]) == std::string_view::npos &&
             !is_mark(text[length])) {
        ++length;
      }
    }
    out.push_back({kind, text.substr(0, length)});
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace nimbus::base::toml
