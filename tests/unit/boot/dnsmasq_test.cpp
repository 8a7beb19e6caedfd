#include "boot/dnsmasq.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::boot;
using namespace std::chrono_literals;

namespace {

constexpr const char* kMac = "52:54:00:12:34:17";
constexpr const char* kFile = "52-54-00-12-34-17";
const DnsmasqFacts kFacts{.interface = "br0", .script_url = "http://h:1/ipxe/", .tftp_root = "/t", .state = "/s"};

Orders two_machines() {
  Orders orders;
  orders.dhcp = DhcpService::Server;
  orders.cidr = "10.20.0.0/24";
  orders.machines = {{.mac = kMac, .name = "m017", .address = "10.20.0.11", .run = {}},
                     {.mac = "52:54:00:12:34:18", .name = "m018", .address = "10.20.0.12", .run = {}}};
  return orders;
}

}  // namespace

TEST_CASE("dnsmasq: only ordered machines, and only installing ones get something to boot") {
  auto files = dnsmasq_files(kFacts, two_machines(), {kMac});
  REQUIRE(files);
  CHECK(files->hosts.at(kFile).line == "52:54:00:12:34:17,set:install,10.20.0.11,m017");
  CHECK(files->hosts.at("52-54-00-12-34-18").line == "52:54:00:12:34:18,10.20.0.12,m018");
  const auto& text = files->configuration;
  CHECK(text.find("dhcp-hostsdir=/s/hosts.d\n") != std::string::npos);
  CHECK(text.find("tftp-port-range=24576,25599\n") != std::string::npos);
  CHECK(text.find("dhcp-ignore=tag:!known\n") != std::string::npos);
  CHECK(text.find("dhcp-range=10.20.0.0,static,255.255.255.0,1h\n") != std::string::npos);
  for (const auto* line : {"dhcp-boot=http", "dhcp-boot=undionly"}) CHECK(text.find(line) == std::string::npos);
}

TEST_CASE("dnsmasq beside another server answers as a proxy") {
  auto beside = two_machines();
  beside.dhcp = DhcpService::Proxy;
  const auto files = dnsmasq_files(kFacts, beside, {kMac});
  REQUIRE(files);
  const auto& proxy = files->configuration;
  CHECK(proxy.find("dhcp-range=10.20.0.0,proxy,255.255.255.0\n") != std::string::npos);
  CHECK(proxy.find("pxe-service=tag:install,tag:!ipxe,X86-64_EFI,") != std::string::npos);
  CHECK(proxy.find("pxe-service=tag:install,tag:ipxe,X86PC,\"Nimbus\",http://h:1/ipxe/") != std::string::npos);
  CHECK(proxy.find("dhcp-ignore=tag:!known\n") != std::string::npos);
  for (const auto* word : {"authoritative", "option:router", "static"}) CHECK(proxy.find(word) == std::string::npos);
}

TEST_CASE("orders of a network that we have no address in are another nimbus-boot's") {
  auto facts = kFacts;
  facts.address = "10.20.0.1";
  auto orders = two_machines();
  CHECK(check_network(facts, orders));
  orders.cidr = "10.21.0.0/24";
  CHECK(check_network(facts, orders).error().code == Code::Invalid);
  orders.cidr = "10.20.0.0";
  CHECK_FALSE(check_network(facts, orders));
}

TEST_CASE("nothing hostile stands in dnsmasq's files") {
  auto hostile = two_machines();
  hostile.machines[0].name = "m\ndhcp-script=/bin/sh";
  CHECK_FALSE(dnsmasq_files(kFacts, hostile, {}));
  hostile = two_machines();
  hostile.machines[0].address = "1.2.3.4,evil";
  CHECK_FALSE(dnsmasq_files(kFacts, hostile, {}));
  hostile = two_machines();
  hostile.machines[0].mac = "../../etc/passwd";
  CHECK_FALSE(dnsmasq_files(kFacts, hostile, {}));
  hostile = two_machines();
  hostile.cidr = "10.20.0.0/33";
  CHECK_FALSE(dnsmasq_files(kFacts, hostile, {}));
  hostile.cidr = "10.20.0.0/24";
  hostile.dns = {"1.1.1.1\nenable"};
  CHECK_FALSE(dnsmasq_files(kFacts, hostile, {}));
}

TEST_CASE("what a change takes: nothing for a new machine, a restart for what dnsmasq does not forget") {
  const auto files = [](const Orders& orders, const std::set<std::string>& installing = {}) {
    return *dnsmasq_files(kFacts, orders, installing);
  };
  const auto before = two_machines();
  CHECK(change_between(files(before), files(before)).restart == Restart::None);

  auto more = before;
  more.machines.push_back({.mac = "52:54:00:12:34:19", .name = "m019", .address = "10.20.0.13", .run = {}});
  auto change = change_between(files(before), files(more, {"52:54:00:12:34:19"}));
  CHECK(change.restart == Restart::None);
  CHECK(change.added == std::vector<std::string>{"52-54-00-12-34-19"});

  CHECK(change_between(files(before), files(before, {kMac})).restart == Restart::Soon);   // it is switched on next
  CHECK(change_between(files(before, {kMac}), files(before)).restart == Restart::Later);  // its plan was taken
  auto fewer = before;
  fewer.machines.pop_back();
  CHECK(change_between(files(before), files(fewer)).restart == Restart::Later);
  auto moved = before;
  moved.machines[0].address = "10.20.0.99";
  CHECK(change_between(files(before), files(moved)).restart == Restart::Soon);
  auto other = before;
  other.gateway = "10.20.0.1";
  CHECK(change_between(files(before), files(other)).restart == Restart::Soon);
  // dnsmasq would refuse the new one as long as it knows the old one.
  auto heir = fewer;
  heir.machines.push_back({.mac = "52:54:00:12:34:19", .name = "m019", .address = "10.20.0.12", .run = {}});
  change = change_between(files(before), files(heir));
  CHECK(change.restart == Restart::Soon);
  CHECK(change.added.empty());
}

TEST_CASE("transfers over TFTP are seen by their ports, and waited for within bounds") {
  const std::string head = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
  const auto socket = [](const std::string& port) {
    return "   12: 0100140A:" + port + " 00000000:0000 07 0:0 0:0 0\n";
  };
  CHECK_FALSE(is_transferring(""));
  CHECK_FALSE(is_transferring(head + socket("0045") + socket("0043") + socket("5FFF") + socket("6400")));
  CHECK(is_transferring(head + socket("0045") + socket("6000")));
  CHECK(is_transferring(head + socket("63FF")));
  CHECK_FALSE(is_transferring("nonsense: \n: x\n"));

  CHECK_FALSE(may_restart(Restart::None, false, 1h));
  CHECK(may_restart(Restart::Soon, false, 0s));
  CHECK(may_restart(Restart::Later, false, 0s));
  CHECK_FALSE(may_restart(Restart::Soon, true, 2s));
  CHECK(may_restart(Restart::Soon, true, 3s));
  CHECK_FALSE(may_restart(Restart::Later, true, 29s));
  CHECK(may_restart(Restart::Later, true, 30s));
}
