#include "controller/work/queue.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time/time.hpp"
#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  testing::FakeClock clock;
  WorkQueue queue{clock, {.slow_workers = 1, .semaphores = {{"feed-a", 2}}}};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "queue: many adds of one key are one run") {
  for (int i = 0; i < 5; ++i) queue.add("m1", Lane::Event);
  CHECK(queue.try_take() == "m1");
  CHECK(!queue.try_take());
}

TEST_CASE_FIXTURE(Fixture, "queue: adds during a run cause exactly one more run, after it") {
  queue.add("m1", Lane::Event);
  REQUIRE(queue.try_take() == "m1");
  for (int i = 0; i < 5; ++i) queue.add("m1", Lane::Event);
  CHECK(!queue.try_take());  // at most one runner per key
  queue.done("m1");
  CHECK(queue.try_take() == "m1");
  queue.done("m1");
  CHECK(!queue.try_take());
}

TEST_CASE_FIXTURE(Fixture, "queue: a delayed key is handed out when it is time; an earlier add wins") {
  queue.add("m1", Lane::Resync, 10s);
  CHECK(!queue.try_take());
  queue.add("m1", Lane::Resync, 20s);
  clock.advance(10s);
  CHECK(queue.try_take() == "m1");
  queue.done("m1");
  queue.add("m1", Lane::Resync, 10s);
  queue.add("m1", Lane::Person);
  CHECK(queue.try_take() == "m1");
}

TEST_CASE_FIXTURE(Fixture, "queue: raising the lane never delays") {
  queue.add("m1", Lane::Resync);
  queue.add("m1", Lane::Person, 10s);
  CHECK(queue.try_take() == "m1");
}

TEST_CASE_FIXTURE(Fixture, "queue: no lane starves") {
  // Person and event work never ends; resync and slow work still gets its share.
  std::map<char, int> taken;
  for (int round = 0; round < 150; ++round) {
    for (const char lane : {'p', 'e', 'r', 's'}) {
      const auto which = lane == 'p'   ? Lane::Person
                         : lane == 'e' ? Lane::Event
                         : lane == 'r' ? Lane::Resync
                                       : Lane::Slow;
      for (int i = 0; i < 10; ++i) queue.add(std::string(1, lane) + std::to_string(i), which);
    }
    const auto key = queue.try_take();
    REQUIRE(key.has_value());
    taken[key->front()] += 1;
    queue.done(*key);
  }
  CHECK(taken['p'] == 80);
  CHECK(taken['e'] == 40);
  CHECK(taken['r'] == 20);
  CHECK(taken['s'] == 10);
}

TEST_CASE_FIXTURE(Fixture, "queue: dead machines occupy a bounded number of workers") {
  queue.add("dead1", Lane::Slow);
  queue.add("dead2", Lane::Slow);
  queue.add("live", Lane::Resync);
  std::vector<std::string> handed;
  while (auto key = queue.try_take()) handed.push_back(*key);
  CHECK(handed == std::vector<std::string>{"live", "dead1"});
  queue.done("dead1");
  CHECK(queue.try_take() == "dead2");
}

TEST_CASE_FIXTURE(Fixture, "queue: semaphores are taken with the key and given back") {
  for (const char* key : {"m1", "m2", "m3"}) queue.add(key, Lane::Event, {}, {"feed-a"});
  queue.add("m4", Lane::Event);
  CHECK(queue.try_take() == "m1");
  CHECK(queue.try_take() == "m2");
  CHECK(queue.try_take() == "m4");  // m3 waits for the feed without holding up others
  CHECK(!queue.try_take());
  queue.done("m1");
  CHECK(queue.try_take() == "m3");
}

TEST_CASE_FIXTURE(Fixture, "queue: a removed key does not run; shutting down ends everything") {
  queue.add("m1", Lane::Event);
  queue.add("m2", Lane::Event);
  queue.remove("m1");
  CHECK(queue.try_take() == "m2");
  queue.add("m2", Lane::Event);
  queue.remove("m2");
  queue.done("m2");
  CHECK(!queue.try_take());
  queue.add("m3", Lane::Event);
  queue.shut_down();
  CHECK(!queue.try_take());
  CHECK(!queue.take({}));
}

TEST_CASE("queue: with real threads, one runner per key and no lost wake-up") {
  base::SystemClock clock;
  WorkQueue queue(clock, {.slow_workers = 1, .semaphores = {}});
  constexpr int kKeys = 20;
  constexpr int kAdds = 2000;
  std::array<std::atomic<int>, kKeys> inside{};
  std::array<std::atomic<int>, kKeys> seen{};  // the newest value that a run saw
  std::array<std::atomic<int>, kKeys> value{};
  std::atomic<bool> overlap{false};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&](std::stop_token stop) {
      while (const auto key = queue.take(stop)) {
        const auto n = static_cast<std::size_t>(std::stoi(*key));
        if (++inside[n] != 1) overlap = true;
        seen[n] = value[n].load();
        --inside[n];
        queue.done(*key);
      }
    });
  }
  for (int i = 0; i < kAdds; ++i) {
    const auto n = static_cast<std::size_t>(i % kKeys);
    ++value[n];
    queue.add(std::to_string(n), Lane::Event, std::chrono::milliseconds(i % 3));
  }
  const auto deadline = clock.now() + 20s;
  const auto settled = [&] {
    const auto depth = queue.depth();
    return depth.queued == 0 && depth.running == 0;
  };
  while (!settled() && clock.now() < deadline) std::this_thread::yield();
  CHECK(settled());
  CHECK(!overlap);
  for (std::size_t n = 0; n < kKeys; ++n) CHECK(seen[n] == value[n]);
  queue.shut_down();
}

TEST_CASE("queue: a stop token wakes a waiting worker") {
  base::SystemClock clock;
  WorkQueue queue(clock, {});
  std::jthread worker([&](std::stop_token stop) { CHECK(!queue.take(stop)); });
  worker.request_stop();
}

TEST_CASE("queue: keys are taken along, run, and come back ready") {
  nimbus::testing::FakeClock clock;
  WorkQueue queue(clock, {});
  const auto all = [](const std::string&) { return true; };
  queue.add("a", Lane::Resync);
  queue.add("b", Lane::Resync, 900ms);
  queue.add("c", Lane::Resync, 1100ms);
  queue.add("slow", Lane::Slow);
  queue.add("needy", Lane::Resync, 0ms, {"feed"});
  CHECK(queue.take_along("a", 9, 1s, all).empty());  // not running
  REQUIRE(queue.try_take() == "a");
  CHECK(queue.take_along("a", 0, 1s, all).empty());
  CHECK(queue.take_along("a", 9, 1s, [](const std::string& key) { return key == "c"; }).empty());
  const auto taken = queue.take_along("a", 9, 1s, all);
  REQUIRE(taken == std::vector<std::string>{"b"});
  CHECK(queue.depth().running == 2);
  // An event meanwhile is not lost, and not run at the same time.
  queue.add("b", Lane::Person, 5s);
  REQUIRE(queue.try_take() == "needy");
  REQUIRE(queue.try_take() == "slow");
  CHECK(!queue.try_take());
  queue.give_back(taken);
  queue.give_back({"never-taken"});
  CHECK(queue.try_take() == "b");  // at once, although it was not due
  CHECK(!queue.try_take());        // and once
  clock.advance(1100ms);
  CHECK(queue.try_take() == "c");
}

TEST_CASE("queue: only what came from the resync lane gets company") {
  nimbus::testing::FakeClock clock;
  WorkQueue queue(clock, {});
  queue.add("event", Lane::Event);
  queue.add("other", Lane::Resync);
  REQUIRE(queue.try_take() == "event");
  CHECK(queue.take_along("event", 9, 1s, [](const std::string&) { return true; }).empty());
  CHECK(queue.try_take() == "other");
}

TEST_CASE("queue: a key is slowed down while it waits or runs, unless a person asked for it") {
  nimbus::testing::FakeClock clock;
  WorkQueue queue(clock, {.slow_workers = 1, .semaphores = {}});
  queue.add("dead", Lane::Slow);
  REQUIRE(queue.try_take() == "dead");  // the slow lane is full now
  queue.add("waits", Lane::Event);
  queue.slow_down("waits");
  queue.slow_down("unknown");
  CHECK(!queue.try_take());
  queue.add("runs", Lane::Event);
  REQUIRE(queue.try_take() == "runs");
  queue.add("runs", Lane::Event);
  queue.slow_down("runs");
  queue.done("runs");
  CHECK(!queue.try_take());
  queue.add("asked", Lane::Person);
  queue.slow_down("asked");
  CHECK(queue.try_take() == "asked");
  queue.done("dead");
  CHECK(queue.try_take() == "runs");
}

TEST_CASE("queue: as many runs as there are workers; one that takes long makes room, until so many wait") {
  nimbus::testing::FakeClock clock;
  WorkQueue queue(clock, {.slow_workers = 2, .workers = 2, .waiting = 2, .semaphores = {}});
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) queue.add(key, Lane::Event);
  REQUIRE(queue.try_take() == "a");
  clock.advance(WorkQueue::kGetsOn - 1ms);
  REQUIRE(queue.try_take() == "b");
  CHECK(!queue.try_take());  // two get on
  clock.advance(1ms);
  CHECK(queue.try_take() == "c");  // "a" waits
  CHECK(!queue.try_take());
  clock.advance(WorkQueue::kGetsOn);
  CHECK(queue.try_take() == "d");  // "b" waits too
  clock.advance(1h);
  CHECK(!queue.try_take());  // no more may wait: "c" and "d" keep their workers
  queue.done("a");
  CHECK(queue.try_take() == "e");  // "c" took its place
  CHECK(!queue.try_take());
  queue.done("e");
  CHECK(queue.try_take() == "f");
}

TEST_CASE("queue: what is taken along takes no worker") {
  nimbus::testing::FakeClock clock;
  WorkQueue queue(clock, {.slow_workers = 1, .workers = 2, .waiting = 0, .semaphores = {}});
  for (const char* key : {"a", "b", "c", "d"}) queue.add(key, Lane::Resync);
  REQUIRE(queue.try_take() == "a");
  const auto along = queue.take_along("a", 2, 0ms, [](const std::string&) { return true; });
  REQUIRE(along.size() == 2);
  CHECK(queue.try_take() == "d");
  queue.give_back(along);
  CHECK(!queue.try_take());
  queue.done("d");
  CHECK(queue.try_take() == "b");
}

// At a start nobody knows who is dead. On a clock that only the runs move, like 16 workers and as many BMCs as given:
// when has the last live one answered?
namespace {

std::chrono::milliseconds last_live_answer(int machines, int dead_in_hundred) {
  constexpr auto kAnswer = 12ms;
  constexpr auto kSilence = 2000ms;
  nimbus::testing::FakeClock clock;
  WorkQueue queue(clock, {.slow_workers = 4, .workers = 16, .waiting = 256, .semaphores = {}});
  const int dead = machines * dead_in_hundred / 100;
  for (int i = 0; i < machines + dead; ++i) {
    // Every so many-th is dead.
    const bool is_dead = dead > 0 && i % ((machines + dead) / dead) == 0;
    queue.add((is_dead ? "dead" : "live") + std::to_string(i), Lane::Event, std::chrono::milliseconds(i % 10));
  }
  const MonoTime start = clock.now();
  MonoTime last = start;
  std::multimap<MonoTime, std::string> under_way;
  for (int live = 0; live < machines;) {
    while (auto key = queue.try_take()) {
      under_way.emplace(clock.now() + (key->starts_with("dead") ? kSilence : kAnswer), *key);
    }
    clock.advance(1ms);
    while (!under_way.empty() && under_way.begin()->first <= clock.now()) {
      const auto key = under_way.extract(under_way.begin()).mapped();
      if (key.starts_with("live")) {
        live += 1;
        last = clock.now();
      }
      queue.done(key);
    }
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(last - start);
}

}  // namespace

TEST_CASE("queue: the first look at a fleet with dead BMCs takes hardly longer than without them") {
  for (const int machines : {500, 2000, 10'000}) {
    CAPTURE(machines);
    const auto without = last_live_answer(machines, 0);
    CHECK(last_live_answer(machines, 10).count() <= 13 * without.count() / 10);
  }
}
