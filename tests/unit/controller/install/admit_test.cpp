// When runs may begin: what waits for a limit or a window leaves its machine as it is.
#include <doctest/doctest.h>

#include "base/json/json.hpp"
#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

DesiredMachine neighbour() {
  DesiredMachine out = machine();
  out.id.machine = "m2";
  out.path = "providers/p/machines/m2.toml";
  out.mac = "52:54:00:12:34:18";
  out.identity.serial = "S2";
  return out;
}

/// web-1 runs on m1, unprotected.
struct Running : Story {
  Running() {
    push({instance("web-1", false)});
    REQUIRE(until([&] { return runs(); }));
    CHECK_FALSE(until([] { return false; }, 5));
    writes = world.power_writes;
  }
  void reinstall() {
    auto raised = instance("web-1", false);
    raised.reinstall = 1;
    push({raised});
  }
  /// m2's run, as its worker keeps it.
  void beside(reconcilers::RunKind kind, bool admitted) {
    LifeRecord record;
    record.instance = "acme/web-2";
    record.installed.emplace();
    record.installed_for = record.instance;
    auto& run = record.run.emplace();
    run.id = "r2";
    run.nonce = std::string(32, 'b');
    run.state.kind = kind;
    run.state.phase = reconcilers::RunPhase::Prepare;
    run.admitted = admitted;
    if (admitted) note_destruction(record, world.clock.wall());
    world.journal["life/p/m2"] = to_json(record);
    others = {neighbour()};
    start();
  }
  LifeRecord journal() {
    for (const auto& [key, text] : world.journal) {
      if (key.find("S1") == std::string::npos) continue;
      const auto json = base::parse_json(text);
      REQUIRE(json);
      const auto record = parse_life(*(*json)["record"].as_string());
      REQUIRE(record);
      return *record;
    }
    return {};
  }
  int writes = 0;
};

}  // namespace

TEST_CASE("a run counts before its machine is touched, so that others see it") {
  Running story;
  story.policy.limits.resize(1);
  story.reinstall();
  REQUIRE(story.until([&] { return story.world.power_writes > story.writes; }));
  CHECK(story.world.power == PowerState::Off);
  CHECK(story.world.installs == 1);
  CHECK(story.journal().run->admitted);
  CHECK(story.journal().destroyed.size() == 1);
  REQUIRE(story.until([&] { return story.world.installs == 2 && story.runs(); }));
  CHECK(story.journal().destroyed.size() == 1);  // once
}

TEST_CASE("reinstalls of one commit: beyond the budget the machine stays on, as it is") {
  Running story;
  story.policy.limits.resize(1);
  SUBCASE("another was admitted, and its machine is still on") {
    story.beside(reconcilers::RunKind::Install, true);
    story.reinstall();
    CHECK_FALSE(story.until([&] { return story.world.power_writes > story.writes; }, 50));
    CHECK(story.world.power == PowerState::On);
    CHECK(story.facts->waits.find("[destructive] of policy/limits.toml allows 1 in 24 h") != std::string::npos);
    story.world.clock.advance(24h);
    CHECK(story.until([&] { return story.world.installs == 2; }));
  }
  SUBCASE("another waits as well: one of them begins") {
    story.beside(reconcilers::RunKind::Install, false);
    story.reinstall();
    CHECK(story.until([&] { return story.world.installs == 2; }));
  }
  SUBCASE("as many are installed as may be") {
    story.policy.limits[0].destructive.count = 10;
    story.policy.limits[0].destructive.percent = 100;
    story.policy.limits[0].disruption.machines_installing = 1;
    story.beside(reconcilers::RunKind::Install, true);
    story.reinstall();
    CHECK_FALSE(story.until([&] { return story.world.power_writes > story.writes; }, 50));
    CHECK(story.facts->waits.find("machines_installing is 1") != std::string::npos);
  }
}

TEST_CASE("another attempt of a run is not counted again, and does not wait") {
  Running story;
  story.policy.limits.resize(1);
  story.world.dies_while_writing = 1;
  story.reinstall();
  REQUIRE(story.until([&] { return story.world.installs == 2 && story.runs(); }));
  CHECK(story.world.written_nonces.size() == 3);
  CHECK(story.journal().destroyed.size() == 1);
}

TEST_CASE("a brake that comes before a run is admitted leaves the budget alone") {
  Running story;
  story.policy.limits.resize(1);
  story.world.guard_refuses = "hands off";
  story.reinstall();
  CHECK_FALSE(story.until([&] { return story.world.power_writes > story.writes; }, 20));
  CHECK(story.journal().destroyed.empty());
  CHECK_FALSE(story.journal().run->admitted);
}

TEST_CASE("a release or a reinstall waits for a window; an install on a free machine does not") {
  Story story;
  story.policy.limits.resize(1);
  story.policy.limits[0].windows = {{.days = {}, .from = "00:00", .to = "00:01"}};
  story.push({instance("web-1", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
  const int writes = story.world.power_writes;
  SUBCASE("a release") { story.push({}); }
  SUBCASE("a reinstall") {
    auto raised = instance("web-1", false);
    raised.reinstall = 1;
    story.push({raised});
  }
  CHECK_FALSE(story.until([&] { return story.world.power_writes > writes; }, 50));
  CHECK(story.world.power == PowerState::On);
  CHECK(story.facts->waits.find("waits for a window of policy/limits.toml: 00:00-00:01") != std::string::npos);
  story.policy.limits[0].windows.clear();
  story.push(story.instances);
  CHECK(story.until([&] { return story.world.erases + story.world.installs == 2; }));
}

TEST_CASE("a reinstall waits for a window of the instance") {
  Running story;
  auto raised = instance("web-1", false);
  raised.reinstall = 1;
  raised.windows = {{.days = {"sun"}, .from = "00:00", .to = "00:01", .timezone = "Etc/UTC"}};
  story.push({raised});
  CHECK_FALSE(story.until([&] { return story.world.power_writes > story.writes; }, 50));
  CHECK(story.facts->waits.find("window of the instance") != std::string::npos);
}

TEST_CASE("installs take their turn at power_on_per_minute") {
  Story story;
  story.policy.disruption.power_on_per_minute = 1;
  story.world.dies_while_writing = 1;  // a second power-on soon after the first
  story.push({instance()});
  WallTime first{}, second{};
  REQUIRE(story.until([&] { return story.world.written_nonces.size() == 1; }));
  first = story.world.clock.wall();
  REQUIRE(story.until([&] { return story.world.written_nonces.size() == 2; }));
  second = story.world.clock.wall();
  CHECK(second - first >= 55s);
}
