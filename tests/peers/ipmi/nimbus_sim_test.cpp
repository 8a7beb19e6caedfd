// The driver against nimbus-sim: every vendor profile, every IPMI quirk and every fault,
// each on a machine of its own. The simulator shares no protocol code with the driver;
// its journal says what reached the machine.
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>

#include "base/json/json.hpp"
#include "core/ports/bmc_console.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"
#include "drivers/ipmi/quirks.hpp"
#include "tests/peers/ipmi/world.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE(value != nullptr);
  return value;
}

struct Machine {
  std::string name;  // "p-idrac9", "q-IP-04", "f-drop"
  std::string address;
};

class Simulated {
 public:
  Simulated() {
    std::istringstream lines(variable("NIMBUS_SIM_MACHINES"));
    for (Machine one; lines >> one.name >> one.address;) machines_.push_back(one);
    REQUIRE(machines_.size() > 20);
  }
  const std::vector<Machine>& machines() const { return machines_; }
  const Machine& machine(const std::string& name) const {
    const auto found =
        std::find_if(machines_.begin(), machines_.end(), [&](const auto& one) { return one.name == name; });
    REQUIRE(found != machines_.end());
    return *found;
  }
  std::string control(const std::string& method, const std::string& path, const std::string& body = "") const {
    const auto data = body.empty() ? "" : " -d '" + body + "'";
    return output_of("curl -s --unix-socket " + variable("NIMBUS_SIM_CONTROL") + " -X " + method + data +
                     " http://sim" + path);
  }
  base::Json state(const std::string& name) const {
    return base::parse_json(control("GET", "/machines/" + name)).value();
  }
  /// How often a command with these data reached the machine and was obeyed.
  int times(const std::string& name, std::string_view what, std::string_view detail) const {
    const auto journal = base::parse_json(control("GET", "/machines/" + name + "/journal")).value();
    int count = 0;
    for (const auto& entry : journal["entries"].items()) {
      count += entry["what"].as_string() == what && entry["detail"].as_string() == detail &&
                       entry["outcome"].as_string() == "ok"
                   ? 1
                   : 0;
    }
    return count;
  }

 private:
  std::vector<Machine> machines_;
};

struct SimSecrets final : Secrets {
  std::string password = "password";
  Result<Credential> credential(std::string_view name, std::string_view) const override {
    return Credential{std::string(name), std::string(name), Secret(password), {}};
  }
};

struct SimWorld {
  Simulated sim;
  base::SystemClock clock;
  SimSecrets secrets;
  std::unique_ptr<BmcDriver> driver = std::move(ipmi::make_ipmi_driver(clock).value());

  std::unique_ptr<Bmc> attach(const std::string& machine, std::vector<std::string> quirks = {},
                              const char* user = "admin") {
    return std::move(driver
                         ->attach({.driver = "ipmi",
                                   .address = sim.machine(machine).address,
                                   .credentials = {user},
                                   .privilege = IpmiPrivilege::Administrator,
                                   .quirks = std::move(quirks)},
                                  secrets)
                         .value());
  }
  std::string ipmitool(const std::string& machine, const std::string& password, const std::string& arguments,
                       const std::string& user = "admin") const {
    const auto& address = sim.machine(machine).address;
    const auto colon = address.find(':');
    return output_of("ipmitool -I lanplus -C 17 -H " + address.substr(0, colon) + " -p " + address.substr(colon + 1) +
                     " -U " + user + " -P " + password + " " + arguments + " 2>/dev/null");
  }
};

template <class T>
std::string text(const Result<T>& result) {
  return result ? "ok" : result.error().text();
}

/// Until `condition`, or for a while.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 15s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

/// What the registry must say of a machine, because the BMC does not tell by itself.
std::vector<std::string> forced(const std::string& machine) {
  for (const char* id : {"authcap", "intel20", "nochecksumcheck", "bootflagsvalid", "IP-01", "IP-09", "IP-10"}) {
    if (machine == std::string("q-") + id) return {id};
  }
  return {};
}

}  // namespace

TEST_CASE("nimbus-sim has a toggle of the same id for every quirk of the driver") {
  const auto listed = "\n" + output_of(variable("NIMBUS_SIM_PROGRAM") + " quirks");
  for (const auto& quirk : ipmi::quirk_table()) {
    CHECK_MESSAGE(listed.find("\n" + std::string(quirk.id) + "\t") != std::string::npos, quirk.id);
    CHECK_MESSAGE(!quirk.evidence.empty(), quirk.id);
  }
}

TEST_CASE("nimbus-sim: every profile and every quirk") {
  SimWorld world;
  const BootOverride disk{
      .device = BootDevice::Disk, .times = BootTimes::Always, .mode = BootMode::Uefi, .http_uri = {}};
  const BootOverride pxe{.device = BootDevice::Pxe, .mode = BootMode::Uefi, .http_uri = {}};
  std::vector<std::string> names;
  for (const auto& machine : world.sim.machines()) {
    if (machine.name[0] != 'f') names.push_back(machine.name);
  }
  REQUIRE(names.size() > 20);
  in_parallel(names, [&](const std::string& name) {
    CAPTURE(name);
    const auto bmc = world.attach(name, forced(name));
    const auto identity = bmc->identity()->identity(within(20s));
    REQUIRE_MESSAGE(identity, text(identity));
    CHECK(identity->serial == "SN-" + name);
    CHECK(bmc->power()->power(within(5s)) == PowerState::Off);

    const auto armed = bmc->boot()->arm_boot(disk, within(10s));
    CHECK_MESSAGE(armed == WriteOutcome::Accepted, text(armed));
    CHECK(world.sim.state(name)["boot"]["override"]["device"].as_string() == "disk");
    CHECK(bmc->boot()->boot_override(within(5s)) == disk);
    CHECK(bmc->boot()->arm_boot(pxe, within(10s)) == WriteOutcome::Accepted);
    CHECK(bmc->boot()->boot_override(within(5s)) == pxe);

    const auto on = bmc->power()->act(PowerAction::On, within(10s));
    CHECK_MESSAGE(on == WriteOutcome::Accepted, text(on));
    CHECK(eventually([&] { return bmc->power()->power(within(5s)) == PowerState::On; }));
    const auto reset = bmc->power()->act(PowerAction::Reset, within(10s));
    CHECK_MESSAGE(reset == WriteOutcome::Accepted, text(reset));
    CHECK(world.sim.times(name, "chassis-control", "01") == 1);
    CHECK(world.sim.times(name, "chassis-control", "03") == 1);

    if (name == "q-IP-01") return;  // a quarter of a second between commands: the rest takes half a minute
    const auto sensors = bmc->sensors()->sensors(within(30s));
    REQUIRE_MESSAGE(sensors, text(sensors));
    CHECK(std::any_of(sensors->begin(), sensors->end(), [](const auto& sensor) {
      return sensor.kind == SensorKind::Temperature && sensor.value && sensor.health == Health::Ok;
    }));
    CHECK(bmc->event_log()->entries(10, within(20s)));
    const auto inventory = bmc->inventory()->inventory(within(20s));
    REQUIRE_MESSAGE(inventory, text(inventory));
    CHECK(!inventory->vendor.empty());
    CHECK(bmc->inventory()->firmware(within(5s)).value().size() == 1);
    CHECK(bmc->network()->network(within(5s)));
    const auto accounts = bmc->accounts()->accounts(within(20s));
    REQUIRE_MESSAGE(accounts, text(accounts));
    CHECK(accounts->front().name == "admin");
    bmc->close(within(1s));
  });
}

TEST_CASE("nimbus-sim: a quirk that is not forced is a clear refusal") {
  SimWorld world;
  const auto denied = world.attach("q-authcap")->power()->power(within(5s));
  REQUIRE(!denied);
  CHECK(denied.error().code == Code::Unsupported);
  CHECK(denied.error().message.find("authcap") != std::string::npos);
  const auto unknown = world.attach("q-intel20")->power()->power(within(5s));
  REQUIRE(!unknown);
  CHECK(unknown.error().code == Code::Auth);
}

TEST_CASE("nimbus-sim: faults; at most one reset reaches the machine, and no success is claimed in vain") {
  SimWorld world;
  struct Case {
    const char* machine;
    const char* rule;  // without machine
  };
  const Case cases[] = {
      {"f-drop", R"("kind":"drop","percent":30)"},
      {"f-delay", R"("kind":"delay","delay":"400ms")"},
      {"f-garbage", R"("kind":"garbage","percent":30)"},
      {"f-busy", R"("kind":"completion-code","completion_code":192,"count":2)"},
      {"f-refuse", R"("kind":"completion-code","completion_code":213)"},
      {"f-duplicate", R"("kind":"duplicate")"},
      {"f-lie", R"("kind":"lie")"},
      {"f-stale", R"("kind":"stale")"},
      {"f-restart", R"("kind":"restart-bmc","away":"500ms")"},
  };
  in_parallel(cases, [&](const Case& one) {
    const std::string name = one.machine;
    CAPTURE(name);
    world.sim.control("POST", "/machines/" + name + "/power", R"({"action":"On"})");
    REQUIRE(eventually([&] { return world.sim.state(name)["power"].as_string() == "on"; }));
    const auto bmc = world.attach(name);
    REQUIRE(bmc->identity()->identity(within(20s)));
    const auto fault = base::parse_json(world.sim.control(
        "POST", "/faults", std::string("{") + one.rule + R"(,"side":"ipmi","machines":[")" + name + "\"]}"));
    REQUIRE(fault);
    const auto outcome = bmc->power()->act(PowerAction::Reset, within(5s));
    const int resets = world.sim.times(name, "chassis-control", "03");
    MESSAGE(text(outcome), resets);
    CHECK(resets <= 1);
    // The simulator's lie is acknowledged and recorded, and changes nothing: that is what
    // reading again is for.
    if (outcome && *outcome == WriteOutcome::Accepted) CHECK(resets == 1);
    if (!outcome) CHECK(resets == 0);
    world.sim.control("DELETE", "/faults/" + std::to_string((*fault)["id"].as_int().value_or(0)));
    // And when the fault is over the BMC is usable again.
    CHECK(eventually([&] { return bmc->power()->power(within(5s)).has_value(); }));
    bmc->close(within(1s));
  });
  const auto crowded = world.attach("f-sessions");
  world.sim.control("POST", "/faults", R"({"kind":"no-sessions","side":"ipmi","machines":["f-sessions"]})");
  const auto power = crowded->power()->power(within(5s));
  world.sim.control("DELETE", "/faults");
  REQUIRE(!power);
  CHECK(power.error().code == Code::Busy);
  CHECK(crowded->power()->power(within(5s)));
}

TEST_CASE("nimbus-sim: passwords of 16 and 20 bytes, both ways with ipmitool") {
  SimWorld world;
  const auto bmc = world.attach("f-users");
  REQUIRE(bmc->identity()->identity(within(10s)));
  const std::string longest = "12345678901234567890";
  for (const std::string& password : {longest.substr(0, 16), longest.substr(0, 17), longest}) {
    CAPTURE(password.size());
    const auto put = bmc->accounts()->put_account("nimbus", Secret(password), AccountRole::Administrator, within(10s));
    REQUIRE_MESSAGE(put, text(put));
    CHECK(world.ipmitool("f-users", password, "power status", "nimbus") == "Chassis Power is off");
    CHECK(world.ipmitool("f-users", password.substr(0, 15), "power status", "nimbus").empty());
  }
  world.ipmitool("f-users", "password", "user set password 2 " + longest + " 20");
  SimWorld other;
  other.secrets.password = longest;
  CHECK(other.attach("f-users")->power()->power(within(10s)));
  other.secrets.password = longest.substr(0, 16);
  CHECK(other.attach("f-users")->power()->power(within(10s)).error().code == Code::Auth);
}

TEST_CASE("nimbus-sim: restart of the BMC") {
  SimWorld world;
  const std::vector<std::pair<std::string, WriteOutcome>> cases{{"f-reset", WriteOutcome::Accepted},
                                                                {"q-IP-21", WriteOutcome::Unknown}};
  in_parallel(cases, [&](const auto& one) {
    const auto& [name, outcome] = one;
    CAPTURE(name);
    const auto bmc = world.attach(name);
    CHECK(bmc->reset()->reset_bmc(within(5s)).error().code == Code::Conflict);
    REQUIRE(bmc->identity()->identity(within(10s)));
    const auto before = bmc->identity()->session();
    CHECK(bmc->reset()->reset_bmc(within(3s)) == outcome);
    CHECK(bmc->power()->act(PowerAction::On, within(3s)).error().code == Code::Conflict);
    CHECK(eventually([&] { return bmc->power()->power(within(5s)).has_value(); }));
    CHECK(bmc->identity()->session() > before);
    CHECK(world.sim.times(name, "cold-reset", "") == 1);
  });
}

TEST_CASE("nimbus-sim: what ipmitool and FreeIPMI arm the driver reads, and the other way round") {
  SimWorld world;
  const auto bmc = world.attach("f-boot");
  REQUIRE(bmc->identity()->identity(within(10s)));
  const auto tool = [&](const std::string& arguments) { return world.ipmitool("f-boot", "password", arguments); };
  tool("chassis bootdev pxe options=efiboot");
  CHECK(bmc->boot()->boot_override(within(5s)) ==
        BootOverride{.device = BootDevice::Pxe, .mode = BootMode::Uefi, .http_uri = {}});
  tool("raw 0 8 5 0xc0 0x98 1 2 3");  // for good, BIOS, setup, and clear CMOS
  CHECK(bmc->boot()->boot_override(within(5s)) ==
        BootOverride{.device = BootDevice::Setup, .times = BootTimes::Always, .mode = BootMode::Bios, .http_uri = {}});
  const BootOverride cd{.device = BootDevice::Cd, .times = BootTimes::Always, .mode = BootMode::Uefi, .http_uri = {}};
  CHECK(bmc->boot()->arm_boot(cd, within(5s)) == WriteOutcome::Accepted);
  CHECK(tool("raw 0 9 5 0 0") == " 01 05 e0 14 00 00 00");  // nothing of it is left
  CHECK(tool("raw 0 9 3 0 0") == " 01 03 08");              // and it is kept longer than a minute
  const auto& address = world.sim.machine("f-boot").address;
  const auto freeipmi = [&](const std::string& rest) {
    return output_of("/usr/sbin/ipmi-raw -D LAN_2_0 -I 17 -h " + address + " -u admin -p password -l ADMIN " + rest +
                     " 2>&1");
  };
  CHECK(freeipmi("0 0 9 5 0 0") == "rcvd: 09 00 01 05 E0 14 00 00 00");
  freeipmi("0 0 8 5 0x80 0x08 0 0 0");
  CHECK(bmc->boot()->boot_override(within(5s)) ==
        BootOverride{.device = BootDevice::Disk, .mode = BootMode::Bios, .http_uri = {}});
  CHECK(bmc->boot()->arm_boot({.http_uri = {}}, within(5s)) == WriteOutcome::Accepted);
  CHECK(bmc->boot()->boot_override(within(5s)) == BootOverride{});
}

TEST_CASE("nimbus-sim: sensors, events and inventory are those that ipmitool shows") {
  SimWorld world;
  const auto bmc = world.attach("f-boot");
  world.sim.control("POST", "/machines/f-boot/sensor", R"({"name":"Inlet Temp","value":43})");
  const auto sensors = bmc->sensors()->sensors(within(20s));
  REQUIRE(sensors);
  const auto shown = world.ipmitool("f-boot", "password", "sdr elist full");
  std::size_t compared = 0;
  for (const auto& sensor : *sensors) {
    CHECK_MESSAGE(shown.find(sensor.name) != std::string::npos, sensor.name);
    if (sensor.name == "Inlet Temp") CHECK(sensor.value == doctest::Approx(43));
    ++compared;
  }
  CHECK(compared > 3);
  CHECK(std::count(shown.begin(), shown.end(), '\n') + 1 == static_cast<std::ptrdiff_t>(compared));
  world.sim.control("POST", "/machines/f-boot/sensor", R"({"name":"Inlet Temp","value":90})");
  const auto events = bmc->event_log()->entries(5, within(20s));
  REQUIRE_MESSAGE(events, text(events));
  REQUIRE(!events->empty());
  CHECK(events->back().sensor == "Inlet Temp");
  CHECK(events->back().severity >= Health::Warning);
  CHECK(events->back().when);
  CHECK(world.ipmitool("f-boot", "password", "sel elist").find("Inlet Temp") != std::string::npos);
}

TEST_CASE("nimbus-sim: the console") {
  SimWorld world;
  const auto bmc = world.attach("f-console");
  auto console = bmc->console()->open_console(within(10s));
  REQUIRE_MESSAGE(console, text(console));
  const auto second = bmc->console()->open_console(within(10s));
  REQUIRE(!second);
  CHECK(second.error().code == Code::Busy);
  std::string seen;
  const auto see = [&](std::string_view wanted) {
    return eventually([&] {
      const auto got = (*console)->read(within(200ms));
      if (got) seen += *got;
      return seen.find(wanted) != std::string::npos;
    });
  };
  world.sim.control("POST", "/machines/f-console/power", R"({"action":"On"})");
  CHECK(see("login: "));
  seen.clear();
  std::string typed(700, 'x');  // several packets
  typed += "END";
  REQUIRE((*console)->write(typed, within(10s)));
  CHECK(see("xEND"));
  CHECK(std::count(seen.begin(), seen.end(), 'x') == 700);
  CHECK((*console)->send_break(within(5s)));
  CHECK((*console)->read(within(50ms)).error().code == Code::Timeout);

  // On a network that loses a third of all answers nothing is lost or doubled.
  world.sim.control("POST", "/faults", R"({"kind":"drop","percent":30,"side":"ipmi","machines":["f-console"]})");
  seen.clear();
  std::string numbers;
  for (int i = 100; i < 160; ++i) numbers += std::to_string(i) + " ";
  CHECK((*console)->write(numbers, within(30s)));
  world.sim.control("DELETE", "/faults");
  CHECK(see("159 "));
  CHECK(seen.find(numbers) != std::string::npos);
  CHECK(bmc->power()->power(within(5s)));  // beside it

  (*console)->close(within(2s));
  CHECK(!(*console)->write("x", within(1s)));
  auto third = bmc->console()->open_console(within(10s));
  REQUIRE_MESSAGE(third, text(third));
  // Somebody else ends it.
  world.ipmitool("f-console", "password", "sol deactivate");
  (*third)->close(within(2s));
}
