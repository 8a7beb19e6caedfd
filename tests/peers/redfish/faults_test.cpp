// The driver against every fault of nimbus-sim's scripts, on reads and on writes: each
// call ends in time and says what it knows, what was asked for happens once, and all is
// well when the fault is over. The simulator's journal says what reached the machine.
#include <doctest/doctest.h>

#include "simulator.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

constexpr auto kCallTime = 1s;

struct Fault {
  std::string name;  // also the machine's
  std::string rule;  // JSON, without the machine
};

/// Each kind that concerns Redfish on each kind of request.
std::vector<Fault> faults() {
  const std::pair<const char*, const char*> kinds[] = {
      {"drop", R"("kind":"drop","count":2)"},
      {"delay", R"("kind":"delay","delay":"3s","count":2)"},
      {"drip", R"("kind":"drip","bytes":10,"count":2)"},
      {"truncate", R"("kind":"truncate","bytes":20,"count":2)"},
      {"garbage", R"("kind":"garbage","count":2)"},
      {"busy", R"("kind":"status","status":503,"retry_after":1,"count":2)"},
      {"rate", R"("kind":"status","status":429,"retry_after":1,"count":2)"},
      {"error", R"("kind":"status","status":500,"count":2)"},
      {"expired", R"("kind":"status","status":401,"path":"*/Systems/*","count":1)"},
      {"lie", R"("kind":"lie","count":1)"},
      {"stale", R"("kind":"stale","for":"2s")"},
      {"no-sessions", R"("kind":"no-sessions","for":"1s")"},
      {"restart-bmc", R"("kind":"restart-bmc","away":"1s")"},
      {"purge-tasks", R"("kind":"purge-tasks")"},
  };
  std::vector<Fault> all;
  for (const auto& [kind, rule] : kinds) {
    const std::string text = rule;
    const bool by_method = text.find("count") != std::string::npos;
    for (const char* method : {"GET", "POST", "PATCH"}) {
      all.push_back({.name = std::string(kind) + (by_method ? std::string("-") + method : ""),
                     .rule = text + (by_method ? std::string(R"(,"method":")") + method + "\"" : "")});
      if (!by_method) break;
    }
  }
  return all;
}

struct Outcome {
  bool armed = false;
  bool on = false;
  int power_asked = 0;  // calls after which the BMC may have acted
  std::chrono::milliseconds slowest{0};
  std::string last;
};

class Run {
  template <class Do>
  auto timed(Do act) {
    const auto started = std::chrono::steady_clock::now();
    auto result = act(Call{started + kCallTime});
    const auto took = std::chrono::steady_clock::now() - started;
    out_.slowest = std::max(out_.slowest, std::chrono::duration_cast<std::chrono::milliseconds>(took));
    if (!result) out_.last = result.error().text();
    return result;
  }

 public:
  Run(Bmc& bmc, Outcome& out) : bmc_(bmc), out_(out) {}

  /// As the controller does it: the identity, a boot override, power on; look again
  /// before anything is repeated.
  void bring_up(MonoTime deadline) {
    auto look_again_for = std::chrono::steady_clock::time_point{};
    while (std::chrono::steady_clock::now() < deadline && !(out_.armed && out_.on)) {
      std::this_thread::sleep_for(50ms);
      if (!timed([&](const Call& call) { return bmc_.identity()->identity(call); })) continue;
      if (!out_.armed) {
        const auto done = timed([&](const Call& call) {
          return bmc_.boot()->arm_boot(
              {.device = BootDevice::Pxe, .times = BootTimes::Once, .mode = {}, .http_uri = {}}, call);
        });
        if (!done) continue;
        const auto shown = timed([&](const Call& call) { return bmc_.boot()->boot_override(call); });
        out_.armed = shown && shown->device == BootDevice::Pxe;
        continue;
      }
      const auto state = timed([&](const Call& call) { return bmc_.power()->power(call); });
      if (!state) continue;
      out_.on = *state == PowerState::On;
      // It may be on its way; an answer may have been a lie.
      if (out_.on || std::chrono::steady_clock::now() < look_again_for) continue;
      const auto done = timed([&](const Call& call) { return bmc_.power()->act(PowerAction::On, call); });
      if (!done) continue;
      ++out_.power_asked;
      look_again_for = std::chrono::steady_clock::now() + 3s;
    }
  }

 private:
  Bmc& bmc_;
  Outcome& out_;
};

/// Resets that the BMC says it did.
std::size_t resets(Simulator& simulator, const std::string& name) {
  const auto json = base::parse_json(simulator.control("GET", "/machines/" + name + "/journal"));
  if (!json) return 999;
  const auto& entries = (*json)["entries"].items();
  return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), [](const base::Json& entry) {
    return entry["what"].as_string() == "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset" &&
           entry["outcome"].as_string().value_or("").starts_with('2');
  }));
}

}  // namespace

TEST_CASE("nimbus-sim: every fault, on reads and on writes: in time, once, and well afterwards") {
  const auto all = faults();
  std::vector<Subject> machines;
  for (const auto& fault : all) machines.push_back({.name = fault.name, .lines = "", .forced = {}});
  Simulator simulator(machines);
  const OneSecret secrets("password");
  const auto driver = redfish::make_redfish_driver({});
  std::vector<std::unique_ptr<Bmc>> bmcs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto bmc = driver->attach(
        {.driver = "redfish", .address = simulator.url(i), .tls = {.pins = {simulator.pin}}, .credentials = {"bmc/1"}},
        secrets);
    REQUIRE(bmc.has_value());
    bmcs.push_back(std::move(*bmc));
    const auto set = simulator.control(
        "POST", "/faults", "{\"machines\":[\"" + all[i].name + "\"],\"side\":\"redfish\"," + all[i].rule + "}");
    REQUIRE_MESSAGE(set.find("\"id\"") != std::string::npos, all[i].name, ": ", set);
  }
  std::vector<Outcome> outcomes(all.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < all.size(); ++i)
    threads.emplace_back([&, i] { Run(*bmcs[i], outcomes[i]).bring_up(in(40s)); });
  for (auto& thread : threads) thread.join();

  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& name = all[i].name;
    const auto& out = outcomes[i];
    CHECK_MESSAGE(out.armed, name, ": ", out.last);
    CHECK_MESSAGE(out.on, name, ": ", out.last);
    CHECK_MESSAGE(simulator.power(name) == "on", name);
    CHECK_MESSAGE(simulator.count(name, "powered-on") == 1, name);
    CHECK_MESSAGE(simulator.count(name, "powered-off") == 0, name);
    CHECK_MESSAGE(resets(simulator, name) <= static_cast<std::size_t>(out.power_asked), name);
    CHECK_MESSAGE(out.slowest < kCallTime + 1s, name, ": ", out.slowest.count(), " ms");
  }
  const auto rules = base::parse_json(simulator.control("GET", "/faults"));
  REQUIRE(rules.has_value());
  REQUIRE((*rules)["faults"].items().size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    // A rule that never struck shows nothing.
    CHECK_MESSAGE((*rules)["faults"].items()[i]["used"].as_int().value_or(0) > 0, all[i].name);
  }
  for (auto& bmc : bmcs) bmc->close({in(2s)});
}

TEST_CASE("nimbus-sim: another certificate: nothing is sent any more, whatever is asked") {
  Simulator simulator(std::vector<Subject>{{.name = "other", .lines = "", .forced = {}}});
  const OneSecret secrets("password");
  const auto driver = redfish::make_redfish_driver({});
  auto bmc = driver->attach(
      {.driver = "redfish", .address = simulator.url(0), .tls = {.pins = {simulator.pin}}, .credentials = {"bmc/1"}},
      secrets);
  REQUIRE(bmc.has_value());
  REQUIRE((*bmc)->identity()->identity({in(5s)}).has_value());
  (void)simulator.control("POST", "/faults", R"({"machines":["other"],"kind":"new-certificate"})");
  (void)simulator.control("POST", "/machines/other/bmc-restart", R"({"away_ms":10})");
  const auto deadline = in(20s);
  Result<PowerState> seen = PowerState::Off;
  while (std::chrono::steady_clock::now() < deadline) {
    seen = (*bmc)->power()->power({in(1s)});
    if (!seen && seen.error().code == Code::Untrusted) break;
    std::this_thread::sleep_for(50ms);
  }
  REQUIRE(!seen);
  CHECK_MESSAGE(seen.error().code == Code::Untrusted, seen.error().text());
  CHECK(!(*bmc)->power()->act(PowerAction::On, {in(1s)}).has_value());
  CHECK(resets(simulator, "other") == 0);
  CHECK(simulator.power("other") == "off");
}
