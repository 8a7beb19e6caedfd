#include "driver_world.hpp"

#include <future>

using namespace nimbus;
using namespace nimbus::ipmi;
using namespace nimbus::ipmi::test;

TEST_CASE("power over both cipher suites") {
  for (const int suite : {3, 17}) {
    FakeBmcServer server({.suite = suite});
    const auto controls = std::make_shared<std::vector<int>>();
    give_power(server, controls);
    World world;
    const auto bmc = world.attach(server, {"good"}, suite);
    CHECK(bmc->power()->power(within(5s)).value() == PowerState::Off);
    CHECK(bmc->power()->act(PowerAction::On, within(5s)).value() == WriteOutcome::Accepted);
    CHECK(bmc->power()->power(within(5s)).value() == PowerState::On);
    CHECK(server.with([&](FakeBmc&) { return *controls; }) == std::vector<int>{1});
    CHECK(server.with([](FakeBmc& fake) { return fake.sessions(); }) == 1);
    bmc->close(within(1s));
    CHECK(server.with([](FakeBmc& fake) { return fake.requests_seen().back(); }) ==
          std::pair<std::uint8_t, std::uint8_t>{0x06, 0x3C});
  }
}

TEST_CASE("lost answers are asked for again, and only reads and harmless writes are sent twice") {
  FakeBmcServer server({});
  const auto controls = std::make_shared<std::vector<int>>();
  give_power(server, controls);
  World world;
  const auto bmc = world.attach(server);
  server.answers_to_lose = 3;
  CHECK(bmc->power()->power(within(10s)));
  server.answers_to_lose = 1;
  CHECK(bmc->power()->power(within(5s)));
  CHECK(bmc->power()->act(PowerAction::On, within(5s)).value() == WriteOutcome::Accepted);

  // The status is read first; then the reset's own answer is lost.
  server.with([&](FakeBmc& fake) {
    fake.on(0x00, 0x02, [&server, controls](const Data& request) {
      controls->push_back(request[6]);
      server.answers_to_lose = 1;
      return Data{0x00};
    });
  });
  CHECK(bmc->power()->act(PowerAction::Reset, within(2s)).value() == WriteOutcome::Unknown);
  CHECK(server.with([&](FakeBmc&) { return *controls; }) == std::vector<int>{1, 3});
}

TEST_CASE("completion codes of commands") {
  FakeBmcServer server({});
  World world;
  const auto bmc = world.attach(server);
  const auto answer_with = [&](Data rest) {
    server.with([&](FakeBmc& fake) { fake.on(0x00, 0x01, [rest](const Data&) { return rest; }); });
  };
  CHECK(failed_power(*bmc).code == Code::Unsupported);  // 0xC1
  answer_with({0xD4});
  CHECK(failed_power(*bmc).code == Code::Auth);
  answer_with({0xD2});
  CHECK(failed_power(*bmc).code == Code::Busy);
  answer_with({0x00});
  CHECK(failed_power(*bmc).code == Code::Corrupt);
  int busy = 2;
  server.with([&](FakeBmc& fake) {
    fake.on(0x00, 0x01, [&busy](const Data&) { return busy-- > 0 ? Data{0xC0} : Data{0x00, 0x21, 0, 0}; });
  });
  CHECK(bmc->power()->power(within(5s)).value() == PowerState::On);
  answer_with({0xC0});
  CHECK(failed_power(*bmc).code == Code::Busy);
}

TEST_CASE("a session that the BMC forgot is opened again for a question, and not for a write") {
  FakeBmcServer server({});
  give_power(server);
  World world;
  const auto bmc = world.attach(server);
  CHECK(bmc->power()->power(within(5s)));
  const auto forget = [&] { server.with([](FakeBmc& fake) { fake.forget_session(); }); };
  forget();
  const auto write = bmc->power()->act(PowerAction::On, within(10s));
  REQUIRE(!write);
  CHECK(write.error().code == Code::Conflict);
  CHECK(bmc->power()->power(within(5s)));
  CHECK(bmc->identity()->session() == 2);
}

TEST_CASE("a silent BMC ends the call at its deadline") {
  const auto silent = base::bind_udp(base::SocketAddress::numeric({"127.0.0.1", 0}).value());
  REQUIRE(silent);
  World world;
  const auto bmc = std::move(
      world.driver
          ->attach({.driver = "ipmi", .address = base::local_address(*silent).value().text(), .credentials = {"good"}},
                   world.secrets)
          .value());
  const auto began = std::chrono::steady_clock::now();
  const auto error = failed_power(*bmc, 400ms);
  CHECK(error.code == Code::Timeout);
  CHECK(error.message.find("Get Channel Authentication Capabilities") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - began < 2s);

  std::stop_source stop;
  stop.request_stop();
  const auto cancelled = bmc->power()->power({.deadline = MonoTime::max(), .stop = stop.get_token()});
  REQUIRE(!cancelled);
  CHECK(cancelled.error().code == Code::Cancelled);
  CHECK(failed_power(*bmc, 1ms).code == Code::Timeout);  // and the link is free again
}

TEST_CASE("spacing between commands, where a quirk asks for it") {
  FakeBmcServer server({});
  give_power(server);
  World world;
  const auto bmc = world.attach(server, {"good"}, 17, {"IP-01"});
  CHECK(bmc->power()->power(within(5s)));
  const auto began = std::chrono::steady_clock::now();
  CHECK(bmc->power()->power(within(5s)));
  CHECK(bmc->power()->power(within(5s)));
  CHECK(std::chrono::steady_clock::now() - began >= 450ms);
}

TEST_CASE("a BMC that never answers costs less each time") {
  const auto silent = base::bind_udp(base::SocketAddress::numeric({"127.0.0.1", 0}).value());
  REQUIRE(silent);
  World world;
  const auto bmc = std::move(
      world.driver
          ->attach({.driver = "ipmi", .address = base::local_address(*silent).value().text(), .credentials = {"good"}},
                   world.secrets)
          .value());
  const auto took = [&](std::chrono::milliseconds patience) {
    const auto began = std::chrono::steady_clock::now();
    CHECK(failed_power(*bmc, patience).code == Code::Timeout);
    return std::chrono::steady_clock::now() - began;
  };
  took(100ms);
  took(100ms);
  CHECK(took(30s) < 3s);  // 0.75 s, where the first would take 5.75 s
}

TEST_CASE("power of many BMCs in one batch") {
  World world;
  FakeBmcServer first({});
  FakeBmcServer second({});
  FakeBmcServer hung({});
  for (auto* server : {&first, &second, &hung}) give_power(*server);
  std::vector<std::unique_ptr<Bmc>> bmcs;
  for (auto* server : {&first, &second, &hung, &first}) bmcs.push_back(world.attach(*server));
  for (int i = 0; i < 3; ++i) CHECK(bmcs[static_cast<std::size_t>(i)]->power()->power(within(5s)));
  CHECK(bmcs[1]->power()->act(PowerAction::On, within(5s)) == WriteOutcome::Accepted);
  hung.answers_to_lose = 1'000'000;
  CHECK(world.driver->polls_in_batches());
  std::vector<Bmc*> all;
  for (const auto& bmc : bmcs) all.push_back(bmc.get());
  const auto powers = world.driver->powers(all, within(400ms));
  REQUIRE(powers.size() == 4);
  CHECK(powers[0] == PowerState::Off);
  CHECK(powers[1] == PowerState::On);
  CHECK(powers[2].error().code == Code::Timeout);
  CHECK(powers[3].error().code == Code::Conflict);  // it has no session yet
  CHECK(world.driver->powers({}, within(1s)).empty());
  // Stopped at once, and usable afterwards.
  std::stop_source stop;
  stop.request_stop();
  CHECK(world.driver->powers({all[2]}, {.deadline = MonoTime::max(), .stop = stop.get_token()}).size() == 1);
  CHECK(world.driver->powers({all[0], all[1]}, within(5s))[1] == PowerState::On);
}

TEST_CASE("many BMCs, many threads") {
  constexpr int kBmcs = 8;
  World world;
  std::vector<std::unique_ptr<FakeBmcServer>> servers;
  for (int i = 0; i < kBmcs; ++i) {
    servers.push_back(std::make_unique<FakeBmcServer>(FakeBmc::Settings{}));
    give_power(*servers.back());
  }
  std::vector<std::future<int>> workers;
  for (const auto& server : servers) {
    workers.push_back(std::async(std::launch::async, [&] {
      const auto bmc = world.attach(*server);
      int good = 0;
      for (int i = 0; i < 50; ++i) good += bmc->power()->power(within(10s)) ? 1 : 0;
      bmc->close(within(1s));
      return good;
    }));
  }
  for (auto& worker : workers) CHECK(worker.get() == 50);
}
