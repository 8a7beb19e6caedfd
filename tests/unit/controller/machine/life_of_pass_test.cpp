// What a pass tells the life of its machine.
#include <doctest/doctest.h>

#include "controller/machine/pass.hpp"
#include "support/fake_bmc.hpp"
#include "support/fake_clock.hpp"
#include "support/memory_run_log.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using nimbus::testing::FakeBmc;
using nimbus::testing::FakeClock;
using nimbus::testing::FakeMachine;
using nimbus::testing::MemoryRunLog;

namespace {

/// An instance that wants to be on runs here.
struct Listener final : MachineLife {
  std::optional<LifeFacts> step(const LifeInput& input) override {
    given_up = input.given_up;
    LifeFacts facts;
    facts.instance = std::make_shared<const Instance>();
    return facts;
  }
  void unread(const DesiredMachine&, const std::string& why) override { silent = why; }
  std::string given_up = "never asked";
  std::string silent;
};

struct Fixture {
  MachineReport pass() { return run_pass({desired, commit}, memory, tools, {}); }

  FakeClock clock;
  FakeMachine machine;
  MemoryRunLog log;
  Listener life;
  PassTools tools{.clock = clock,
                  .attach = [this](const BmcEndpoint&) -> Result<std::unique_ptr<Bmc>> {
                    return std::make_unique<FakeBmc>(machine);
                  },
                  .authority = [] { return Authority{.state = Authority::State::Held, .term = 1, .detail = {}}; },
                  .life = &life,
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
  MachineMemory memory{PowerRuns({"lab", "m1"}, log)};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a machine that does not switch on is given up, and its life hears why until it is on") {
  machine.ignores_actions = true;
  pass();
  CHECK(life.given_up.empty());
  for (int i = 0; i < 20 && life.given_up.empty(); ++i) {
    clock.advance(30s);
    pass();
  }
  CHECK(life.given_up.find("look at the machine") != std::string::npos);
  machine.ignores_actions = false;
  machine.power = PowerState::On;
  pass();
  pass();
  CHECK(life.given_up.empty());
}

TEST_CASE_FIXTURE(Fixture, "a BMC that cannot be read is told, with the reason") {
  machine.fail_power = [] { return std::optional(Error{Code::Unreachable, "nobody is there"}); };
  pass();
  CHECK(life.given_up == "never asked");
  CHECK(life.silent.find("nobody is there") != std::string::npos);
}
