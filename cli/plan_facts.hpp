// What a status branch says, as the plan takes it.
#pragma once

#include "cli/status_read.hpp"
#include "registry/plan/plan.hpp"

namespace nimbus::cli {

void add_facts(const ProviderView& view, registry::PlanFacts& facts);

}  // namespace nimbus::cli
