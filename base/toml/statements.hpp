// Where each key and header of a TOML text stands. Internal to base/toml: edit.hpp
// is for everybody.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus::base::toml {

using KeyPath = std::vector<std::string>;

struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;  // exclusive
};

/// "key = value" on its line or lines, or the line of a header. Offsets in bytes.
struct Statement {
  enum class Kind { Pair, Header, ArrayHeader } kind = Kind::Pair;
  KeyPath path;                  // from the top
  std::size_t section_keys = 0;  // of a pair: how much of the path is its header's
  std::size_t section = 0;       // how many headers stand before it, itself included
  bool in_array = false;         // of an element of [[…]], or below one: its path alone does not name it
  Extent lines;                  // whole lines: indentation, comment behind, line end
  Extent value;                  // of a pair
  std::size_t key_begin = 0;
};

/// `text` must be what parse() accepts.
std::vector<Statement> statements_of(std::string_view text);

/// "key = value" in { … }; `extent` is from key to value.
struct InlineItem {
  KeyPath path;
  Extent extent;
  Extent value;
};
/// Of the inline table at `braces`.
std::vector<InlineItem> inline_items(std::string_view text, Extent braces);

bool starts_with(const KeyPath& path, const KeyPath& prefix);

}  // namespace nimbus::base::toml
