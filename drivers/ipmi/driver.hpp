// The IPMI driver: BMCs over RMCP+ (IPMI 2.0 on UDP, cipher suites 17 and 3).
//
// One thread with one event loop serves all BMCs; the threads that call operations
// wait for their own answers. Thread rule: as core/ports/bmc.hpp says.
#pragma once

#include <memory>

#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::ipmi {

/// Starts the driver's thread. `clock` must outlive the driver. Errors: Internal (out
/// of descriptors).
Result<std::unique_ptr<BmcDriver>> make_ipmi_driver(const Clock& clock);

}  // namespace nimbus::ipmi
