// A machine, its BMC, and what a pass over it needs.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "controller/machine/pass.hpp"
#include "support/fake_bmc.hpp"
#include "support/fake_clock.hpp"
#include "support/memory_run_log.hpp"

namespace nimbus::controller::test {

using nimbus::testing::FakeBmc;
using nimbus::testing::FakeClock;
using nimbus::testing::FakeMachine;
using nimbus::testing::MemoryRunLog;

struct Fixture {
  FakeClock clock;
  FakeMachine machine;
  MemoryRunLog log;
  Authority authority{.state = Authority::State::Held, .term = 1, .detail = {}};
  PassTools tools{.clock = clock,
                  .attach = [this](const BmcEndpoint&) -> Result<std::unique_ptr<Bmc>> {
                    return std::make_unique<FakeBmc>(machine);
                  },
                  .authority = [this] { return authority; },
                  .power = {}};
  DesiredMachine desired = [] {
    DesiredMachine d;
    d.id = {"lab", "m1"};
    d.power = WantedPower::On;
    d.enforcement = Enforcement::Enforce;
    d.identity.serial = "S1";
    d.digest = "d1";
    return d;
  }();
  const std::string commit = "c1";
  std::unique_ptr<MachineMemory> memory = restart();

  std::unique_ptr<MachineMemory> restart() {
    machine.session_open = false;
    return std::make_unique<MachineMemory>(PowerRuns({"lab", "m1"}, log));
  }
  MachineReport pass() { return run_pass({desired, commit}, *memory, tools, {}); }
};

}  // namespace nimbus::controller::test
