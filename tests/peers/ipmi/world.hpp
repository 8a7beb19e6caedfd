// The driver under test and the BMCs that run.py started.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/time/time.hpp"
#include "drivers/ipmi/driver.hpp"
#include "tests/peers/ipmi/fleet.hpp"

namespace nimbus::peer {

inline Call within(std::chrono::milliseconds time) { return {.deadline = std::chrono::steady_clock::now() + time}; }

struct World {
  Fleet fleet;
  base::SystemClock clock;
  KnownSecrets secrets;
  std::unique_ptr<BmcDriver> driver = std::move(ipmi::make_ipmi_driver(clock).value());

  std::unique_ptr<Bmc> attach(const BmcEndpoint& endpoint) {
    return std::move(driver->attach(endpoint, secrets).value());
  }
  std::unique_ptr<Bmc> attach(int number) { return attach(endpoint_of(fleet.member(number).address)); }
};

}  // namespace nimbus::peer
