// Declared against shown: what is missing. Pure, total, deterministic.
#pragma once

#include <vector>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/gap.hpp"

namespace nimbus::reconcilers::configure {

/// In the order of the configuration. Empty: the host is as declared.
std::vector<Gap> compare(const host::Configuration& wanted, const host::Facts& shown);

}  // namespace nimbus::reconcilers::configure
