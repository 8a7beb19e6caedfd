#include <doctest/doctest.h>

#include <algorithm>

#include "base/time/time.hpp"
#include "simulator/fleet/build_machine.hpp"
#include "simulator/fleet/fleet_file.hpp"

using namespace nimbus::simulator;

TEST_CASE("a group of machines counts names and addresses up") {
  const auto fleet = parse_fleet(R"(
format = 1
[[machine]]
name = "node-{n}"
count = 300
redfish = "127.1.0.1:8443"
ipmi = "127.1.0.1:623"
)",
                                 "f.toml");
  REQUIRE(fleet.has_value());
  REQUIRE(fleet->machines.size() == 300);
  CHECK(fleet->machines[0].name == "node-1");
  CHECK(fleet->machines[253].ipmi == "127.1.0.254:623");
  CHECK(fleet->machines[254].ipmi == "127.1.1.1:623");
  CHECK(fleet->machines[299].redfish == "127.1.1.46:8443");
}

TEST_CASE("by port") {
  CHECK(nth_endpoint("127.0.0.1:9000", 5, Step::Port).value() == "127.0.0.1:9005");
  CHECK_FALSE(nth_endpoint("127.0.0.1:65535", 1, Step::Port).has_value());
  CHECK_FALSE(nth_endpoint("example:623", 1, Step::Address).has_value());
  CHECK_FALSE(nth_endpoint("127.0.0.1", 0, Step::Port).has_value());
}

TEST_CASE("profiles, quirks added and taken away, defaults, accounts, settings") {
  const auto fleet = parse_fleet(R"(
format = 1
seed = 9
[defaults]
profile = "supermicro"
power = "on"
[defaults.timing]
post = "1s..2s"
[hardware.big]
sockets = 4
cores_per_socket = 64
memory_gib = 1024
[[hardware.big.drive]]
size_gib = 100
type = "hdd"
[[machine]]
name = "a"
hardware = "big"
quirks = ["PW-07", "-RF-53"]
[[machine.account]]
name = "op"
password = "x"
role = "operator"
[machine.bios]
QuietBoot = false
)",
                                 "f.toml");
  REQUIRE(fleet.has_value());
  const MachineSpec& a = fleet->machines.at(0);
  CHECK(a.quirks.has(Quirk::OnConflictAfterOff));
  CHECK_FALSE(a.quirks.has(Quirk::RevertsToOnce));
  CHECK(a.quirks.has(Quirk::ModeFallsToLegacy));
  CHECK(a.hardware->cores() == 256);
  CHECK(a.hardware->memory_gib() == 1024);
  CHECK(a.hardware->drives.size() == 1);
  CHECK(a.timing.post.most == std::chrono::seconds(2));
  CHECK(a.accounts.size() == 1);
  const nimbus::base::SystemClock clock;
  const auto one = build_machine(a, fleet->seed, clock);
  const auto two = build_machine(a, fleet->seed, clock);
  REQUIRE(one.has_value());
  CHECK((*one)->identity.uuid == (*two)->identity.uuid);
  CHECK((*one)->power() == Power::On);
  CHECK((*one)->settings.current(*a.hardware->attribute("QuietBoot")) == AttributeValue(false));
}

TEST_CASE("every fault is named with its place") {
  const auto faults = parse_fleet(R"(format = 1
[[machine]]
name = "a"
ipmi = "127.0.0.1:623"
profile = "vax"
quirks = ["XX-1"]
colour = "red"
[[machine]]
name = "a"
ipmi = "127.0.0.1:623"
)",
                                  "f.toml");
  REQUIRE_FALSE(faults.has_value());
  const std::string& text = faults.error().message;
  for (const char* part :
       {"f.toml:5:", "vax", "XX-1", "colour", "two machines have the name", "two machines have the ipmi"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK_FALSE(parse_fleet("format = 2", "f").has_value());
  CHECK_FALSE(parse_fleet("[", "f").has_value());
}

TEST_CASE("VM-02: a drive that lists DVD and no CD") {
  const nimbus::base::SystemClock clock;
  for (const bool with : {false, true}) {
    const auto fleet = parse_fleet(std::string("format = 1\n[[machine]]\nname = \"m\"\nipmi = \"127.1.0.1:623\"\n") +
                                       (with ? "quirks = [\"VM-02\"]\n" : ""),
                                   "f.toml");
    REQUIRE(fleet.has_value());
    const auto machine = build_machine(fleet->machines[0], 1, clock);
    REQUIRE(machine.has_value());
    const auto& types = (*machine)->media[1].types;
    CHECK((std::find(types.begin(), types.end(), "CD") == types.end()) == with);
    CHECK(std::find(types.begin(), types.end(), "DVD") != types.end());
  }
}
