#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/file/file.hpp"
#include "boot/service.hpp"
#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::boot;
using namespace std::chrono_literals;

namespace {

constexpr const char* kMac = "52:54:00:12:34:17";

OrdersUpdate whole(Orders orders, std::string epoch = "e") { return {{std::move(epoch), 0}, std::move(orders), {}}; }

Orders orders_with(std::optional<RunOrder> run) {
  Orders orders;
  orders.dhcp = DhcpService::Server;
  orders.cidr = "10.20.0.0/24";
  orders.machines = {{.mac = kMac, .name = "m017", .address = "10.20.0.11", .handover = Handover::Sanboot, .run = run},
                     {.mac = "52:54:00:12:34:18", .name = "m018", .address = "10.20.0.12", .run = {}}};
  return orders;
}

const RunOrder kRun{.run = "r1", .nonce = std::string(32, 'a'), .plan = "sealed", .key = "00"};

struct Bench {
  Bench() {
    char name[] = "/tmp/nimbus-boot-XXXXXX";
    folder = ::mkdtemp(name);
    open();
  }
  ~Bench() {
    service.reset();
    for (const auto* end : {"", "-wal", "-shm"}) ::unlink((folder + "/state.db" + end).c_str());
    ::rmdir(folder.c_str());
  }
  void open() {
    service.reset();  // one process at a time has the state
    service = *Service::open(
        folder, {.url = "http://h:1", .files_url = "http://h:2", .kernel_arguments = "console=x"},
        [this] { return "token-" + std::to_string(++tokens); }, clock);
  }
  bool boots_installer() { return service->script("52-54-00-12-34-17")->find("nimbus.run=r1") != std::string::npos; }
  static std::string report(Stage stage, const std::string& nonce = std::string(32, 'a')) {
    Report report;
    report.run = "r1";
    report.nonce = nonce;
    report.stage = stage;
    return to_json(report);
  }
  std::string folder;
  testing::FakeClock clock;
  std::unique_ptr<Service> service;
  int tokens = 0;
};

}  // namespace

TEST_CASE("without a run every machine boots its disk") {
  Bench bench;
  REQUIRE(bench.service->script(kMac));
  CHECK(*bench.service->script(kMac) == "#!ipxe\nexit 1\n");
  CHECK(*bench.service->script("nonsense/../..") == "#!ipxe\nexit 1\n");
  REQUIRE(bench.service->take(whole(orders_with({}))));
  CHECK(bench.service->script(kMac)->find("sanboot") != std::string::npos);
  CHECK(bench.service->installing().empty());
}

TEST_CASE("what a machine loads lies at plain paths, without a query") {
  Bench bench;
  REQUIRE(bench.service->take(whole(orders_with(kRun))));
  const auto script = bench.service->script(kMac);
  REQUIRE(script);
  for (const char* file : {"kernel http://h:2/vmlinuz ", "http://h:2/ramdisk.img "}) {
    CHECK_MESSAGE(script->find(file) != std::string::npos, *script);
  }
  CHECK(script->find('?') == std::string::npos);
}

TEST_CASE("a run is served until its plan was taken, and then never again") {
  Bench bench;
  REQUIRE(bench.service->take(whole(orders_with(kRun))));
  CHECK(bench.service->installing() == std::set<std::string>{kMac});
  CHECK(bench.boots_installer());               // token-1
  CHECK(bench.boots_installer());               // token-2: firmware asks again
  CHECK_FALSE(bench.service->plan("token-1"));  // the older one is void
  CHECK_FALSE(bench.service->plan(""));
  CHECK_FALSE(bench.service->plan("token-3"));
  REQUIRE(bench.service->report("token-2", Bench::report(Stage::CheckedIn)));
  auto plan = bench.service->plan("token-2");
  REQUIRE(plan);
  CHECK(*plan == "sealed");
  CHECK_FALSE(bench.service->plan("token-2"));
  CHECK_FALSE(bench.boots_installer());
  CHECK(bench.service->installing().empty());

  SUBCASE("not even after a crash") {
    bench.open();
    CHECK_FALSE(bench.boots_installer());
    CHECK_FALSE(bench.service->plan("token-2"));
    REQUIRE(bench.service->report("token-2", Bench::report(Stage::Writing)));  // the installer goes on
  }
  SUBCASE("not when the same orders come again") {
    REQUIRE(bench.service->take(whole(orders_with(kRun))));
    CHECK_FALSE(bench.boots_installer());
  }
  SUBCASE("but another attempt with a new nonce is") {
    auto again = kRun;
    again.nonce = std::string(32, 'b');
    REQUIRE(bench.service->take(whole(orders_with(again))));
    CHECK(bench.boots_installer());
    CHECK_FALSE(bench.service->report("token-2", Bench::report(Stage::Installed)));  // the old boot is nobody now
  }
}

TEST_CASE("a machine that asks for its script while the installer should be at work has started again") {
  Bench bench;
  REQUIRE(bench.service->take(whole(orders_with(kRun))));
  CHECK(bench.boots_installer());
  CHECK(bench.boots_installer());  // firmware asks twice before the installer: no restart
  REQUIRE(bench.service->plan("token-2"));
  REQUIRE(bench.service->report("token-2", Bench::report(Stage::Writing)));
  CHECK_FALSE(bench.service->heard(kMac)->restarted);
  SUBCASE("in the middle") {
    CHECK_FALSE(bench.boots_installer());
    CHECK(bench.service->heard(kMac)->restarted);
    bench.open();
    CHECK(bench.service->heard(kMac)->restarted);
  }
  SUBCASE("after the last word: that is how it comes to its disk") {
    REQUIRE(bench.service->report("token-2", Bench::report(Stage::Installed)));
    CHECK_FALSE(bench.boots_installer());
    CHECK_FALSE(bench.service->heard(kMac)->restarted);
  }
}

TEST_CASE("how long nothing was heard of the installer") {
  Bench bench;
  REQUIRE(bench.service->take(whole(orders_with(kRun))));
  REQUIRE(bench.boots_installer());
  CHECK_FALSE(bench.service->heard(kMac)->silent);
  REQUIRE(bench.service->plan("token-1"));
  bench.clock.advance(5s);
  CHECK(bench.service->heard(kMac)->silent == 5s);
  REQUIRE(bench.service->report("token-1", Bench::report(Stage::Writing)));
  CHECK(bench.service->heard(kMac)->silent == 0s);
  bench.clock.advance(7s);
  CHECK_FALSE(bench.service->report("token-1", Bench::report(Stage::Writing, "other")));  // somebody else's
  CHECK(bench.service->heard(kMac)->silent == 7s);
  CHECK(parse_heard(to_json(*bench.service->heard(kMac)))->silent == 7s);
  bench.open();  // it cannot know what was said before
  bench.clock.advance(2s);
  CHECK(bench.service->heard(kMac)->silent == 2s);
}

TEST_CASE("reports count only with token, run and nonce, and only until the last word") {
  Bench bench;
  REQUIRE(bench.service->take(whole(orders_with(kRun))));
  REQUIRE(bench.boots_installer());
  CHECK(bench.service->report("guess", Bench::report(Stage::Installed)).error().code == Code::Auth);
  CHECK(bench.service->report("", Bench::report(Stage::Installed)).error().code == Code::Auth);
  CHECK(bench.service->report("token-1", Bench::report(Stage::Installed, "other")).error().code == Code::Conflict);
  CHECK(bench.service->report("token-1", "{}").error().code == Code::Invalid);
  CHECK_FALSE(bench.service->heard(kMac)->last);
  REQUIRE(bench.service->report("token-1", Bench::report(Stage::Installed)));
  CHECK(bench.service->report("token-1", Bench::report(Stage::Installed)));  // said twice
  CHECK_FALSE(bench.service->report("token-1", Bench::report(Stage::Writing)));
  CHECK(bench.service->heard(kMac)->last->stage == Stage::Installed);
  CHECK_FALSE(bench.boots_installer());
  bench.open();  // a crash forgets nothing
  CHECK(bench.service->heard(kMac)->last->stage == Stage::Installed);
  CHECK_FALSE(bench.boots_installer());
}

TEST_CASE("a damaged state is no reason to guess") {
  Bench bench;
  bench.service.reset();
  REQUIRE(base::write_file_atomically(bench.folder + "/state.db", "no database at all, but long enough", 0600));
  CHECK(Service::open(
            bench.folder, {}, [] { return "t"; }, bench.clock)
            .error()
            .code == Code::Corrupt);
}

TEST_CASE("changes count on top of the orders that they were made for, and nowhere else") {
  Bench bench;
  OrdersUpdate change{{"e", 1}, orders_with(kRun), {}};
  change.orders.machines.pop_back();
  CHECK(bench.service->change(change).error().code == Code::Conflict);  // it has nobody's orders yet
  REQUIRE(bench.service->take(whole(orders_with({}))));
  change.mark.number = 2;
  CHECK(bench.service->change(change).error().code == Code::Conflict);  // one was lost
  change.mark = {"f", 1};
  CHECK(bench.service->change(change).error().code == Code::Conflict);  // another sender
  CHECK(bench.service->installing().empty());
  change.mark = {"e", 1};
  REQUIRE(bench.service->change(change));
  CHECK(bench.service->change(change).error().code == Code::Conflict);  // twice
  CHECK(bench.service->hosts().machines.size() == 2);
  CHECK(bench.boots_installer());
  REQUIRE(bench.service->plan("token-1"));

  REQUIRE(bench.service->change(
      {{"e", 2},
       {.dhcp = DhcpService::Server, .cidr = "10.20.0.0/24", .gateway = {}, .dns = {}, .machines = {}},
       {"52:54:00:12:34:18"}}));
  CHECK(bench.service->hosts().machines.size() == 1);
  CHECK(bench.service->heard(kMac)->plan_taken);  // others' changes are not this machine's

  bench.open();
  CHECK(bench.service->hosts().machines.size() == 1);
  CHECK(bench.service->heard(kMac)->plan_taken);
  CHECK(bench.service->change({{"e", 3}, orders_with({}), {}}).error().code == Code::Conflict);  // it was restarted
}

TEST_CASE("what leads from some orders to others does so, whatever they are") {
  std::uint32_t random = 7;
  const auto next = [&](std::uint32_t below) { return (random = random * 1664525U + 1013904223U) / 65536U % below; };
  const auto some_orders = [&] {
    Orders orders{.dhcp = DhcpService::Server,
                  .cidr = "10.0.0.0/24",
                  .gateway = next(2) != 0 ? "10.0.0.1" : "",
                  .dns = {},
                  .machines = {}};
    for (int i = 0; i < 8; ++i) {
      if (next(3) == 0) continue;
      MachineOrder order{.mac = "52:54:00:00:00:0" + std::to_string(i),
                         .name = "m",
                         .address = "10.0.0." + std::to_string(next(3)),
                         .run = {}};
      if (next(2) != 0)
        order.run = RunOrder{.run = "r" + std::to_string(next(3)), .nonce = "n", .plan = "p", .key = "k"};
      orders.machines.push_back(std::move(order));
    }
    return orders;
  };
  Bench bench;
  Orders before;
  REQUIRE(bench.service->take(whole(before)));
  for (std::int64_t number = 1; number <= 100; ++number) {
    const Orders after = some_orders();
    auto update = changes_between(before, after);
    update.mark = {"e", number};
    auto carried = parse_orders_update(to_json(update));
    REQUIRE(carried);
    CHECK(*carried == update);
    REQUIRE(bench.service->change(std::move(*carried)));
    Bench other;  // that is told the whole
    REQUIRE(other.service->take(whole(after)));
    CHECK(bench.service->hosts() == other.service->hosts());
    CHECK(bench.service->installing() == other.service->installing());
    CHECK(changes_between(after, after).orders.machines.empty());
    before = after;
  }
}

TEST_CASE("orders and what was heard survive their texts") {
  OrdersUpdate update{{"e", 3}, orders_with(kRun), {"52:54:00:12:34:19"}};
  auto orders = parse_orders_update(to_json(update));
  REQUIRE(orders);
  CHECK(*orders == update);
  const Heard heard{.run = "r", .nonce = "n", .script_served = true, .last = Report{.run = "r", .nonce = "n"}};
  auto back = parse_heard(to_json(heard));
  REQUIRE(back);
  CHECK(*back == heard);
  for (const auto* bad :
       {"", "[]", R"({"machines":[{}]})", R"({"machines":[{"mac":"x"}]})", R"({"removed":["x"]})", R"({"number":-1})"})
    CHECK_FALSE(parse_orders_update(bad));
}

TEST_CASE("what a machine says never gets too large to be read back at the next start") {
  Bench bench;
  REQUIRE(bench.service->take(whole(orders_with(kRun))));
  REQUIRE(bench.boots_installer());
  REQUIRE(bench.service->plan("token-1"));
  Report report;
  report.run = "r1";
  report.nonce = std::string(32, 'a');
  report.stage = Stage::CheckedIn;
  const auto fill = [](auto& list, auto one) {
    for (int i = 0; i < 250; ++i) list.push_back(one);
  };
  fill(report.inventory.disks, DiskReport{.id = std::string(600, 'd')});
  REQUIRE(to_json(report).size() < kMostReportBytes);
  REQUIRE(bench.service->report("token-1", to_json(report)));
  report.inventory = {};
  report.stage = Stage::Failed;
  fill(report.erased, EraseReport{.disk = std::string(500, 'e'), .level = "secure"});
  REQUIRE(to_json(report).size() < kMostReportBytes);
  REQUIRE(bench.service->report("token-1", to_json(report)));
  bench.open();
  const auto heard = bench.service->heard(kMac);
  REQUIRE(heard);
  REQUIRE(heard->last);
  CHECK(heard->last->stage == Stage::Failed);
  CHECK(heard->last->erased.size() == 250);
}
