// Fixed addresses on a provisioning network. Pure.
#pragma once

#include <set>
#include <string>

#include "core/desired/network.hpp"

namespace nimbus::controller {

/// The first address of the network's range that nobody has; empty: none is free, or the
/// range is no range of IPv4 addresses.
std::string free_address(const Network& network, const std::set<std::string>& taken);

}  // namespace nimbus::controller
