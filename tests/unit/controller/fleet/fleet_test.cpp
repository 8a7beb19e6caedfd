#include "controller/fleet/fleet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <thread>
#include <utility>
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

TEST_CASE_FIXTURE(Fixture, "fleet: a commit that comes while a pass is under way stops its writes") {
  const auto first = registry({"m1"});
  const auto next = registry({});
  auto changed = std::make_shared<DesiredMachine>(*first->machines["m1"].desired);
  SUBCASE("hands off, in a commit that changes no digest") { changed->lifecycle.hands_off = true; }
  SUBCASE("another wish") {
    changed->digest = "d2";
    changed->power = WantedPower::Unmanaged;
  }
  SUBCASE("the file is gone") { changed.reset(); }
  if (changed) next->machines["m1"] = {changed, ""};
  bool accepted = false;
  machines["m1"].fail_identity = [&]() -> std::optional<Error> {
    if (!std::exchange(accepted, true)) fleet.accept(next);
    return std::nullopt;
  };
  fleet.accept(first);
  drain();
  CHECK(accepted);
  CHECK(machines["m1"].received.empty());
  CHECK(runs.runs().empty());
  if (!changed) CHECK(fleet.counts().machines == 0);
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

TEST_CASE_FIXTURE(Fixture, "fleet: an event during the pass that puts a machine off waits in the slow lane too") {
  fleet.accept(registry({"dead"}));
  machines["dead"].fail_power = [this] {
    fleet.look_at_all();  // the term is taken, or a commit came
    return Error{Code::Timeout, "no answer"};
  };
  CHECK(fleet.work_once({}));
  // Both slow workers are taken: nothing of this machine may run elsewhere.
  queue.add("other-1", Lane::Slow);
  queue.add("other-2", Lane::Slow);
  CHECK(queue.try_take());
  CHECK(queue.try_take());
  CHECK(!queue.try_take());
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

TEST_CASE_FIXTURE(Fixture, "fleet: a hint is a look at once; of a flood there is one look every few seconds") {
  machines["m1"].hints = true;
  fleet.accept(registry({"m1", "m2"}));
  REQUIRE(drain() == 2);
  REQUIRE(machines["m1"].hint);
  clock.advance(1s);
  machines["m1"].power = PowerState::Off;
  machines["m1"].hint();
  CHECK(drain() == 1);
  CHECK(machines["m1"].power == PowerState::On);

  for (int i = 0; i < 100; ++i) machines["m1"].hint();
  CHECK(drain() == 0);
  clock.advance(Fleet::kBetweenHints);
  CHECK(drain() == 1);
  for (int i = 0; i < 100; ++i) machines["m1"].hint();
  clock.advance(1s);
  CHECK(drain() == 0);
  clock.advance(Fleet::kBetweenHints);
  CHECK(drain() == 1);
  clock.advance(10 * Fleet::kBetweenHints);
  drain();
  machines["m1"].hint();
  CHECK(drain() == 1);
}

TEST_CASE_FIXTURE(Fixture, "fleet: a hint does not bring back a machine that does not answer, nor one that is gone") {
  machines["m1"].hints = true;
  fleet.accept(registry({"m1"}));
  drain();
  machines["m1"].fail_power = [] { return Error{Code::Timeout, "silent"}; };
  clock.advance(40s);
  drain();
  const int before = sink.total;
  machines["m1"].hint();
  clock.advance(1ms);
  drain();
  CHECK(sink.total == before);
  const auto hint = machines["m1"].hint;
  fleet.accept(registry({}));
  drain();
  hint();
  CHECK(!queue.try_take());
}

TEST_CASE_FIXTURE(Fixture, "fleet: machines behind one BMC have their passes one after the other") {
  auto both = registry({"m1", "m2", "m3"});
  for (const char* name : {"m1", "m2"}) {
    auto desired = std::make_shared<DesiredMachine>(*both->machines[name].desired);
    desired->bmc.address = "m1";
    desired->bmc.system = name;
    both->machines[name].desired = std::move(desired);
  }
  fleet.accept(both);
  const auto first = queue.try_take();
  const auto second = queue.try_take();
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*first == "m3" || *second == "m3"));
  CHECK(!queue.try_take());
  queue.done(*first == "m3" ? *second : *first);
  CHECK(queue.try_take());
}
