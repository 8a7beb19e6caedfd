// Declared against observed hardware: a missing memory module, another disk, a swapped
// network card.
//
// Only what the file declares is compared, and only what the machine really told: a list
// that could not be read is no drift. Who the machine is belongs to core/identity.hpp.
// Pure; drifts come in the order of their keys.
#pragma once

#include <vector>

#include "core/desired/machine.hpp"
#include "core/drift.hpp"
#include "core/inventory.hpp"

namespace nimbus::reconcilers {

std::vector<Drift> compare_hardware(const DesiredMachine& desired, const Inventory& observed);

}  // namespace nimbus::reconcilers
