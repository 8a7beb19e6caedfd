// The addresses that a person named: one by one, as networks, or in files.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace nimbus::cli {

inline constexpr std::size_t kMostAddresses = 4096;

/// Addresses in the order given, none twice. A network ("10.1.0.0/24") stands for its
/// host addresses; an existing file for what is in each of its lines ('#' begins a
/// remark). Errors: Invalid (too many, no address, a network of IPv6).
Result<std::vector<std::string>> expand_targets(const std::vector<std::string>& targets);

}  // namespace nimbus::cli
