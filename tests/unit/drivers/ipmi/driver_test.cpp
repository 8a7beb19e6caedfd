#include "drivers/ipmi/driver.hpp"
#include "core/ports/bmc_observe.hpp"

#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include <doctest/doctest.h>

#include "drivers/ipmi/link.hpp"
#include "fake_bmc_server.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;
using test::Data;
using test::FakeBmc;
using test::FakeBmcServer;
using namespace std::chrono_literals;

namespace {

Call within(std::chrono::milliseconds time) { return {.deadline = std::chrono::steady_clock::now() + time}; }

struct TestClock final : Clock {
  std::atomic<std::chrono::milliseconds> moved{0ms};
  MonoTime now() const noexcept override { return std::chrono::steady_clock::now() + moved.load(); }
  WallTime wall() const noexcept override { return {}; }
};

struct TestSecrets final : Secrets {
  mutable std::mutex mutex;
  mutable int asked = 0;
  std::map<std::string, std::string, std::less<>> passwords = {{"good", "secret12"}, {"bad", "other"}};

  Result<Credential> credential(std::string_view name, std::string_view) const override {
    const std::lock_guard lock(mutex);
    ++asked;
    const auto found = passwords.find(name);
    if (found == passwords.end()) return Error{Code::NotFound, "no such secret"};
    return Credential{std::string(name), "admin", Secret(found->second), {}};
  }
};

struct World {
  TestClock clock;
  TestSecrets secrets;
  std::unique_ptr<BmcDriver> driver = std::move(make_ipmi_driver(clock).value());

  std::unique_ptr<Bmc> attach(const FakeBmcServer& server, std::vector<std::string> credentials = {"good"},
                              int suite = 17, std::vector<std::string> quirks = {}) {
    return std::move(driver
                         ->attach({.driver = "ipmi",
                                   .address = server.address().text(),
                                   .credentials = std::move(credentials),
                                   .cipher_suite = suite,
                                   .quirks = std::move(quirks)},
                                  secrets)
                         .value());
  }
};

/// A machine whose power can be read and set.
void give_power(FakeBmcServer& server,
                std::shared_ptr<std::vector<int>> controls = std::make_shared<std::vector<int>>()) {
  server.with([&](FakeBmc& bmc) {
    auto on = std::make_shared<bool>(false);
    bmc.on(0x00, 0x01, [on](const Data&) { return Data{0x00, static_cast<std::uint8_t>(*on ? 0x21 : 0x20), 0, 0}; });
    bmc.on(0x00, 0x02, [on, controls](const Data& request) {
      controls->push_back(request[6]);
      *on = request[6] == 1 || (*on && request[6] != 0);
      return Data{0x00};
    });
  });
}

Error failed_power(Bmc& bmc, std::chrono::milliseconds time = 5s) {
  const auto power = bmc.power()->power(within(time));
  REQUIRE(!power);
  return power.error();
}

}  // namespace

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

TEST_CASE("identity without inventory and without GUID is empty, not an error") {
  FakeBmcServer server({});
  World world;
  const auto bmc = world.attach(server);
  const auto nothing = bmc->identity()->identity(within(5s));
  REQUIRE(nothing);
  CHECK(nothing->empty());
  server.with([](FakeBmc& fake) {
    fake.on(0x06, 0x37, [](const Data&) {
      Data answer = {0x00};
      answer.insert(answer.end(), test::kFakeGuid.begin(), test::kFakeGuid.end());
      return answer;
    });
    fake.on(0x0A, 0x10, [](const Data&) { return Data{0x00, 0xFF, 0xFF, 0x00}; });
    fake.on(0x0A, 0x11, [](const Data&) { return Data{0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8}; });  // nonsense
  });
  const auto some = bmc->identity()->identity(within(5s));
  REQUIRE(some);
  CHECK(some->bmc_guid == "00010203-0405-0607-0809-0a0b0c0d0e0f");
  CHECK(some->serial.empty());
}

TEST_CASE("inventories are read in chunks that the BMC can return") {
  // 32 bytes at once are too many for this one.
  Data image = {1,   0,    0,   0,   1,    0,   0,   0xFE, 1,   4,   0,   0xC2, 'M', 'K', 0xC2, 'N',
                'M', 0xC2, 'P', 'N', 0xC2, 'V', '1', 0xC6, 'S', 'N', '0', '0',  '0', '7', 0xC1};
  image.resize(39, 0);
  unsigned sum = 0;
  for (std::size_t i = 8; i < image.size(); ++i) sum += image[i];
  image.push_back(static_cast<std::uint8_t>(-sum));
  FakeBmcServer server({});
  server.with([&](FakeBmc& fake) {
    fake.on(0x0A, 0x10, [](const Data&) { return Data{0x00, 0x40, 0x00, 0x00}; });
    fake.on(0x0A, 0x11, [image](const Data& request) {
      const std::size_t offset = request[7];
      const std::size_t count = request[9];
      if (count > 16) return Data{0xCA};
      Data answer = {0x00, static_cast<std::uint8_t>(count)};
      for (std::size_t i = 0; i < count; ++i) answer.push_back(image.at(offset + i));
      return answer;
    });
  });
  World world;
  const auto identity = world.attach(server)->identity()->identity(within(5s));
  REQUIRE(identity);
  CHECK(identity->serial == "SN0007");
}

TEST_CASE("a BMC without a repository of sensor records is asked for its device's own") {
  // An inventory device, section 43.8: device 3 of the BMC, a memory module called "DIMM A1".
  Data record = {0x05, 0x00, 0x51, 0x11, 18,  0x20, 3,   0x80, 0,   0,   0x10, 0,
                 0x20, 1,    0,    0xC7, 'D', 'I',  'M', 'M',  ' ', 'A', '1'};
  auto reads = std::make_shared<int>(0);
  FakeBmcServer server({});
  server.with([&](FakeBmc& fake) {
    fake.on(0x04, 0x20, [](const Data&) { return Data{0x00, 1, 0x01}; });
    fake.on(0x04, 0x22, [](const Data&) { return Data{0x00, 0x34, 0x12}; });
    fake.on(0x04, 0x21, [record, reads](const Data& request) {
      if (request[6] != 0x34 || request[7] != 0x12) return Data{0xC5};
      ++*reads;
      const std::size_t offset = request[10];
      Data answer = {0x00, 0xFF, 0xFF};
      for (std::size_t i = offset; i < std::min<std::size_t>(offset + request[11], record.size()); ++i) {
        answer.push_back(record[i]);
      }
      return answer;
    });
    // Inventory of device 3: a board called "RAM".
    fake.on(0x0A, 0x10, [](const Data& request) {
      return request[6] == 3 ? Data{0x00, 0x18, 0x00, 0x00} : Data{0xCB};
    });
    Data image = {1, 0, 0, 1, 0, 0, 0, 0xFE, 1, 2, 0, 0, 0, 0, 0xC2, 'M', 'K', 0xC3, 'R', 'A', 'M', 0xC1, 0};
    unsigned sum = 0;
    for (std::size_t i = 8; i < image.size(); ++i) sum += image[i];
    image.push_back(static_cast<std::uint8_t>(-sum));
    fake.on(0x0A, 0x11, [image](const Data& request) {
      const std::size_t offset = request[7];
      const auto count = std::min<std::size_t>(request[9], image.size() - std::min(offset, image.size()));
      Data answer = {0x00, static_cast<std::uint8_t>(count)};
      for (std::size_t i = 0; i < count; ++i) answer.push_back(image.at(offset + i));
      return answer;
    });
  });
  World world;
  const auto bmc = world.attach(server);
  for (int round = 0; round < 2; ++round) {
    const auto inventory = bmc->inventory()->inventory(within(5s));
    REQUIRE_MESSAGE(inventory, (inventory ? "" : inventory.error().text()));
    REQUIRE(inventory->modules);
    REQUIRE(inventory->modules->size() == 1);
    CHECK(inventory->modules->front().slot == "DIMM A1");
    CHECK(inventory->modules->front().vendor == "MK");
  }
  CHECK(*reads == 2);  // head and body, once
}

TEST_CASE("boot override: written whole, read back, on the present session only") {
  FakeBmcServer server({});
  give_power(server);
  const auto writes = std::make_shared<std::vector<Data>>();
  const auto flags = std::make_shared<Data>(Data{0x00, 0x84, 1, 2, 3});  // left over: clear CMOS and more
  const auto maker = std::make_shared<std::uint8_t>(0);
  server.with([&](FakeBmc& fake) {
    fake.on(0x06, 0x01, [maker](const Data&) {
      return Data{0x00, 0x20, 1, 1, 0, 2, 0xBF, *maker, static_cast<std::uint8_t>(*maker == 0x7C ? 0x2A : 0), 0, 1, 0};
    });
    fake.on(0x00, 0x08, [writes, flags](const Data& request) {
      writes->emplace_back(request.begin() + 6, request.end() - 1);
      if (request[6] == 5) flags->assign(request.begin() + 7, request.end() - 1);
      return Data{static_cast<std::uint8_t>(request[6] == 3 ? 0x80 : 0x00)};  // knows no parameter 3
    });
    fake.on(0x00, 0x09, [flags](const Data&) {
      Data answer = {0x00, 0x01, 0x05};
      answer.insert(answer.end(), flags->begin(), flags->end());
      return answer;
    });
  });
  World world;
  const auto bmc = world.attach(server);
  REQUIRE(bmc->boot() != nullptr);
  const BootOverride pxe{.device = BootDevice::Pxe, .mode = BootMode::Uefi, .http_uri = {}};
  const BootOverride disk{
      .device = BootDevice::Disk, .times = BootTimes::Always, .mode = BootMode::Uefi, .http_uri = {}};
  CHECK(bmc->boot()->arm_boot(pxe, within(5s)).error().code == Code::Conflict);
  CHECK(bmc->boot()->boot_override(within(5s)).value() == BootOverride{});
  CHECK(bmc->boot()->arm_boot(pxe, within(5s)).value() == WriteOutcome::Accepted);
  CHECK(bmc->boot()->boot_override(within(5s)).value() == pxe);
  CHECK(server.with([&](FakeBmc&) { return *writes; }) ==
        std::vector<Data>{{0x03, 0x08}, {0x05, 0xA0, 0x04, 0x00, 0x00, 0x00}});

  SUBCASE("a BMC that says yes and forgets") {
    server.with([](FakeBmc& fake) { fake.on(0x00, 0x08, [](const Data&) { return Data{0x00}; }); });
    CHECK(bmc->boot()->arm_boot(disk, within(5s)).error().code == Code::Unsupported);
  }
  SUBCASE("a BMC without boot flags") {
    server.with([](FakeBmc& fake) { fake.on(0x00, 0x08, [](const Data&) { return Data{0x80}; }); });
    CHECK(bmc->boot()->arm_boot(disk, within(5s)).error().code == Code::Unsupported);
  }
  SUBCASE("nothing that IPMI has no number for") {
    const BootOverride http{.device = BootDevice::Http, .mode = {}, .http_uri = {}};
    CHECK(bmc->boot()->arm_boot(http, within(5s)).error().code == Code::Unsupported);
    CHECK(server.with([&](FakeBmc&) { return writes->size(); }) == 2);
  }
  SUBCASE("the maker's own number for a disk, learnt in each session") {
    server.with([&](FakeBmc&) { *maker = 0x7C; });  // 10876
    bmc->close(within(1s));
    CHECK(bmc->boot()->boot_override(within(10s)));
    CHECK(bmc->boot()->arm_boot(disk, within(5s)).value() == WriteOutcome::Accepted);
    CHECK(server.with([&](FakeBmc&) { return writes->back(); }) == Data{0x05, 0xE0, 0x24, 0, 0, 0});
    CHECK(bmc->boot()->boot_override(within(5s)).value() == disk);
  }
  SUBCASE("the timer is left alone where that is asked for") {
    const auto other = world.attach(server, {"good"}, 17, {"IP-09"});
    CHECK(other->boot()->boot_override(within(5s)));
    CHECK(other->boot()->arm_boot(disk, within(5s)).value() == WriteOutcome::Accepted);
    CHECK(server.with([&](FakeBmc&) { return writes->size(); }) == 3);
  }
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
