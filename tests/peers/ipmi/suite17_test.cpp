// No Debian package has a BMC with cipher suite 17. So the unit tests' own one is
// shown to be right by two clients that others wrote; the driver is tested against
// the same one.
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "base/time/time.hpp"
#include "drivers/ipmi/driver.hpp"
#include "fake_bmc_server.hpp"
#include "tests/peers/ipmi/fleet.hpp"

using namespace nimbus;
using namespace std::chrono_literals;
using ipmi::test::Data;
using ipmi::test::FakeBmc;
using ipmi::test::FakeBmcServer;

TEST_CASE("ipmitool, FreeIPMI and the driver agree on both cipher suites") {
  for (const int suite : {3, 17}) {
    CAPTURE(suite);
    FakeBmcServer server({.suite = suite});
    server.with([](FakeBmc& fake) { fake.on(0x00, 0x01, [](const Data&) { return Data{0x00, 0x21, 0x00, 0x00}; }); });
    const auto port = std::to_string(server.address().port());
    const auto number = std::to_string(suite);

    CHECK(peer::output_of("ipmitool -I lanplus -C " + number + " -L OPERATOR -H 127.0.0.1 -p " + port +
                          " -U admin -P secret12 power status 2>/dev/null") == "Chassis Power is on");
    CHECK(server.with([](FakeBmc& fake) { return fake.sessions(); }) == 1);
    CHECK(peer::output_of("/usr/sbin/ipmi-raw -D LAN_2_0 -I " + number + " -l OPERATOR -h 127.0.0.1:" + port +
                          " -u admin -p secret12 0 0 1 2>&1") == "rcvd: 01 00 21 00 00");
    CHECK(server.with([](FakeBmc& fake) { return fake.sessions(); }) == 2);

    const base::SystemClock clock;
    const peer::KnownSecrets secrets;
    const auto driver = std::move(ipmi::make_ipmi_driver(clock).value());
    auto endpoint = peer::endpoint_of(server.address().text());
    endpoint.cipher_suite = suite;
    const auto bmc = std::move(driver->attach(endpoint, secrets).value());
    CHECK(bmc->power()->power({.deadline = clock.now() + 5s}).value() == PowerState::On);
    CHECK(server.with([](FakeBmc& fake) { return fake.sessions(); }) == 3);
  }
}
