// A fleet of fake machines, and a sink that remembers what was seen.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "controller/fleet/fleet.hpp"
#include "support/fake_bmc.hpp"
#include "support/fake_clock.hpp"
#include "support/memory_run_log.hpp"

namespace nimbus::controller::test {

using namespace std::chrono_literals;

class Sink final : public FactSink {
 public:
  void seen(const MachineFacts& facts) override {
    const std::lock_guard lock(mutex);
    newest.insert_or_assign(facts.machine.desired->id.machine, facts);
    total += 1;
  }
  std::mutex mutex;
  std::map<std::string, MachineFacts> newest;
  std::atomic<int> total{0};
};

struct Fixture {
  nimbus::testing::FakeClock clock;
  WorkQueue queue{clock, {}};
  nimbus::testing::MemoryRunLog runs;
  Sink sink;
  std::map<std::string, nimbus::testing::FakeMachine> machines;
  Fleet::Tools tools() {
    return {.pass = {.clock = clock,
                     .attach = [this](const BmcEndpoint& endpoint) -> Result<std::unique_ptr<Bmc>> {
                       return std::make_unique<nimbus::testing::FakeBmc>(machines.at(endpoint.address));
                     },
                     .authority = [] { return Authority{.state = Authority::State::Held, .term = 1, .detail = {}}; },
                     .hinted = [this](const std::string& machine) { fleet.hint(machine); },
                     .power = {}},
            .cadence = {.observe = 30s, .retry_most = 5min},
            .runs = runs,
            .facts = sink,
            .jitter = [] { return 0.5; },
            .passed = [](const MachineReport&, std::chrono::milliseconds) {}};
  }
  Fleet fleet{"lab", queue, tools()};

  std::shared_ptr<AcceptedRegistry> registry(std::initializer_list<const char*> names) {
    auto made = std::make_shared<AcceptedRegistry>();
    for (const char* name : names) {
      machines.try_emplace(name);
      auto desired = std::make_shared<DesiredMachine>();
      desired->id = {"lab", name};
      desired->bmc.address = name;
      desired->identity.serial = "S1";
      desired->power = WantedPower::On;
      desired->enforcement = Enforcement::Enforce;
      desired->digest = "d";
      made->machines[name] = {std::move(desired), ""};
    }
    return made;
  }

  /// Runs everything that is due now; says how many passes that were.
  int drain() {
    const int before = sink.total;
    while (fleet.work_once({})) {
    }
    return sink.total - before;
  }
};

}  // namespace nimbus::controller::test
