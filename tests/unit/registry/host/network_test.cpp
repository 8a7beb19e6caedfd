// Firewall and interfaces: the texts that hosts get.
#include "host_helper.hpp"
#include "registry/host/expansion.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

namespace {

std::string text_of(const std::vector<NamedText>& files, std::string_view name) {
  for (const auto& each : files) {
    if (each.name == name) return each.text;
  }
  FAIL("no file " << name);
  return {};
}

bool has(const std::string& text, const std::string& line) { return text.find(line) != std::string::npos; }

}  // namespace

TEST_CASE("firewall: SSH stays open unless a rule narrows it, and a host keeps what IP needs") {
  const auto open = firewall_rules({{Transport::Tcp, 443, {"10.0.0.0/8", "2001:db8::/32"}}});
  CHECK(has(open, "policy drop;"));
  CHECK(has(open, "    tcp dport 22 accept\n"));
  CHECK(has(open, "    ip saddr 10.0.0.0/8 tcp dport 443 accept\n"));
  CHECK(has(open, "    ip6 saddr 2001:db8::/32 tcp dport 443 accept\n"));
  for (const auto* needed : {"established,related", "iif \"lo\"", "packet-too-big", "destination-unreachable",
                             "nd-neighbor-solicit", "udp dport 68"}) {
    CHECK_MESSAGE(has(open, needed), needed);
  }
  const auto narrow = firewall_rules({{Transport::Tcp, 22, {"192.0.2.0/24"}}});
  CHECK_FALSE(has(narrow, "    tcp dport 22 accept\n"));
  CHECK(has(narrow, "    ip saddr 192.0.2.0/24 tcp dport 22 accept\n"));
  const auto everybody = firewall_rules({{Transport::Udp, 53, {"0.0.0.0/0", "::/0"}}, {Transport::Icmp, {}, {}}});
  CHECK(has(everybody, "    meta nfproto ipv4 udp dport 53 accept\n    meta nfproto ipv6 udp dport 53 accept\n"));
  CHECK(has(everybody, "    meta l4proto 1 accept\n    meta l4proto 58 accept\n"));
}

TEST_CASE("firewall: no rule, no firewall; one rule, a guarded change that boots with the host") {
  const auto none = built("timezone = \"Etc/UTC\"\n");
  CHECK(none.find("file:/etc/nimbus-host/firewall.nft") == nullptr);
  CHECK(none.find("package:nftables") == nullptr);
  CHECK(none.notifies("owned-files:/etc/nimbus-host/firewall.", "action:firewall"));
  const auto host = built("[[firewall]]\nallow = \"tcp\"\nport = 80\n");
  CHECK(host.notifies("file:/etc/nimbus-host/firewall.nft", "action:firewall"));
  CHECK_FALSE(host.get<host::Action>("action:firewall").undo.empty());
  CHECK(host.get<host::File>("file:/etc/nimbus-host/firewall.nft").validate == "nft -c -f {file}");
  CHECK(host.get<host::Unit>("unit:nimbus-firewall.service").enabled == true);
  CHECK(host.find("package:nftables") != nullptr);
  CHECK_FALSE(host.get<host::Action>("action:firewall").unless.empty());
}

TEST_CASE("interfaces: addresses, VLANs and bonds, for networkd and for netplan") {
  using Interface = Profile::Interface;
  Interface bond{.name = "bond0", .dhcp = Dhcp::Ipv4, .bond = Profile::Bond{BondMode::Lacp, {"eno1", "eno2"}}};
  Interface vlan{.name = "storage", .addresses = {"10.1.0.5/24"}, .vlan = Profile::Vlan{120, "bond0"}};
  Interface lone{.name = "lan",
                 .mac = "52:54:00:12:34:18",
                 .addresses = {"192.0.2.5/24", "2001:db8::5/64"},
                 .gateway = "192.0.2.1",
                 .dns = {"192.0.2.2"},
                 .mtu = 9000};
  const std::vector<Interface> all{bond, vlan, lone};
  const auto files = networkd_files(all);
  CHECK(files.size() == 7);
  CHECK(has(text_of(files, "10-nimbus-bond0.netdev"), "Kind=bond\n\n[Bond]\nMode=802.3ad\n"));
  CHECK(has(text_of(files, "10-nimbus-bond0.network"), "DHCP=ipv4\nVLAN=storage\n"));
  CHECK(has(text_of(files, "10-nimbus-eno1.network"), "[Match]\nName=eno1\n\n[Network]\nBond=bond0\n"));
  CHECK(has(text_of(files, "10-nimbus-storage.netdev"), "Kind=vlan\n\n[VLAN]\nId=120\n"));
  CHECK(has(text_of(files, "10-nimbus-lan.network"),
            "[Match]\nPermanentMACAddress=52:54:00:12:34:18\n\n[Link]\nMTUBytes=9000\n\n[Network]\nDHCP=no\n"
            "Address=192.0.2.5/24\nAddress=2001:db8::5/64\nGateway=192.0.2.1\nDNS=192.0.2.2\n"));
  CHECK(netplan_file(all) ==
        "# Written by Nimbus.\n"
        "network:\n"
        "  version: 2\n"
        "  ethernets:\n"
        "    \"lan\":\n"
        "      match: {macaddress: \"52:54:00:12:34:18\"}\n"
        "      dhcp4: false\n"
        "      dhcp6: false\n"
        "      addresses: [\"192.0.2.5/24\", \"2001:db8::5/64\"]\n"
        "      routes: [{to: \"0.0.0.0/0\", via: \"192.0.2.1\"}]\n"
        "      nameservers: {addresses: [\"192.0.2.2\"]}\n"
        "      mtu: 9000\n"
        "    \"eno1\": {}\n"
        "    \"eno2\": {}\n"
        "  bonds:\n"
        "    \"bond0\":\n"
        "      dhcp4: true\n"
        "      dhcp6: false\n"
        "      interfaces: [\"eno1\", \"eno2\"]\n"
        "      parameters: {mode: \"802.3ad\", mii-monitor-interval: 100}\n"
        "  vlans:\n"
        "    \"storage\":\n"
        "      dhcp4: false\n"
        "      dhcp6: false\n"
        "      addresses: [\"10.1.0.5/24\"]\n"
        "      id: 120\n"
        "      link: \"bond0\"\n");
}

TEST_CASE("interfaces: their files notify a guarded action, also when the last of them goes") {
  const auto host = built("[[interface]]\nname = \"eno1\"\ndhcp = \"both\"\n");
  const std::string file = "file:/etc/nimbus-host/network/10-nimbus-eno1.network";
  CHECK(host.notifies(file, "action:network"));
  CHECK(host.get<host::File>("file:/etc/nimbus-host/network/90-nimbus.yaml").mode == "0600");
  CHECK_FALSE(host.get<host::Action>("action:network").undo.empty());
  const auto none = built("timezone = \"Etc/UTC\"\n");
  CHECK(none.notifies("owned-files:/etc/nimbus-host/network/10-nimbus-", "action:network"));
}
