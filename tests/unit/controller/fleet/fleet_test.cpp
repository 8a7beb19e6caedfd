// Machines, workers and what makes them look.
#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

#include "fleet_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

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
