// Declared against shown: what is missing. Pure, total, deterministic.
#pragma once

#include <string>
#include <vector>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/gap.hpp"

namespace nimbus::reconcilers::configure {

/// In the order of the configuration. Empty: the host is as declared. An action that ran
/// and waits to be confirmed is no gap: see Facts::awaiting and confirm_script().
std::vector<Gap> compare(const host::Configuration& wanted, const host::Facts& shown);

/// What this configuration uses on this host that was never proven, a line each for people.
std::vector<std::string> unproven(const host::Configuration& wanted, const host::Facts& shown);

}  // namespace nimbus::reconcilers::configure
