// Rules that compare a version with the one that it starts from: unprotect first.
// Pure but for reading a file again to say where a problem lies. Thread rule: as load().
#pragma once

#include <vector>

#include "registry/snapshot.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

/// Reinstall, move and release of an instance need protected = false in `base`
/// already, and still in `head`. Sorted; empty if all is well. `head_source` is what
/// `head` was loaded from.
std::vector<Problem> check_against_base(const Snapshot& base, const Snapshot& head, const TreeSource& head_source);

}  // namespace nimbus::registry
