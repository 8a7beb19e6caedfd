// Changes one key of a TOML document that a person owns: comments, order and layout
// stay byte for byte everywhere else, because the text is cut and joined, never
// written anew.
//
//   auto edit = set_key(text, {"bmc", "driver"}, "ipmi");
//   if (edit) write(applied(text, *edit));
//
// Every edit is proven before it is returned: the new text is read back and must
// hold the old document with exactly this one change.
//
// Errors: Invalid (the text is no TOML, the path is empty or leads through a value or a
// list), Conflict (a table or list of tables stands there), NotFound (nothing to
// remove), Internal (no way to write it was found). Pure. Thread rule: safe from
// any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml/value.hpp"
#include "core/result.hpp"

namespace nimbus::base::toml {

using KeyPath = std::vector<std::string>;

/// Replaces bytes from `begin` up to `end`; nothing is removed where they are equal.
struct Splice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string with;
  friend bool operator==(const Splice&, const Splice&) = default;
};
/// In order, apart from each other.
using Edit = std::vector<Splice>;

/// `edit` must be of this text.
std::string applied(std::string_view text, const Edit& edit);

/// A key that is there gets the new value, between the bytes around the old one. A new
/// key goes behind the last one of its table, inside { … } where the table is written
/// so; a table that is missing gets a header at the end. A value that is a table
/// not marked inline becomes a section.
Result<Edit> set_key(std::string_view text, const KeyPath& path, const Value& value);

/// A key with its line, or a table or list of tables with all its sections. What is
/// written behind a key on its line, or between the keys of a section, goes with
/// it; comments above stay.
Result<Edit> remove_key(std::string_view text, const KeyPath& path);

/// "bmc.driver", "sysctl.\"net.core.somaxconn\"". Errors: Invalid.
Result<KeyPath> parse_key_path(std::string_view text);

}  // namespace nimbus::base::toml
