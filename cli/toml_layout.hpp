// The layout of a person's TOML file: spaces, indentation, line ends and empty lines,
// never a key, a value, an order or a comment.
//
// - UTF-8 without BOM, LF, one line end at the end, no blanks at line ends;
// - "key = value"; headers without blanks; one empty line before a header, at most one
//   anywhere;
// - arrays on one line: ["a", "b"]; on several: as broken by the author, two spaces deep;
//   inline tables: { a = 1 };
// - the distance of a comment behind a value stays (comments in a column stay one).
//
// Pure. Thread rule: safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace nimbus::cli {

/// Errors: Invalid (no TOML: "line 3: …"), Internal (the new layout would not mean
/// the same; the file stays as it is).
Result<std::string> toml_layout(std::string_view text);

}  // namespace nimbus::cli
