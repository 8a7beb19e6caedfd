// Writes TOML in one canonical form: equal tables give equal bytes.
//
// Keys sorted bytewise; in each table first plain values, then tables, then arrays
// of tables; no blank lines, no comments, LF, a line end after the last line. A table
// that holds nothing but tables has no header of its own. Reading the text back
// with parse() gives an equal table.
//
// For documents that programs write. A person's file is edited in place instead:
// this would drop comments and order. Thread rule: safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/toml/value.hpp"

namespace nimbus::base::toml {

/// Bytes that are no UTF-8 become U+FFFD; local dates and times are written as they
/// are. A table inside of an array with other values is written inline.
std::string write(const Table& table);

/// "…" with escapes, on one line.
std::string quoted(std::string_view text);
/// Bare where it may be, else quoted.
std::string key_text(std::string_view key);
/// Any value on one line: lists in brackets, tables as { … }.
std::string inline_text(const Value& value);

}  // namespace nimbus::base::toml
