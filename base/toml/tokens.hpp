// The pieces of a TOML text, for programs that change how it is written and not what
// it means. Pure. Thread rule: safe from any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace nimbus::base::toml {

enum class TokenKind : std::uint8_t {
  Blank,    // spaces and tabs
  LineEnd,  // LF or CR LF
  Comment,  // from '#' up to the line end
  String,   // with its quotes, of all four kinds
  Word,     // a bare key with its dots, a number, a date, a boolean
  Mark,     // one of [ ] { } = ,
};

struct Token {
  TokenKind kind;
  std::string_view text;  // a view of what was given
};

/// Joined, the tokens are `text` again. They mean something only if parse() accepts
/// it; whatever the bytes are, nothing is read outside of them.
std::vector<Token> tokens_of(std::string_view text);

}  // namespace nimbus::base::toml
