// Sensors, event log, inventory, users and network settings of ipmi_sim: what the
// driver reads is what ipmitool shows, and what ipmitool writes the driver reads, and
// the other way round.
#include <algorithm>

#include <doctest/doctest.h>

#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"
#include "tests/peers/ipmi/world.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const SensorReading* find(const std::vector<SensorReading>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const Account* find(const std::vector<Account>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("sensors as ipmitool shows them") {
  World world;
  const auto bmc = world.attach(2);
  const auto sensors = bmc->sensors()->sensors(within(20s));
  REQUIRE(sensors);
  const auto* inlet = find(*sensors, "Inlet Temp");
  const auto* fan = find(*sensors, "Fan 1");
  REQUIRE(inlet != nullptr);
  REQUIRE(fan != nullptr);
  CHECK(inlet->value == doctest::Approx(42));
  CHECK(inlet->kind == SensorKind::Temperature);
  CHECK(inlet->unit == "Cel");
  CHECK(inlet->health == Health::Ok);
  CHECK(fan->value == doctest::Approx(3500));
  CHECK(fan->unit == "RPM");
  const auto shown = world.fleet.ipmitool(2, "sdr elist full");
  CHECK(contains(shown, "42 degrees C"));
  CHECK(contains(shown, "3500 RPM"));
  // The second time the records are not read again: the same answer, sooner.
  CHECK(bmc->sensors()->sensors(within(20s)).value().size() == sensors->size());
}

TEST_CASE("event log: entries that ipmitool adds") {
  World world;
  const auto bmc = world.attach(3);
  world.fleet.ipmitool(3, "sel clear");
  CHECK(bmc->event_log()->entries(100, within(20s)).value().empty());
  // Inlet Temp, upper critical going high, 95 over 90; then a maker's own record.
  world.fleet.ipmitool(3, "raw 0x0a 0x44 0 0 2 0 0 0 0 0x20 0 4 1 1 1 0x59 95 90");
  const auto one = bmc->event_log()->entries(100, within(20s));
  REQUIRE(one);
  REQUIRE(one->size() == 1);
  CHECK(one->front().sensor == "Inlet Temp");
  CHECK(one->front().message == "Temperature: upper critical going high: 95 Cel, limit 90 Cel");
  CHECK(one->front().severity == Health::Critical);
  CHECK(contains(world.fleet.ipmitool(3, "sel list"), "Upper Critical going high"));
  for (int i = 0; i < 3; ++i) world.fleet.ipmitool(3, "raw 0x0a 0x44 0 0 0xe0 1 2 3 4 5 6 7 8 9 10 11 12 13");
  const auto four = bmc->event_log()->entries(100, within(20s));
  REQUIRE(four);
  REQUIRE(four->size() == 4);
  CHECK(four->front() == one->front());
  CHECK(four->back().message == "maker's own record: 0102030405060708090a0b0c0d");
  const auto newest = bmc->event_log()->entries(2, within(20s)).value();
  CHECK(newest == std::vector<LogEntry>(four->begin() + 2, four->end()));
  world.fleet.ipmitool(3, "sel clear");
  CHECK(bmc->event_log()->entries(100, within(20s)).value().empty());
}

TEST_CASE("inventory, firmware and network settings as ipmitool shows them") {
  World world;
  const auto bmc = world.attach(2);
  const auto inventory = bmc->inventory()->inventory(within(20s));
  REQUIRE(inventory);
  CHECK(inventory->serial == world.fleet.member(2).serial);
  const auto fru = world.fleet.ipmitool(2, "fru print 0");
  REQUIRE(!inventory->vendor.empty());
  REQUIRE(!inventory->product.empty());
  CHECK(contains(fru, inventory->vendor));
  CHECK(contains(fru, inventory->product));
  CHECK_FALSE(inventory->drives);  // IPMI cannot tell
  const auto firmware = bmc->inventory()->firmware(within(5s));
  REQUIRE(firmware);
  REQUIRE(firmware->size() == 1);
  CHECK(contains(world.fleet.ipmitool(2, "mc info"), "Firmware Revision         : " + firmware->front().version));
  const auto network = bmc->network()->network(within(5s));
  REQUIRE(network);
  const auto& address = world.fleet.member(2).address;
  CHECK(network->address == address.substr(0, address.find(':')));
  CHECK(network->mask == "255.0.0.0");
  CHECK(network->mac == "52:54:00:00:00:02");
  CHECK(network->source == AddressSource::Static);
  CHECK(contains(world.fleet.ipmitool(2, "lan print 1"), network->mac));
}

TEST_CASE("accounts: what the driver makes others can use, what others make the driver sees") {
  World world;
  const auto bmc = world.attach(3);
  CHECK(bmc->accounts()
            ->put_account("nimbus", Secret("first-pass"), AccountRole::Administrator, within(10s))
            .error()
            .code == Code::Conflict);  // writes need a session whose identity was read
  const auto before = bmc->accounts()->accounts(within(20s));
  REQUIRE(before);
  REQUIRE(find(*before, "admin") != nullptr);
  CHECK(find(*before, "admin")->role == AccountRole::Administrator);
  CHECK(find(*before, "operator")->role == AccountRole::Operator);

  const auto made =
      bmc->accounts()->put_account("nimbus", Secret("first-pass"), AccountRole::Administrator, within(20s));
  REQUIRE_MESSAGE(made, (made ? "" : made.error().text()));
  CHECK(made->enabled);
  const auto login = [&](const std::string& password) {
    return world.fleet.ipmitool_as(3, "nimbus", password, "power status");
  };
  CHECK(contains(login("first-pass"), "Chassis Power is"));
  CHECK(login("wrong-pass").empty());
  // The same name again: another password and role in the same slot.
  const auto again = bmc->accounts()->put_account("nimbus", Secret("other-pass"), AccountRole::Operator, within(20s));
  REQUIRE(again);
  CHECK(again->id == made->id);
  CHECK(login("first-pass").empty());
  CHECK(contains(world.fleet.ipmitool_as(3, "nimbus", "other-pass", "-L OPERATOR power status"), "Chassis Power is"));
  CHECK(contains(world.fleet.ipmitool(3, "user list 1"), "nimbus"));

  CHECK(bmc->accounts()->disable_account(*again, within(10s)).value() == WriteOutcome::Accepted);
  CHECK(bmc->accounts()->disable_account(*again, within(10s)).value() == WriteOutcome::AlreadySo);
  CHECK(login("other-pass").empty());
  auto other = *again;
  other.name = "somebody";
  CHECK(bmc->accounts()->disable_account(other, within(10s)).error().code == Code::Conflict);

  world.fleet.ipmitool(3, "user set name 7 visitor");
  world.fleet.ipmitool(3, "user set password 7 visit0r");
  world.fleet.ipmitool(3, "channel setaccess 1 7 privilege=2 ipmi=on");
  world.fleet.ipmitool(3, "user enable 7");
  const auto after = bmc->accounts()->accounts(within(20s));
  REQUIRE(after);
  REQUIRE(find(*after, "visitor") != nullptr);
  CHECK(*find(*after, "visitor") == Account{"7", "visitor", AccountRole::ReadOnly, true});
  CHECK(
      bmc->accounts()->put_account("name-of-17-bytes.", Secret("x"), AccountRole::Operator, within(5s)).error().code ==
      Code::Invalid);
}
