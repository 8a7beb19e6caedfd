// What is the matter with a host: words that do not change with every measurement.
#include "controller/configure/health.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::controller;
using Kind = HostTrouble::Kind;

namespace {

host::Health well() {
  host::Health health;
  health.memory_total = 1000;
  health.memory_available = 500;
  health.file_systems = {{"/", 1000, 400}, {"/var", 1000, 400}};
  health.failed_units.emplace();
  health.time_offset_seconds = 0.5;
  health.reboot_required = false;
  return health;
}

}  // namespace

TEST_CASE("health: a host that is well, or tells nothing, has no trouble") {
  CHECK(troubles_of(well(), {}).empty());
  CHECK(troubles_of({}, {}).empty());
  CHECK(reason_of({}) == "Well");
  CHECK(text_of({}).empty());
}

TEST_CASE("health: each trouble by itself") {
  auto health = well();
  std::string reason;
  SUBCASE("a full disk") {
    health.file_systems[1].available = 49;
    reason = "DiskFull";
  }
  SUBCASE("failed units") {
    health.failed_units = {"a.service", "b.service"};
    reason = "FailedUnits";
  }
  SUBCASE("a clock that is behind") {
    health.time_offset_seconds = -5.1;
    reason = "ClockOff";
  }
  SUBCASE("no memory") {
    health.memory_available = 49;
    reason = "MemoryLow";
  }
  SUBCASE("a restart") {
    health.reboot_required = true;
    reason = "RestartDue";
  }
  const auto troubles = troubles_of(health, {});
  REQUIRE_FALSE(troubles.empty());
  CHECK(reason_of(troubles) == reason);
  CHECK_FALSE(text_of(troubles).empty());
}

TEST_CASE("health: what is near a limit does not come and go") {
  auto health = well();
  auto& disk = health.file_systems[0];
  std::vector<HostTrouble> troubles;
  const auto look = [&](std::uint64_t available) {
    disk.available = available;
    troubles = troubles_of(health, troubles);
    return !troubles.empty();
  };
  CHECK_FALSE(look(51));
  CHECK(look(49));
  CHECK(look(60));
  CHECK_FALSE(look(70));
  CHECK_FALSE(look(60));
  disk.available = 400;
  for (const auto& [offset, off] : {std::pair{4.9, false}, {5.1, true}, {2.5, true}, {1.9, false}, {2.5, false}}) {
    health.time_offset_seconds = offset;
    troubles = troubles_of(health, troubles);
    CHECK(troubles.empty() != off);
  }
}

TEST_CASE("health: the words name what is concerned, and hold no measurement") {
  std::vector<HostTrouble> troubles = {{Kind::DiskFull, "/"}, {Kind::DiskFull, "/var"}, {Kind::RestartDue, {}}};
  CHECK(text_of(troubles) == "nearly full: /, /var; it asks for a restart");
  troubles.clear();
  for (int i = 0; i < 50; ++i) troubles.push_back({Kind::FailedUnit, "u" + std::to_string(i) + ".service"});
  CHECK(text_of(troubles).size() < 200);
}
