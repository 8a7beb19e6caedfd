// What bounds disruption, shared by all machines of a provider.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "controller/guard/budget.hpp"
#include "controller/guard/window.hpp"
#include "controller/machine/run.hpp"

namespace nimbus::controller {

/// What the status branch knew of an instance's restarts when this controller began.
struct PublishedRestart {
  bool known = true;     // false: the branch was not read back yet
  std::string instance;  // empty: it knew none
  std::int64_t done = 0;
};

/// A null pointer: nothing of that kind is bounded, or, without `facts`, nothing is
/// restarted.
struct DisruptionTools {
  FactLog* facts = nullptr;
  PowerOnPace* pace = nullptr;
  RebootBudget* reboots = nullptr;
  ZoneOffset zones = [](const std::string&, WallTime) { return std::optional<std::chrono::seconds>(); };
  std::function<PublishedRestart(const std::string& machine)> published = [](const std::string&) {
    return PublishedRestart{};
  };
};

}  // namespace nimbus::controller
