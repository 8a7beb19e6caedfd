// From a file of a tree to a TOML table, with all that may be wrong on the way as
// problems of that file. Thread rule: as the source's.
#pragma once

#include <optional>

#include "base/toml/value.hpp"
#include "registry/checks.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

/// Nothing: the reason has been reported.
std::optional<base::toml::Table> read_table(const TreeSource& source, const TreeEntry& file, Report& report);

}  // namespace nimbus::registry
