#include <doctest/doctest.h>

#include "simulator/faults/engine.hpp"

using namespace nimbus::simulator;
using namespace std::chrono_literals;
using nimbus::MonoTime;

TEST_CASE("patterns") {
  CHECK(matches("*", ""));
  CHECK(matches("a*c", "abbc"));
  CHECK(matches("/redfish/v1/Systems/*/Bios*", "/redfish/v1/Systems/1/Bios/Settings"));
  CHECK_FALSE(matches("a*c", "abbd"));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("a**b", "ab"));
}

TEST_CASE("a rule has a time, a number of uses and machines") {
  FaultEngine engine(1);
  const MonoTime start{};
  engine.add({.kind = FaultKind::Drop, .machines = {"m*"}, .count = 2, .after = 10s, .lasts = 20s}, start);
  CHECK_FALSE(engine.for_ipmi("m1", start).drop);
  CHECK_FALSE(engine.for_ipmi("n1", start + 10s).drop);
  CHECK(engine.for_ipmi("m1", start + 10s).drop);
  CHECK(engine.for_ipmi("m2", start + 29s).drop);
  CHECK_FALSE(engine.for_ipmi("m1", start + 29s).drop);
  CHECK(engine.rules()[0].used == 2);
}

TEST_CASE("rules of Redfish look at method and path") {
  FaultEngine engine(1);
  const auto id = engine.add(
      {.kind = FaultKind::Status, .side = FaultSide::Redfish, .method = "POST", .path = "*Reset", .status = 503}, {});
  CHECK(engine.for_redfish("m", {.method = "POST", .path = "/x/ComputerSystem.Reset"}, {}).status == 503);
  CHECK_FALSE(engine.for_redfish("m", {.method = "GET", .path = "/x/ComputerSystem.Reset"}, {}).status.has_value());
  CHECK_FALSE(engine.for_redfish("m", {.method = "POST", .path = "/x"}, {}).status.has_value());
  CHECK_FALSE(engine.for_ipmi("m", {}).status.has_value());
  CHECK(engine.remove(id));
  CHECK(engine.empty());
}

TEST_CASE("the same seed throws the same dice") {
  const auto run = [](std::uint64_t seed) {
    FaultEngine engine(seed);
    engine.add({.kind = FaultKind::Drop, .percent = 30}, {});
    std::string out;
    for (int i = 0; i < 200; ++i) out += engine.for_ipmi("m", {}).drop ? 'x' : '.';
    return out;
  };
  CHECK(run(5) == run(5));
  CHECK(run(5) != run(6));
  const std::string dice = run(7);
  const auto dropped = std::count(dice.begin(), dice.end(), 'x');
  CHECK(dropped > 30);
  CHECK(dropped < 90);
}

TEST_CASE("a script, and the same as JSON") {
  const auto script = parse_fault_script(R"(
[[fault]]
kind = "delay"
machines = ["rack-1-*"]
side = "ipmi"
percent = 12.5
delay = "300ms"
for = "1m"
[[fault]]
kind = "restart-bmc"
after = "5s"
away = "20s"
)",
                                         "s.toml");
  REQUIRE(script.has_value());
  CHECK(script->at(0).delay == 300ms);
  CHECK(script->at(0).lasts == 60s);
  CHECK(is_event(script->at(1).kind));
  const auto json =
      parse_fault(nimbus::base::parse_json(R"({"kind":"status","status":412,"count":3,"machines":["a"]})").value());
  REQUIRE(json.has_value());
  CHECK(json->status == 412);
  CHECK(json->count == 3);
  CHECK_FALSE(parse_fault_script("[[fault]]\nkind = \"melt\"\n", "s").has_value());
  CHECK_FALSE(parse_fault_script("[[fault]]\nkind = \"drop\"\npercent = 0\n", "s").has_value());
  CHECK_FALSE(parse_fault(nimbus::base::parse_json(R"({"kind":"drop","colour":1})").value()).has_value());
}
