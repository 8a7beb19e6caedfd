#include "driver_world.hpp"

#include <memory>

using namespace nimbus;
using namespace nimbus::ipmi;
using namespace nimbus::ipmi::test;

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
