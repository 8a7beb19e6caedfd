// A primitive resource as keys and values for people. Never the content of a file, and
// nothing of a secret but its name. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/host/resource.hpp"

namespace nimbus::registry {

/// In a fixed order; what is not asked for is left out.
std::vector<std::pair<std::string, std::string>> describe(const host::Wanted& wanted);

}  // namespace nimbus::registry
