// What edits of keys and edits of lists share. Internal to base/toml: edit.hpp is for
// everybody.
#pragma once

#include <string_view>

#include "base/toml/edit.hpp"
#include "base/toml/statements.hpp"

namespace nimbus::base::toml {

KeyPath parent_of(const KeyPath& path);

/// The table at `path`, made where it is missing. All on the way are tables.
Table& open_table(Table& root, const KeyPath& path);

/// Whether the edited text means `wanted`.
bool reads_as(std::string_view text, const Edit& edit, const Table& wanted);

/// A section that goes takes the empty lines behind it along, or those before it at the
/// end of the text.
Extent with_empty_lines(std::string_view text, Extent lines);

}  // namespace nimbus::base::toml
