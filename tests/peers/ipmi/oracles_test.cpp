// ipmi_sim between the driver and the tools that others wrote: what one writes the
// other reads, in both directions.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "core/ports/bmc_console.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"
#include "fake_bmc_server.hpp"
#include "tests/peers/ipmi/world.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

constexpr int kKeyed = 10;
constexpr int kTools = 11;
constexpr int kSerial = 12;
constexpr int kSerialOfOthers = 13;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string sdr_cache() { return "--sdr-cache-directory=" + environment("NIMBUS_FOLDER") + " --quiet-cache "; }

}  // namespace

TEST_CASE("K_g: ipmi_sim, ipmitool, FreeIPMI and the driver agree") {
  World world;
  auto endpoint = endpoint_of(world.fleet.member(kKeyed).address);
  CHECK(contains(world.fleet.ipmitool(kKeyed, "-k sixteen-char-key power status"), "Chassis Power is"));
  CHECK(world.fleet.ipmitool(kKeyed, "power status").empty());
  CHECK(contains(world.fleet.freeipmi(kKeyed, "ipmipower", "-k sixteen-char-key --stat"), "off"));
  endpoint.credentials = {"keyed"};
  CHECK(world.attach(endpoint)->power()->power(within(10s)) == PowerState::Off);
  for (const char* name : {"admin", "wrong-key"}) {
    CAPTURE(name);
    endpoint.credentials = {name};
    const auto refused = world.attach(endpoint)->power()->power(within(10s));
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::Auth);
    CHECK(contains(refused.error().text(), "K_g"));
    CHECK_FALSE(contains(refused.error().text(), "sixteen"));
  }
}

TEST_CASE("K_g of 20 bytes: ipmitool, FreeIPMI and the driver agree on both cipher suites") {
  const std::string key = "twenty-bytes-of-key!";
  for (const int suite : {3, 17}) {
    CAPTURE(suite);
    ipmi::test::FakeBmcServer server({.suite = suite, .k_g = key, .says_k_g = true});
    server.with([](ipmi::test::FakeBmc& fake) {
      fake.on(0x00, 0x01, [](const ipmi::test::Data&) { return ipmi::test::Data{0x00, 0x21, 0x00, 0x00}; });
    });
    const auto port = std::to_string(server.address().port());
    const auto number = std::to_string(suite);
    CHECK(output_of("ipmitool -I lanplus -C " + number + " -L OPERATOR -H 127.0.0.1 -p " + port +
                    " -U admin -P secret12 -k '" + key + "' power status 2>/dev/null") == "Chassis Power is on");
    CHECK(output_of("/usr/sbin/ipmi-raw -D LAN_2_0 -I " + number + " -l OPERATOR -h 127.0.0.1:" + port +
                    " -u admin -p secret12 -k '" + key + "' 0 0 1 2>&1") == "rcvd: 01 00 21 00 00");
    CHECK(server.with([](ipmi::test::FakeBmc& fake) { return fake.sessions(); }) == 2);
  }
}

TEST_CASE("sensors, event log and inventory as FreeIPMI shows them") {
  World world;
  const auto bmc = world.attach(kTools);
  const auto sensors = bmc->sensors()->sensors(within(20s));
  REQUIRE(sensors);
  const auto shown = world.fleet.freeipmi(kTools, "ipmi-sensors", sdr_cache() + "--comma-separated-output");
  CHECK(static_cast<std::size_t>(std::count(shown.begin(), shown.end(), '\n')) == sensors->size());  // and a head line
  for (const auto& sensor : *sensors) CHECK_MESSAGE(contains(shown, "," + sensor.name + ","), sensor.name);
  CHECK(contains(shown, "Inlet Temp,Temperature,42.00,C,'OK'"));

  world.fleet.freeipmi(kTools, "ipmi-sel", sdr_cache() + "--clear");
  CHECK(bmc->event_log()->entries(100, within(20s)).value().empty());
  world.fleet.freeipmi(kTools, "ipmi-raw", "0 0x0a 0x44 0 0 2 0 0 0 0 0x20 0 4 1 1 1 0x59 95 90");
  const auto entries = bmc->event_log()->entries(100, within(20s));
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  const auto log = world.fleet.freeipmi(kTools, "ipmi-sel", sdr_cache() + "--output-event-state");
  CHECK(contains(log, "Inlet Temp"));
  CHECK(contains(log, "Upper Critical - going high"));
  CHECK(contains(log, "Critical") == (entries->front().severity == Health::Critical));

  const auto inventory = bmc->inventory()->inventory(within(20s));
  REQUIRE(inventory);
  const auto fru = world.fleet.freeipmi(kTools, "ipmi-fru", sdr_cache());
  CHECK(contains(fru, "FRU Product Manufacturer Name: " + inventory->vendor));
  CHECK(contains(fru, "FRU Product Name: " + inventory->product));
  CHECK(contains(fru, "FRU Product Serial Number: " + inventory->serial));
  CHECK(contains(fru, "FRU Product Part/Model Number: " + inventory->part_number));
  REQUIRE(inventory->management.size() == 2);
  CHECK(inventory->management[0].name == "system management URL");
  CHECK(contains(fru, "FRU Management Access System Management URL: " + inventory->management[0].text));
  CHECK(inventory->management[1].name == "system name");
  CHECK(contains(fru, "FRU Management Access System Name: " + inventory->management[1].text));
  REQUIRE(inventory->power_supplies);
  REQUIRE(inventory->power_supplies->size() == 1);
  const auto& supply = inventory->power_supplies->front();
  CHECK(contains(fru, "FRU Inventory Device: " + supply.slot));
  CHECK(contains(fru, "FRU Product Serial Number: " + supply.serial));
  REQUIRE(supply.watts);
  CHECK(contains(fru, "FRU Power Supply Overall Capacity: " + std::to_string(*supply.watts) + " Watts"));
  CHECK(supply.outputs == std::vector<std::string>{"DC output 1: 12.00 V, at most 41.0 A",
                                                   "DC output 2: 5.00 V, at most 3.0 A, standby"});
  for (const char* line :
       {"Output Number: 1", "Nominal Voltage: 12000 mV", "Maximum Current Draw: 41000 mA", "Output Number: 2",
        "Output on Standy: Yes", "Nominal Voltage: 5000 mV", "Maximum Current Draw: 3000 mA"})
    CHECK_MESSAGE(contains(fru, std::string("FRU DC Output ") + line), line);
}

TEST_CASE("users: what FreeIPMI commits the driver reads, and the other way round") {
  World world;
  const auto bmc = world.attach(kTools);
  REQUIRE(bmc->identity()->identity(within(20s)));
  world.fleet.freeipmi(kTools, "ipmi-config",
                       "--commit -e User9:Username=fred -e User9:Password=fredpass -e User9:Lan_Enable_IPMI_Msgs=Yes "
                       "-e User9:Lan_Privilege_Limit=Operator -e User9:Enable_User=Yes");
  const auto accounts = bmc->accounts()->accounts(within(20s));
  REQUIRE(accounts);
  CHECK(std::count(accounts->begin(), accounts->end(), Account{"9", "fred", AccountRole::Operator, true}) == 1);

  const auto put = bmc->accounts()->put_account("grete", Secret("gretepass"), AccountRole::Administrator, within(20s));
  REQUIRE_MESSAGE(put, (put ? "" : put.error().text()));
  const auto section = world.fleet.freeipmi(kTools, "ipmi-config", "--checkout -S User" + put->id);
  const auto has = [&](const std::string& key, const std::string& value) {
    const auto at = section.find("\t" + key + " ");
    return at != std::string::npos && section.substr(at, section.find('\n', at) - at).ends_with(" " + value);
  };
  INFO(section);
  CHECK(has("Username", "grete"));
  CHECK(contains(world.fleet.ipmitool_as(kTools, "grete", "gretepass", "power status"), "Chassis Power is"));
  CHECK(has("Lan_Enable_IPMI_Msgs", "Yes"));
  CHECK(has("Lan_Privilege_Limit", "Administrator"));
}

TEST_CASE("network settings: what ipmitool sets the driver reads") {
  World world;
  const auto bmc = world.attach(kTools);
  world.fleet.ipmitool(kTools, "lan set 1 netmask 255.240.0.0");
  world.fleet.ipmitool(kTools, "lan set 1 defgw ipaddr 127.41.0.254");
  const auto network = bmc->network()->network(within(10s));
  REQUIRE(network);
  CHECK(network->mask == "255.240.0.0");
  CHECK(network->gateway == "127.41.0.254");
}

TEST_CASE("the console of ipmi_sim, as the driver and as ipmitool see it") {
  World world;
  const auto bmc = world.attach(kSerial);
  auto console = bmc->console()->open_console(within(10s));
  REQUIRE_MESSAGE(console, (console ? "" : console.error().text()));
  std::string seen;
  const auto see = [&](const std::string& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!contains(seen, wanted)) {
      const auto got = (*console)->read({.deadline = deadline});
      if (!got) return false;
      seen += *got;
    }
    return true;
  };
  REQUIRE((*console)->write("hello\r", within(10s)));
  CHECK(see("[hello]\r\nready> "));
  const std::string many(600, 'y');  // several packets, echoed at once
  REQUIRE((*console)->write(many + "\r", within(20s)));
  CHECK(see("[" + many + "]"));
  CHECK(bmc->power()->power(within(5s)));  // beside it
  (*console)->close(within(2s));
  // Closed in the way that lets the next one in.
  auto again = bmc->console()->open_console(within(10s));
  CHECK_MESSAGE(again, (again ? "" : again.error().text()));

  const auto& address = world.fleet.member(kSerialOfOthers).address;
  const auto colon = address.find(':');
  const auto other = output_of(environment("NIMBUS_CONSOLE_OF") + " 'SOL Session operational' hello '[hello]' '~.' " +
                               "ipmitool -I lanplus -C 3 -H " + address.substr(0, colon) + " -p " +
                               address.substr(colon + 1) + " -U admin -P secret12 sol activate 2>&1");
  CHECK(contains(other, "[hello]"));
}
