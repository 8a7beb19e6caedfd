#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/file/file.hpp"
#include "boot/dnsmasq.hpp"
#include "boot/service.hpp"

using namespace nimbus;
using namespace nimbus::boot;

namespace {

constexpr const char* kMac = "52:54:00:12:34:17";

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
    ::unlink((folder + "/state.json").c_str());
    ::rmdir(folder.c_str());
  }
  void open() {
    service = *Service::open(folder, {.url = "http://h:1", .files_url = "http://h:2", .kernel_arguments = "console=x"},
                             [this] { return "token-" + std::to_string(++tokens); });
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
  std::unique_ptr<Service> service;
  int tokens = 0;
};

}  // namespace

TEST_CASE("without a run every machine boots its disk") {
  Bench bench;
  REQUIRE(bench.service->script(kMac));
  CHECK(*bench.service->script(kMac) == "#!ipxe\nexit 1\n");
  CHECK(*bench.service->script("nonsense/../..") == "#!ipxe\nexit 1\n");
  REQUIRE(bench.service->take(orders_with({})));
  CHECK(bench.service->script(kMac)->find("sanboot") != std::string::npos);
  CHECK(bench.service->installing().empty());
}

TEST_CASE("a run is served until its plan was taken, and then never again") {
  Bench bench;
  REQUIRE(bench.service->take(orders_with(kRun)));
  CHECK(bench.service->installing() == std::vector<std::string>{kMac});
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
    REQUIRE(bench.service->take(orders_with(kRun)));
    CHECK_FALSE(bench.boots_installer());
  }
  SUBCASE("but another attempt with a new nonce is") {
    auto again = kRun;
    again.nonce = std::string(32, 'b');
    REQUIRE(bench.service->take(orders_with(again)));
    CHECK(bench.boots_installer());
    CHECK_FALSE(bench.service->report("token-2", Bench::report(Stage::Installed)));  // the old boot is nobody now
  }
}

TEST_CASE("reports count only with token, run and nonce, and only until the last word") {
  Bench bench;
  REQUIRE(bench.service->take(orders_with(kRun)));
  REQUIRE(bench.boots_installer());
  CHECK(bench.service->report("guess", Bench::report(Stage::Installed)).error().code == Code::Auth);
  CHECK(bench.service->report("", Bench::report(Stage::Installed)).error().code == Code::Auth);
  CHECK(bench.service->report("token-1", Bench::report(Stage::Installed, "other")).error().code == Code::Conflict);
  CHECK(bench.service->report("token-1", "{}").error().code == Code::Invalid);
  CHECK_FALSE(bench.service->heard().at(kMac).last);
  REQUIRE(bench.service->report("token-1", Bench::report(Stage::Installed)));
  CHECK(bench.service->report("token-1", Bench::report(Stage::Installed)));  // said twice
  CHECK_FALSE(bench.service->report("token-1", Bench::report(Stage::Writing)));
  CHECK(bench.service->heard().at(kMac).last->stage == Stage::Installed);
  CHECK_FALSE(bench.boots_installer());
  bench.open();  // a crash forgets nothing
  CHECK(bench.service->heard().at(kMac).last->stage == Stage::Installed);
  CHECK_FALSE(bench.boots_installer());
}

TEST_CASE("a damaged state is no reason to guess") {
  Bench bench;
  REQUIRE(base::write_file_atomically(bench.folder + "/state.json", "{\"orders\":", 0600));
  CHECK_FALSE(Service::open(bench.folder, {}, [] { return "t"; }));
}

TEST_CASE("dnsmasq: only ordered machines, and only installing ones get something to boot") {
  const DnsmasqFacts facts{.interface = "br0", .script_url = "http://h:1/ipxe/", .tftp_root = "/t", .state = "/s"};
  auto text = dnsmasq_configuration(facts, orders_with(kRun), {kMac});
  REQUIRE(text);
  CHECK(text->find("dhcp-host=52:54:00:12:34:17,set:install,10.20.0.11,m017\n") != std::string::npos);
  CHECK(text->find("dhcp-host=52:54:00:12:34:18,10.20.0.12,m018\n") != std::string::npos);
  CHECK(text->find("dhcp-ignore=tag:!known\n") != std::string::npos);
  CHECK(text->find("dhcp-range=10.20.0.0,static,255.255.255.0,1h\n") != std::string::npos);
  for (const auto line : {"dhcp-boot=http", "dhcp-boot=undionly"}) CHECK(text->find(line) == std::string::npos);

  auto hostile = orders_with(kRun);
  hostile.machines[0].name = "m\ndhcp-script=/bin/sh";
  CHECK_FALSE(dnsmasq_configuration(facts, hostile, {}));
  hostile = orders_with(kRun);
  hostile.machines[0].address = "1.2.3.4,evil";
  CHECK_FALSE(dnsmasq_configuration(facts, hostile, {}));
  hostile = orders_with(kRun);
  hostile.cidr = "10.20.0.0/33";
  CHECK_FALSE(dnsmasq_configuration(facts, hostile, {}));
  hostile.cidr = "10.20.0.0/24";
  hostile.dns = {"1.1.1.1\nenable"};
  CHECK_FALSE(dnsmasq_configuration(facts, hostile, {}));
}

TEST_CASE("orders and what was heard survive their texts") {
  auto orders = parse_orders(to_json(orders_with(kRun)));
  REQUIRE(orders);
  CHECK(*orders == orders_with(kRun));
  HeardByMac heard{{kMac, {.run = "r", .nonce = "n", .script_served = true, .last = Report{.run = "r", .nonce = "n"}}}};
  auto back = parse_heard(to_json(heard));
  REQUIRE(back);
  CHECK(*back == heard);
  for (const auto* bad : {"", "[]", "{\"machines\":[{}]}", "{\"machines\":[{\"mac\":\"x\"}]}"})
    CHECK_FALSE(parse_orders(bad));
}
