#include "controller/machine/cadence.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {
const CadenceLimits kLimits{.observe = 30s, .retry_most = 5min};
const WallTime kNow{};
}  // namespace

TEST_CASE("cadence: steady state, with jitter of a tenth either way") {
  CHECK(next_look({}, 0, kLimits, kNow, 0.0) == 27s);
  CHECK(next_look({}, 0, kLimits, kNow, 0.5) == 30s);
  CHECK(next_look({}, 0, kLimits, kNow, 0.999) <= 33s);
}

TEST_CASE("cadence: a wait is looked at when it ends, never later than usual and never at once") {
  MachineReport report;
  report.decision.look_again = kNow + 2s;
  CHECK(next_look(report, 0, kLimits, kNow, 0.5) == 2s);
  report.decision.look_again = kNow + 1h;
  CHECK(next_look(report, 0, kLimits, kNow, 0.5) == 30s);
  report.decision.look_again = kNow - 1h;
  CHECK(next_look(report, 0, kLimits, kNow, 0.5) == 200ms);
}

TEST_CASE("cadence: a silent BMC is asked less and less, within bounds") {
  std::chrono::milliseconds last{};
  for (int failures = 1; failures < 1000; ++failures) {
    const auto look = next_look({}, failures, kLimits, kNow, 0.5);
    CHECK(look >= last);
    CHECK(look <= kLimits.retry_most);
    last = look;
  }
  CHECK(last == kLimits.retry_most);
}
