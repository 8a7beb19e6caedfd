// A BMC whose operations are counted and timed, by driver and outcome.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/ports/bmc.hpp"

namespace nimbus::controller {

/// `code`: "ok", or the error's. Called from the thread of the operation.
using BmcMeter = std::function<void(std::string_view code, double seconds)>;

/// Aspects that only an install or a person uses pass through unmetered.
std::unique_ptr<Bmc> metered(std::unique_ptr<Bmc> bmc, BmcMeter meter);
/// The one inside, for what takes only its driver's own: not metered. `bmc` is of metered().
Bmc& unmetered(Bmc& bmc);

}  // namespace nimbus::controller
