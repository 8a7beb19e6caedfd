// Rules about the tree itself: modes, links, case folding, crowded folders.
// Internal to registry/. Pure.
#pragma once

#include <vector>

#include "registry/problem.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

/// `tree` is sorted by path.
void check_tree(const std::vector<TreeEntry>& tree, std::vector<Problem>& problems);

inline constexpr std::size_t kMaxFilesInFolder = 1000;

}  // namespace nimbus::registry
