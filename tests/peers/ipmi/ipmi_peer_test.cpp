// The IPMI driver against BMCs that this project did not write. Runs under run.py.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "tests/peers/ipmi/lossy_proxy.hpp"
#include "tests/peers/ipmi/world.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

/// Reads the identity, so that there is a session, then acts.
Result<WriteOutcome> act(Bmc& bmc, PowerAction action) {
  const auto identity = bmc.identity()->identity(within(10s));
  if (!identity) return identity.error();
  return bmc.power()->act(action, within(10s));
}

Code code_of_power(Bmc& bmc, std::chrono::milliseconds time) {
  const auto power = bmc.power()->power(within(time));
  REQUIRE(!power);
  MESSAGE(power.error().text());
  return power.error().code;
}

}  // namespace

TEST_CASE("power, as ipmitool and the machine see it") {
  World world;
  world.fleet.command("power", 1, "off");
  const auto bmc = world.attach(1);
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::Off);
  const auto before = world.fleet.journal(1).size();

  CHECK(act(*bmc, PowerAction::On).value() == WriteOutcome::Accepted);
  CHECK(world.fleet.machine(1) == "on");
  CHECK(world.fleet.ipmitool(1, "power status") == "Chassis Power is on");
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::On);
  CHECK(act(*bmc, PowerAction::On).value() == WriteOutcome::AlreadySo);
  CHECK(act(*bmc, PowerAction::Reset).value() == WriteOutcome::Accepted);
  CHECK(act(*bmc, PowerAction::SoftOff).value() == WriteOutcome::Accepted);
  CHECK(world.fleet.ipmitool(1, "power status") == "Chassis Power is off");
  CHECK(act(*bmc, PowerAction::SoftOff).value() == WriteOutcome::AlreadySo);
  CHECK(act(*bmc, PowerAction::HardOff).value() == WriteOutcome::AlreadySo);
  CHECK(act(*bmc, PowerAction::Reset).error().code == Code::Invalid);
  CHECK(act(*bmc, PowerAction::On).value() == WriteOutcome::Accepted);
  CHECK(act(*bmc, PowerAction::HardOff).value() == WriteOutcome::Accepted);

  auto journal = world.fleet.journal(1);
  journal.erase(journal.begin(), journal.begin() + static_cast<std::ptrdiff_t>(before));
  CHECK(journal == std::vector<std::string>{"power 1", "reset 1", "shutdown 1", "power 1", "power 0"});
  bmc->close(within(1s));
}

TEST_CASE("what others did is seen") {
  World world;
  const auto bmc = world.attach(1);
  world.fleet.ipmitool(1, "power on");
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::On);
  world.fleet.command("power", 1, "off");
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::Off);
}

TEST_CASE("identity: serial of the product, GUID") {
  World world;
  const auto bmc = world.attach(2);
  CHECK(bmc->identity()->session() == 0);
  const auto identity = bmc->identity()->identity(within(10s));
  REQUIRE(identity);
  CHECK(identity->serial == world.fleet.member(2).serial);
  CHECK(identity->bmc_guid == world.fleet.member(2).guid);
  CHECK(identity->uuid.empty());  // no order of these bytes is a UUID of RFC 4122
  CHECK(bmc->identity()->session() == 1);
  CHECK(bmc->power()->power(within(5s)));
  CHECK(bmc->identity()->session() == 1);
  CHECK(world.fleet.ipmitool(2, "mc guid").find(identity->bmc_guid) != std::string::npos);
}

TEST_CASE("boot override: what ipmitool arms is read, and a BMC that forgets it says so") {
  World world;
  const auto bmc = world.attach(2);
  CHECK(bmc->boot()->boot_override(within(5s)).value() == BootOverride{});
  // ipmi_sim keeps the device of its flags and loses that they are valid.
  const auto armed = bmc->boot()->arm_boot({.device = BootDevice::Pxe, .mode = {}, .http_uri = {}}, within(5s));
  REQUIRE(!armed);
  CHECK(armed.error().code == Code::Unsupported);
  CHECK(world.fleet.ipmitool(2, "chassis bootparam get 5").find("Force PXE") != std::string::npos);
}

TEST_CASE("writes happen on the present session or not at all") {
  World world;
  const auto bmc = world.attach(2);
  const auto before = world.fleet.journal(2);
  const auto first = bmc->power()->act(PowerAction::On, within(5s));
  REQUIRE(!first);
  CHECK(first.error().code == Code::Conflict);
  CHECK(world.fleet.journal(2) == before);
}

TEST_CASE("refusals have their own causes") {
  World world;
  auto endpoint = endpoint_of(world.fleet.member(3).address);
  SUBCASE("wrong password") {
    endpoint.credentials = {"wrong-password"};
    const auto bmc = world.attach(endpoint);
    const auto power = bmc->power()->power(within(5s));
    REQUIRE(!power);
    CHECK(power.error().code == Code::Auth);
    CHECK(power.error().text().find("wrong password") != std::string::npos);
    CHECK(power.error().text().find("secret") == std::string::npos);
    const auto again = bmc->power()->power(within(5s));
    REQUIRE(!again);
    CHECK(again.error().text() == power.error().text());
  }
  SUBCASE("wrong user") {
    endpoint.credentials = {"wrong-user"};
    const auto power = world.attach(endpoint)->power()->power(within(5s));
    REQUIRE(!power);
    CHECK(power.error().code == Code::Auth);
    CHECK(power.error().text().find("unknown user") != std::string::npos);
  }
  SUBCASE("cipher suite 17, which ipmi_sim does not have: 3 is next") {
    endpoint.cipher_suite = 17;
    const auto bmc = world.attach(endpoint);
    CHECK(bmc->power()->power(within(5s)));
    bmc->close(within(1s));
    CHECK(bmc->power()->power(within(5s)));
  }
  SUBCASE("secret that does not exist, secret that cannot be one") {
    endpoint.credentials = {"missing"};
    CHECK(code_of_power(*world.attach(endpoint), 5s) == Code::Auth);
    endpoint.credentials = {"long-password"};
    CHECK(code_of_power(*world.attach(endpoint), 5s) == Code::Invalid);
  }
}

TEST_CASE("several credentials: the one that works is found and remembered") {
  World world;
  auto endpoint = endpoint_of(world.fleet.member(3).address);
  endpoint.credentials = {"wrong-password", "missing", "operator"};
  endpoint.privilege = IpmiPrivilege::Operator;
  const auto bmc = world.attach(endpoint);
  CHECK(bmc->power()->power(within(10s)));
  CHECK(bmc->identity()->session() == 1);
}

TEST_CASE("a BMC that hangs costs its own caller only, until the deadline") {
  World world;
  const auto hung = world.attach(4);
  const auto live = world.attach(1);
  CHECK(hung->power()->power(within(5s)));
  CHECK(live->power()->power(within(5s)));
  world.fleet.command("fault", 4, "hang");
  const auto began = std::chrono::steady_clock::now();
  auto answer = std::async(std::launch::async, [&] { return hung->power()->power(within(1500ms)); });
  int polls = 0;
  while (answer.wait_for(0s) != std::future_status::ready) {
    CHECK(live->power()->power(within(5s)));
    ++polls;
  }
  const auto took = std::chrono::steady_clock::now() - began;
  const auto power = answer.get();
  REQUIRE(!power);
  CHECK(power.error().code == Code::Timeout);
  CHECK(took < 2500ms);
  CHECK(polls > 20);
  world.fleet.command("fault", 4, "resume");
  CHECK(hung->power()->power(within(10s)));
}

TEST_CASE("stopping a call ends it at once") {
  World world;
  const auto bmc = world.attach(4);
  CHECK(bmc->power()->power(within(5s)));
  world.fleet.command("fault", 4, "hang");
  std::stop_source stop;
  auto answer = std::async(std::launch::async, [&] {
    return bmc->power()->power({.deadline = std::chrono::steady_clock::now() + 60s, .stop = stop.get_token()});
  });
  CHECK(answer.wait_for(50ms) == std::future_status::timeout);
  stop.request_stop();
  REQUIRE(answer.wait_for(5s) == std::future_status::ready);
  CHECK(answer.get().error().code == Code::Cancelled);
  world.fleet.command("fault", 4, "resume");
}

TEST_CASE("a BMC that goes and comes back: unreachable, then a new session") {
  World world;
  const auto bmc = world.attach(4);
  CHECK(bmc->power()->power(within(10s)));
  const auto first = bmc->identity()->session();
  world.fleet.command("fault", 4, "kill");
  CHECK(code_of_power(*bmc, 10s) == Code::Unreachable);
  world.fleet.command("fault", 4, "revive");
  const auto write = bmc->power()->act(PowerAction::On, within(5s));
  REQUIRE(!write);
  CHECK(write.error().code == Code::Conflict);
  CHECK(bmc->power()->power(within(10s)));
  CHECK(bmc->identity()->session() == first + 1);
}

TEST_CASE("a BMC that restarted behind our back gets no write on the old session") {
  World world;
  const auto bmc = world.attach(4);
  CHECK(bmc->identity()->identity(within(10s)));
  world.fleet.command("fault", 4, "kill");
  world.fleet.command("fault", 4, "revive");
  const auto before = world.fleet.journal(4);
  const auto write = bmc->power()->act(PowerAction::On, within(15s));
  REQUIRE(!write);
  CHECK(write.error().code == Code::Conflict);
  CHECK(world.fleet.journal(4) == before);
}

TEST_CASE("nobody at the address") {
  World world;
  CHECK(code_of_power(*world.attach(endpoint_of("127.41.9.9:1")), 10s) == Code::Unreachable);
  CHECK(code_of_power(*world.attach(endpoint_of("no-such-bmc.invalid")), 30s) == Code::Unreachable);
}

TEST_CASE("a chassis program that fails is a failed read, not a state") {
  World world;
  world.fleet.command("fault", 2, "fail-get");
  const auto power = world.attach(2)->power()->power(within(5s));
  world.fleet.command("fault", 2, "fail-get --off");
  REQUIRE(!power);
  CHECK(power.error().code == Code::Corrupt);
}

TEST_CASE("bad networks") {
  World world;
  struct Case {
    const char* what;
    Weather weather;
  };
  const Case cases[] = {{"10 % lost", {.drop_percent = 10, .seed = 11}},
                        {"30 % lost", {.drop_percent = 30, .seed = 12}},
                        {"everything doubled", {.double_percent = 100, .seed = 13}},
                        {"10 % changed", {.change_percent = 10, .seed = 14}},
                        {"late and out of order", {.double_percent = 30, .most_delay = 300ms, .seed = 15}}};
  // Whatever the network does, it never looks like a wrong password or another lasting
  // fault; and most questions are answered although a third of the packets is lost.
  constexpr int kRounds = 6;
  constexpr int kPolls = 2;
  in_parallel(cases, [&](const Case& one) {
    CAPTURE(one.what);
    std::atomic<int> answered = 0;
    std::vector<unsigned> rounds(kRounds);
    std::iota(rounds.begin(), rounds.end(), 0U);
    in_parallel(rounds, [&](unsigned round) {
      auto weather = one.weather;
      weather.seed += 100 * round;
      const LossyProxy proxy(world.fleet.member(1).address, weather);
      const auto bmc = world.attach(endpoint_of(proxy.address()));
      for (int poll = 0; poll < kPolls; ++poll) {
        const auto power = bmc->power()->power(within(8s));
        if (power) {
          ++answered;
        } else {
          MESSAGE(one.what, ": ", power.error().text());
          CHECK(is_transient(power.error().code));
        }
      }
      bmc->close(within(1s));
    });
    CHECK(answered >= kRounds * kPolls / 2);
  });
}

TEST_CASE("a lost answer to a reset is unknown, and the reset happened at most once") {
  World world;
  const std::array<unsigned, 5> seeds{1, 2, 3, 4, 5};
  in_parallel(seeds, [&](unsigned seed) {
    const int number = 4 + static_cast<int>(seed);  // each has a machine of its own, whose journal is counted
    world.fleet.command("power", number, "on");
    const LossyProxy proxy(world.fleet.member(number).address, {.drop_percent = 30, .seed = seed});
    const auto bmc = world.attach(endpoint_of(proxy.address()));
    bool session = false;
    for (int attempt = 0; attempt < 10 && !session; ++attempt) session = bmc->power()->power(within(60s)).has_value();
    REQUIRE(session);
    const auto before = world.fleet.journal(number).size();
    const auto outcome = bmc->power()->act(PowerAction::Reset, within(5s));
    const auto resets = world.fleet.journal(number).size() - before;
    CHECK(resets <= 1);
    if (outcome && *outcome == WriteOutcome::Accepted) CHECK(resets == 1);
    if (!outcome) CHECK(resets == 0);
  });
}

TEST_CASE("pyghmi's BMC") {
  World world;
  const char* address = std::getenv("NIMBUS_PYGHMI");
  REQUIRE(address != nullptr);
  const auto bmc = world.attach(endpoint_of(address));
  const auto identity = bmc->identity()->identity(within(10s));
  REQUIRE(identity);
  CHECK(identity->serial.empty());  // it keeps no inventory
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::Off);
  CHECK(bmc->power()->act(PowerAction::On, within(5s)).value() == WriteOutcome::Accepted);
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::On);
  CHECK(bmc->power()->act(PowerAction::HardOff, within(5s)).value() == WriteOutcome::Accepted);
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::Off);
  auto wrong = endpoint_of(address);
  wrong.credentials = {"wrong-password"};
  CHECK(code_of_power(*world.attach(wrong), 10s) == Code::Auth);
  bmc->close(within(1s));
}
