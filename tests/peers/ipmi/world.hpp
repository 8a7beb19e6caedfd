// The driver under test and the BMCs that run.py started.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "drivers/ipmi/driver.hpp"
#include "tests/peers/ipmi/fleet.hpp"

namespace nimbus::peer {

inline Call within(std::chrono::milliseconds time) { return {.deadline = std::chrono::steady_clock::now() + time}; }

/// Calls `work` for each item at the same time, on threads of their own. What one of them
/// throws (a failed REQUIRE) is thrown on after the last has ended.
template <class Items, class Work>
void in_parallel(const Items& items, Work work) {
  std::vector<std::future<void>> running;
  for (const auto& item : items) running.push_back(std::async(std::launch::async, [&work, &item] { work(item); }));
  for (auto& one : running) one.wait();
  for (auto& one : running) one.get();
}

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
