// Which resources must be right before which, by what they are and not by where they
// stand in a file: repositories before packages before groups, users, directories, files,
// mounts, units; a file after its owner and its folder; what notifies before what it
// notifies; and `after`. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/host/resource.hpp"
#include "core/result.hpp"

namespace nimbus::reconcilers::configure {

struct Order {
  std::vector<std::size_t> level;               // by position in Configuration::resources
  std::vector<std::vector<std::size_t>> needs;  // direct ones, by position
};

/// Errors: Invalid, a cycle; the message names its members.
Result<Order> order_of(const host::Configuration& wanted);

}  // namespace nimbus::reconcilers::configure
