// Differences between two texts, line by line, as people read them (the unified format of
// POSIX.1-2008, diff -u). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nimbus::base {

struct DiffLimits {
  std::size_t context = 3;  // unchanged lines around a change
  /// Most bytes of the answer; what is cut off is counted in a last line.
  std::size_t bytes = 64U * 1024;
};

/// Empty if the texts are the same. Texts that have little in common are shown as one whole
/// replaced by the other: the search for the shortest difference is bounded. Lines are given
/// back as they are: make them printable before they reach a terminal.
std::string unified_diff(std::string_view from, std::string_view to, std::string_view from_name,
                         std::string_view to_name, const DiffLimits& limits = {});

}  // namespace nimbus::base
