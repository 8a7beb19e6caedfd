// Reads TOML 1.0. Hostile text is safe: size, dotted keys and nesting are capped
// before the parser sees them, and nothing is thrown.
//
// Thread rule: safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/toml/value.hpp"

namespace nimbus::base::toml {

/// Largest text that is looked at: the registry's cap on a file. Far above what
/// people write, and it bounds the parser's time to milliseconds.
inline constexpr std::size_t kMaxText = std::size_t{256} * 1024;
/// Dots in one key: the parser recurses once per part.
inline constexpr std::size_t kMaxDotsInKey = 32;
/// Tables and arrays inside each other.
inline constexpr std::size_t kMaxDepth = 64;

struct SyntaxError {
  enum class Cause { Syntax, TooLarge, TooDeep, NotUtf8 };
  Cause cause = Cause::Syntax;
  Position at;          // 1:1 where the whole text is meant
  std::string message;  // one line
};

/// The top table. Members come sorted by key; spans say where they were written.
tl::expected<Table, SyntaxError> parse(std::string_view text);

}  // namespace nimbus::base::toml
