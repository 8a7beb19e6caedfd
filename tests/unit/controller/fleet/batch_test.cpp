// Power of many machines, asked for together.
#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

#include "fleet_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

namespace {

/// Four machines whose driver reads power of many at once.
struct BatchFixture : Fixture {
  std::vector<std::vector<Bmc*>> batches;
  std::map<std::string, int> asked_alone;
  std::function<Result<PowerState>(const Bmc*)> answer = [](const Bmc*) { return PowerState::On; };
  std::vector<double> jitters{0.5};
  std::size_t next_jitter = 0;

  Fleet::Tools batch_tools() {
    auto made = tools();
    made.jitter = [this] { return jitters[next_jitter++ % jitters.size()]; };
    made.batch = {.possible = [](const std::string& driver) { return driver == "ipmi"; },
                  .ask =
                      [this](const std::string&, const std::vector<Bmc*>& bmcs, const Call&) {
                        batches.push_back(bmcs);
                        std::vector<Result<PowerState>> out;
                        for (const Bmc* bmc : bmcs) out.push_back(answer(bmc));
                        return out;
                      }};
    return made;
  }
  Fleet together{"lab", queue, batch_tools()};

  std::shared_ptr<AcceptedRegistry> ipmi(std::initializer_list<const char*> names) {
    auto made = registry(names);
    for (auto& [name, machine] : made->machines) {
      auto desired = std::make_shared<DesiredMachine>(*machine.desired);
      desired->bmc.driver = "ipmi";
      machine.desired = desired;
      machines[name].power = PowerState::On;
      machines[name].fail_power = [this, key = name] {
        asked_alone[key] += 1;
        return std::optional<Error>();
      };
    }
    return made;
  }
  int drain() {
    const int before = sink.total;
    while (together.work_once({})) {
    }
    asked = std::exchange(asked_alone, {});
    return sink.total - before;
  }
  std::map<std::string, int> asked;
};

}  // namespace

TEST_CASE_FIXTURE(BatchFixture, "fleet: steady machines are asked for their power together, and have a pass each") {
  together.accept(ipmi({"m1", "m2", "m3", "m4"}));
  CHECK(drain() == 4);
  CHECK(batches.empty());  // nobody has been seen to be steady, or has a session
  CHECK(asked.size() == 4);
  clock.advance(30s);
  CHECK(drain() == 4);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].size() == 4);
  CHECK(asked.empty());
  // What the batch said counts: someone switched a machine off.
  const auto* const second = batches[0][1];
  answer = [second](const Bmc* bmc) { return bmc == second ? PowerState::Off : PowerState::On; };
  machines["m2"].power = PowerState::Off;
  clock.advance(30s);
  CHECK(drain() == 4);
  CHECK(batches.size() == 2);
  CHECK(machines["m2"].received == std::vector{PowerAction::On});
  CHECK(machines["m1"].received.empty());
}

TEST_CASE_FIXTURE(BatchFixture,
                  "fleet: who is due in a moment is taken along; who is due later, or waits for something, is not") {
  jitters = {0.0, 0.3, 0.9};  // 27 s, 28.8 s, 32.4 s
  together.accept(ipmi({"m1", "m2", "m3"}));
  CHECK(drain() == 3);
  clock.advance(27s);
  CHECK(drain() == 2);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].size() == 2);
}

TEST_CASE_FIXTURE(BatchFixture, "fleet: a machine with something to do is not polled with others") {
  auto accepted = ipmi({"m1", "m2", "m3"});
  machines["m2"].power = PowerState::Off;
  machines["m2"].ignores_actions = true;
  together.accept(accepted);
  drain();
  clock.advance(30s);
  drain();
  REQUIRE(!batches.empty());
  for (const auto& batch : batches) CHECK(batch.size() == 2);
  CHECK(machines["m2"].received.size() >= 1);
}

TEST_CASE_FIXTURE(BatchFixture, "fleet: who keeps a batch waiting is asked alone, then and for a while") {
  together.accept(ipmi({"m1", "m2", "m3"}));
  drain();
  clock.advance(30s);
  answer = [this](const Bmc* bmc) -> Result<PowerState> {
    if (bmc == batches.back()[0]) return Error{Code::Timeout, "no answer"};
    return PowerState::On;
  };
  CHECK(drain() == 3);
  REQUIRE(batches.size() == 1);
  const auto* const late = batches[0][0];
  CHECK(asked.size() == 1);  // in an ordinary lane, and it answered
  CHECK(together.counts().unreachable == 0);
  CHECK(together.counts().on == 3);
  answer = [](const Bmc*) { return PowerState::On; };
  int looks_alone = 1;
  while (looks_alone < 200) {
    clock.advance(30s);
    CHECK(drain() == 3);
    if (asked.empty()) break;
    looks_alone += 1;
    CHECK(batches.back().size() == 2);
    CHECK(std::ranges::find(batches.back(), late) == batches.back().end());
  }
  CHECK(looks_alone == 64);
  CHECK(batches.back().size() == 3);
}

TEST_CASE_FIXTURE(BatchFixture, "fleet: who has no session in a batch, or whose answer became old, is asked alone") {
  together.accept(ipmi({"m1", "m2", "m3"}));
  drain();
  clock.advance(30s);
  answer = [](const Bmc*) -> Result<PowerState> { return Error{Code::Conflict, "no session"}; };
  CHECK(drain() == 3);
  CHECK(batches.size() == 1);  // and not again by those that were given back
  CHECK(asked.size() == 3);
  CHECK(together.counts().on == 3);
  answer = [](const Bmc*) { return PowerState::On; };
  clock.advance(30s);
  CHECK(together.work_once({}));
  CHECK(batches.size() == 2);
  clock.advance(5s);
  CHECK(drain() == 2);
  CHECK(batches.size() == 2);
  CHECK(asked.size() == 2);
}

TEST_CASE_FIXTURE(BatchFixture, "fleet: what an event or a person asks for is not kept waiting by a batch") {
  auto accepted = ipmi({"m1", "m2", "m3"});
  together.accept(accepted);
  drain();
  clock.advance(30s);
  CHECK(together.look_at("m1"));
  CHECK(together.work_once({}));
  CHECK(batches.empty());
  CHECK(asked_alone.size() == 1);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "fleet: a machine whose BMC moved is connected to anew, not polled at its old address") {
  together.accept(ipmi({"m1", "m2", "m3"}));
  drain();
  clock.advance(30s);
  auto next = ipmi({"m1", "m2", "m3"});
  machines["elsewhere"].power = PowerState::On;
  auto moved = std::make_shared<DesiredMachine>(*next->machines["m2"].desired);
  moved->bmc.address = "elsewhere";  // and no new digest: the event does not come
  next->machines["m2"].desired = moved;
  together.accept(next);
  CHECK(drain() == 3);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].size() == 2);
  CHECK(machines["elsewhere"].sessions == 1);
}
