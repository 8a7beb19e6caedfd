#include "controller/configure/host_pass.hpp"

#include <doctest/doctest.h>

#include "package_host.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {

struct World {
  World() {
    host.known = {"aaa", "bbb", "ccc"};
    target.instance = "acme/web-1";
    target.machine = "m1";
    target.mode = ConfigurationMode::Enforce;
    target.endpoint = {"192.0.2.1", "ssh-ed25519 AAAA", "nimbus"};
    target.desired = std::make_shared<DesiredMachine>();
    target.digest = "d1";
  }
  HostReport pass() { return run_host_pass(target, memory, tools, {}, {}); }
  void brake() {
    auto desired = std::make_shared<DesiredMachine>();
    desired->lifecycle.hands_off = true;
    target.desired = desired;
  }

  nimbus::testing::FakeClock clock;
  nimbus::testing::PackageHost host;
  nimbus::test::FakeHostDriver driver{host.state};
  host::Configuration wanted = nimbus::testing::packages({{"aaa", {}}, {"bbb", {"package:aaa"}}, {"ccc", {}}});
  std::vector<registry::Problem> problems;
  Authority authority{.state = Authority::State::Held, .term = 1, .detail = {}};
  std::vector<std::string> notes;
  bool audit_works = true;
  int tokens = 0;
  HostTarget target;
  HostMemory memory;
  HostTools tools{.clock = clock,
                  .hosts = &driver,
                  .build =
                      [this](const HostTarget&) {
                        return registry::HostBuild{wanted, problems};
                      },
                  .authority = [this] { return authority; },
                  .note = [this](const std::string& what, const HostTarget&, const std::string& detail) -> Result<> {
                    if (!audit_works) return Error{Code::Internal, "disk full"};
                    notes.push_back(what + ": " + detail);
                    return {};
                  },
                  .token = [this] { return "t" + std::to_string(++tokens); }};
};

}  // namespace

TEST_CASE("a host that is as declared costs one script, pass after pass") {
  World world;
  world.host.installed = world.host.known;
  for (int i = 1; i <= 3; ++i) {
    const auto report = world.pass();
    CHECK(report.converged());
    CHECK(report.scripts == 1);
    CHECK(world.host.state.scripts.size() == static_cast<std::size_t>(i));
  }
  CHECK(world.host.state.session == 1);
  CHECK(world.notes.empty());
}

TEST_CASE("what is missing is corrected level by level, each followed by a look, and then nothing is left to do") {
  World world;
  const auto report = world.pass();
  CHECK(report.converged());
  CHECK(report.corrected == 3);
  CHECK(world.host.installed == world.host.known);
  CHECK(world.host.corrections() == 2);
  CHECK(world.host.probes() == 3);
  REQUIRE(world.notes.size() == 4);
  CHECK(world.notes[0] == "host-change-intent: package:aaa, package:ccc");
  CHECK(world.notes[1] == "host-change-result: changed package:aaa, package:ccc");
  CHECK(world.notes[2] == "host-change-intent: package:bbb");
  CHECK(world.pass().scripts == 1);
}

TEST_CASE("observe reports and corrects nothing") {
  World world;
  world.target.mode = ConfigurationMode::Observe;
  const auto report = world.pass();
  CHECK_FALSE(report.converged());
  CHECK(report.gaps.size() == 3);
  CHECK(world.host.corrections() == 0);
}

TEST_CASE("brakes, a missing term and a failing audit log keep corrections from being made") {
  World world;
  SUBCASE("hands off") { world.brake(); }
  SUBCASE("no term") { world.authority.state = Authority::State::Starting; }
  SUBCASE("a hold on the controller") {
    world.tools.local_hold = [](const std::string& machine) { return machine == "m1" ? "moving the rack" : ""; };
  }
  SUBCASE("no audit log") { world.audit_works = false; }
  SUBCASE("a configuration with problems") {
    world.problems.push_back({.severity = registry::Severity::Error, .message = "two profiles disagree"});
  }
  const auto report = world.pass();
  CHECK_FALSE(report.converged());
  CHECK((report.refusal || report.error || !report.problems.empty()));
  CHECK(world.host.corrections() == 0);
  CHECK(world.host.installed.empty());
}

TEST_CASE("what is in force changes while levels are corrected: no further one is") {
  World world;
  world.tools.superseded = [&]() -> std::optional<Refusal> {
    if (world.host.corrections() == 0) return std::nullopt;
    return Refusal{kSuperseded, "a newer commit"};
  };
  const auto report = world.pass();
  CHECK(world.host.corrections() == 1);
  CHECK(world.host.installed == std::set<std::string>{"aaa", "ccc"});
  CHECK(report.corrected == 2);
  REQUIRE(report.refusal);
  CHECK(report.refusal->reason == kSuperseded);
}

TEST_CASE("a machine whose file is gone is only looked at") {
  World world;
  world.target.desired = nullptr;
  const auto report = world.pass();
  CHECK(report.looked);
  REQUIRE(report.refusal);
  CHECK(report.refusal->reason == "Unmanaged");
  CHECK(world.host.corrections() == 0);
}

TEST_CASE("a controller that stood still before a correction left asks the guard again") {
  World world;
  bool stopped = false;
  int asked = 0;
  world.tools.authority = [&] { return ++asked, world.authority; };
  SUBCASE("deposed meanwhile: nothing is sent") {
    world.host.state.leaves = [&] {
      if (!std::exchange(stopped, true)) return world.clock.now();  // the look
      world.clock.advance(10min);
      world.authority.state = Authority::State::Deposed;
      return world.clock.now();
    };
    const auto report = world.pass();
    CHECK(world.host.corrections() == 0);
    REQUIRE(report.refusal);
    CHECK(report.refusal->reason == "Deposed");
    CHECK_FALSE(report.unfinished);
    CHECK_FALSE(report.error);
    CHECK(asked == 2);
    REQUIRE(world.notes.size() == 2);
    CHECK(world.notes[1].find("host-change-result: not sent: ") == 0);
  }
  SUBCASE("still ours: it is sent then") {
    world.host.state.leaves = [&] {
      if (asked == 1 && !std::exchange(stopped, true)) world.clock.advance(10s);
      return world.clock.now();
    };
    const auto report = world.pass();
    CHECK(report.converged());
    CHECK(asked == 3);
    CHECK(world.host.corrections() == 2);
  }
  SUBCASE("the host is slower than any permission lasts: told, and not counted against what is declared") {
    world.host.state.leaves = [&] {
      if (asked > 0) world.clock.advance(20s);
      return world.clock.now();
    };
    const auto report = world.pass();
    CHECK(world.host.corrections() == 0);
    REQUIRE(report.error);
    CHECK(report.error->code == Code::Conflict);
    CHECK(report.failed.empty());
    CHECK(world.memory.futile.empty());
  }
}

TEST_CASE("a failure stops what depends on it, and nothing else") {
  World world;
  world.host.refuses = {"aaa"};
  const auto report = world.pass();
  CHECK(world.host.installed == std::set<std::string>{"ccc"});
  REQUIRE(report.failed.size() == 1);
  CHECK(report.failed[0].resource == "package:aaa");
  CHECK(report.failed[0].reason.find("exit status 100") != std::string::npos);
  CHECK(report.failed[0].reason.find("words of aaa") != std::string::npos);
  CHECK_FALSE(report.failed[0].held);
}

TEST_CASE("what fails again and again rests, and is tried once more after an hour, or for another commit") {
  World world;
  world.host.refuses = {"aaa"};
  for (int i = 0; i < kMostAttempts; ++i) world.pass();
  const auto before = world.host.corrections();
  auto report = world.pass();
  CHECK(world.host.corrections() == before);
  CHECK(report.scripts == 1);
  REQUIRE(report.failed.size() == 1);
  CHECK(report.failed[0].held);
  SUBCASE("after an hour") { world.clock.advance(61min); }
  SUBCASE("after an hour, whatever time of day it is by then") {
    world.clock.set_wall(-24h * 365);
    world.clock.advance(61min);
  }
  SUBCASE("another commit") { world.target.digest = "d2"; }
  world.host.refuses.clear();
  report = world.pass();
  CHECK(report.converged());
  CHECK(world.host.installed == world.host.known);
}

TEST_CASE("what the host's look does not confirm has failed, whatever the script said") {
  World world;
  world.host.pretends = {"ccc"};
  const auto report = world.pass();
  REQUIRE(report.failed.size() == 1);
  CHECK(report.failed[0].resource == "package:ccc");
  CHECK(world.host.installed == std::set<std::string>{"aaa", "bbb"});
}

TEST_CASE("what something else on the host changes back every time comes to rest") {
  World world;
  for (std::size_t i = 0; i < kMostCorrectionsInAnHour; ++i) {
    world.host.installed.erase("ccc");
    world.pass();
    world.clock.advance(1min);
  }
  world.host.installed.erase("ccc");
  const auto before = world.host.corrections();
  const auto report = world.pass();
  CHECK(world.host.corrections() == before);
  REQUIRE(report.failed.size() == 1);
  CHECK(report.failed[0].reason.find("changes it back") != std::string::npos);
  // Not by the time of day, which may be set back.
  world.clock.set_wall(-24h * 365);
  world.clock.advance(61min);
  CHECK(world.pass().converged());
  world.clock.advance(61min);
  world.host.installed.erase("ccc");
  CHECK(world.pass().converged());
  world.host.installed.erase("ccc");
  CHECK(world.pass().converged());
}

TEST_CASE("a correction whose end is not known is not repeated blindly: the next pass looks first") {
  World world;
  world.host.drops_corrections = true;
  auto report = world.pass();
  REQUIRE(report.error);
  CHECK(report.error->code == Code::Timeout);
  CHECK(report.unfinished);
  CHECK(world.host.corrections() == 1);
  CHECK(world.notes.back().find("not known") != std::string::npos);
  world.host.drops_corrections = false;
  report = world.pass();
  CHECK(report.converged());
  // Only what was still missing: the first level had run.
  CHECK(world.host.corrections() == 2);
}

TEST_CASE("a host that cannot be looked at is told, and nothing is decided from it") {
  World world;
  world.host.fails = Error{Code::Untrusted, "another key"};
  const auto report = world.pass();
  REQUIRE(report.error);
  CHECK(report.error->code == Code::Untrusted);
  CHECK_FALSE(report.looked);
  CHECK(world.host.state.scripts.size() == 1);
}

TEST_CASE("another host key or address is another session") {
  World world;
  world.host.installed = world.host.known;
  world.pass();
  world.target.endpoint.host_key = "ssh-ed25519 BBBB";
  world.pass();
  REQUIRE(world.host.state.attached.size() == 2);
  CHECK(world.host.state.attached[1].host_key == "ssh-ed25519 BBBB");
}
