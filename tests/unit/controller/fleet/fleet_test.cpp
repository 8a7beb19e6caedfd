#include "controller/fleet/fleet.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <thread>
#include <vector>

#include "support/fake_bmc.hpp"
#include "support/fake_clock.hpp"
#include "support/memory_run_log.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {

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

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fleet: an accepted registry is brought about, and then left alone") {
  fleet.accept(registry({"m1", "m2"}));
  CHECK(drain() == 2);
  CHECK(machines["m1"].power == PowerState::On);
  CHECK(machines["m2"].power == PowerState::On);
  CHECK(fleet.counts().on == 2);
  clock.advance(33s);
  CHECK(drain() == 2);
  CHECK(runs.runs().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "fleet: several workers share the machines, and stop when told") {
  fleet.accept(registry({"m1", "m2", "m3", "m4"}));
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back([this](std::stop_token stop) { fleet.work(std::move(stop)); });
  while (sink.total < 4) std::this_thread::yield();
  workers.clear();
  CHECK(sink.total == 4);
  for (const auto& [name, machine] : machines) CHECK_MESSAGE(machine.power == PowerState::On, name);
}

TEST_CASE_FIXTURE(Fixture, "fleet: only what a commit changed is looked at; what is gone is released") {
  fleet.accept(registry({"m1", "m2", "m3"}));
  drain();
  auto next = registry({"m1", "m2"});
  auto changed = std::make_shared<DesiredMachine>(*next->machines["m2"].desired);
  changed->digest = "d2";
  changed->power = WantedPower::Off;
  next->machines["m2"].desired = changed;
  fleet.accept(next);
  CHECK(drain() == 1);
  CHECK(machines["m2"].received.back() == PowerAction::SoftOff);
  CHECK(machines["m1"].received.size() == 1);
  CHECK(machines["m3"].received.size() == 1);
  CHECK(!machines["m3"].session_open);
  CHECK(machines["m1"].session_open);
}

TEST_CASE_FIXTURE(Fixture, "fleet: a dead machine moves to the slow lane and does not stop the others") {
  auto both = registry({"dead", "live"});
  int asked = 0;
  machines["dead"].fail_power = [&] {
    ++asked;
    return Error{Code::Timeout, "no answer"};
  };
  fleet.accept(both);
  drain();
  CHECK(machines["live"].power == PowerState::On);
  CHECK(fleet.counts().unreachable == 1);
  CHECK(sink.newest.at("dead").failures == 1);
  CHECK(asked == 2);  // put off without a verdict, then asked with patience
}

TEST_CASE_FIXTURE(Fixture, "fleet: events of silent machines wait in the slow lane, a person's wish does not") {
  WorkQueue none(clock, {.slow_workers = 0, .semaphores = {}});
  Fleet stingy{"lab", none, tools()};
  auto both = registry({"dead", "live"});
  machines["dead"].fail_power = [] { return Error{Code::Timeout, "no answer"}; };
  stingy.accept(both);
  const auto run_due = [&] {
    int passes = 0;
    while (stingy.work_once({})) ++passes;
    return passes;
  };
  CHECK(run_due() == 2);  // the dead one is put off to a lane without workers
  CHECK(sink.newest.count("dead") == 0);
  stingy.look_at_all();
  CHECK(run_due() == 1);
  stingy.look_at("dead");
  CHECK(run_due() == 1);
  CHECK(sink.newest.at("dead").failures == 1);
}
