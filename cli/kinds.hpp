// The kinds of registry files as words of the command line.
#pragma once

#include <string>
#include <vector>

#include "registry/path.hpp"

namespace nimbus::cli {

/// Kinds that have keys: all but the content of files/.
std::vector<registry::FileKind> schema_kinds();
/// Their names, for the command table.
std::vector<std::string> kind_names();

}  // namespace nimbus::cli
