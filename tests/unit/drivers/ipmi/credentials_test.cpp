#include "driver_world.hpp"

#include <map>

using namespace nimbus;
using namespace nimbus::ipmi;
using namespace nimbus::ipmi::test;

TEST_CASE("a damaged key exchange is not yet a wrong password") {
  World world;
  FakeBmcServer damaged({.wrong_rakp2_codes = 2});
  give_power(damaged);
  CHECK(world.attach(damaged)->power()->power(within(5s)));
  FakeBmcServer for_good({.wrong_rakp2_codes = 3});
  CHECK(failed_power(*world.attach(for_good)).code == Code::Auth);
}

TEST_CASE("a refused credential rests, longer each time, unless its secret changes") {
  FakeBmcServer server({});
  give_power(server);
  World world;  // its clock is moved ahead: deadlines must lie behind it
  const auto bmc = world.attach(server, {"bad"});
  const auto refusal = failed_power(*bmc, 300s);
  CHECK(refusal.code == Code::Auth);
  CHECK(refusal.message == "wrong password");
  CHECK(refusal.text().find("rests") != std::string::npos);
  const auto sends_nothing = [&] {
    const int packets = server.packets;
    CHECK(failed_power(*bmc, 300s).text() == refusal.text());  // in the same words: status would tell each change
    return server.packets == packets;
  };
  CHECK(sends_nothing());
  world.clock.moved = 31s;
  CHECK_FALSE(sends_nothing());
  world.clock.moved = 31s + 45s;
  CHECK(sends_nothing());  // now 60 s
  {
    const std::lock_guard lock(world.secrets.mutex);
    world.secrets.passwords["bad"] = "secret12";
  }
  CHECK(bmc->power()->power(within(300s)));
}

TEST_CASE("credentials are tried in order, and the one that worked comes first next time") {
  FakeBmcServer server({});
  give_power(server);
  World world;
  const auto bmc = world.attach(server, {"bad", "missing", "good"});
  CHECK(bmc->power()->power(within(5s)));
  bmc->close(within(1s));
  const int asked = world.secrets.asked;
  CHECK(bmc->power()->power(within(5s)));
  CHECK(world.secrets.asked == asked + 1);
  CHECK(bmc->identity()->session() == 2);
}

TEST_CASE("a secret that does not exist is a refusal, not something that the BMC lacks") {
  FakeBmcServer server({});
  give_power(server);
  World world;
  const auto bmc = world.attach(server, {"nobody"});
  for (const Error& error :
       {failed_power(*bmc), bmc->identity()->identity(within(5s)).error(),
        bmc->inventory()->inventory(within(5s)).error(), bmc->sensors()->sensors(within(5s)).error()}) {
    CHECK(error.code == Code::Auth);
    CHECK(error.text().find("no such secret") != std::string::npos);
  }
  CHECK(server.with([](FakeBmc& fake) { return fake.sessions(); }) == 0);
  CHECK(bmc->traits() == BmcTraits{});
  // The next one in the list counts.
  CHECK(world.attach(server, {"nobody", "good"})->power()->power(within(5s)));
}

TEST_CASE("what was found out about a BMC: its maker, firmware, cipher suite, credential, quirks") {
  FakeBmcServer server({.suite = 3});
  give_power(server);
  server.with([](FakeBmc& fake) {
    fake.on(0x06, 0x01, [](const Data&) { return Data{0x00, 0x20, 1, 0x02, 0x14, 0x02, 0x8F, 0x7C, 0x2A, 0, 1, 0}; });
  });
  World world;
  const auto bmc = world.attach(server, {"bad", "good"}, 17, {"IP-01"});
  REQUIRE(bmc->power()->power(within(10s)));
  CHECK(bmc->traits().vendor.empty());  // sends nothing: not known yet
  REQUIRE(bmc->inventory()->firmware(within(5s)));
  const auto traits = bmc->traits();
  CHECK(traits.vendor == "Supermicro");
  CHECK(traits.firmware == "2.14");
  CHECK(traits.login == "suite 3");
  CHECK(traits.credential == "good");
  std::map<std::string, std::string> why;
  for (const auto& quirk : traits.quirks) why[quirk.id] = quirk.why;
  CHECK(why ==
        std::map<std::string, std::string>{{"IP-01", "forced"}, {"IP-04", "learnt"}, {"IP-10", "known of this BMC"}});
}

TEST_CASE("refusals of the BMC keep their cause through all openings") {
  World world;
  const auto code = [&](FakeBmc::Settings settings) {
    FakeBmcServer server(std::move(settings));
    return failed_power(*world.attach(server)).code;
  };
  CHECK(code({.rmcp_plus = false}) == Code::Unsupported);
  CHECK(code({.open_status = 0x01}) == Code::Busy);
  CHECK(code({.open_status = 0x11}) == Code::Unsupported);
  CHECK(code({.rakp2_status = 0x0D}) == Code::Auth);
  CHECK(code({.privilege_completion = 0x81}) == Code::Auth);
}
