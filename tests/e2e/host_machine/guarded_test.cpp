// What may cut the host off: nftables, systemd-networkd and netplan for real. A change after which
// nobody gets in takes itself back, and is held; one that lets us in is confirmed, and stays.
#include <algorithm>

#include "profiles.hpp"

using namespace nimbus;
using namespace nimbus::test;
using nimbus::reconcilers::configure::Gap;

namespace {

constexpr const char* kShut = R"(
[[firewall]]
allow = "tcp"
port = 22
from = ["192.0.2.0/24"]
)";

// An address that nobody asks for.
constexpr const char* kLost = R"(
[[interface]]
name = "eth0"
dhcp = "none"
addresses = ["203.0.113.9/24"]
)";

/// How long a try waits for its confirmation here: longer than it takes to see that it shut us out,
/// on an emulated machine as slow as this one is now.
int time_of_a_try() { return 10 + 8 * static_cast<int>(machine().time_of_a_script().count()); }

/// Tries it, is shut out, and gets in again without doing anything.
Pass shut_out(const host::Configuration& wanted, const std::string& action, std::chrono::seconds longest) {
  auto& host = machine();
  auto pass = host.converge(wanted, longest);
  // Either the session of the change survived it (then it waits for us), or not even that.
  CHECK_MESSAGE((pass.lost || pass.facts.awaiting.contains(action)), pass.text());
  CHECK_FALSE(host.lets_in(std::chrono::seconds{3}));
  host.wait_until_it_lets_in();
  // The undo may not be at its end yet.
  host.sh("i=0; until [ -e /var/lib/nimbus/undone/" + action + " ] && [ ! -e /var/lib/nimbus/undoing-" + action +
          " ]; do i=$((i + 1)); [ $i -lt 200 ] || exit 1; sleep 0.5; done");
  // By systemd, which outlives whatever becomes of sshd.
  host.sh("journalctl --no-pager -o cat | grep -q '^Started .*/var/lib/nimbus/watchdog " + action + "'");
  return pass;
}

/// As if this had been confirmed once: its files are there, and it is not held.
void was_confirmed(const host::Configuration& wanted, const std::string& action) {
  std::string script = "rm /var/lib/nimbus/undone/" + action + "\n";
  for (const auto& resource : wanted.resources) {
    const auto* file = std::get_if<host::File>(&resource.wanted);
    const bool ours = file != nullptr && file->path.starts_with("/etc/nimbus-host/");
    if (ours)
      script +=
          "cat >" + file->path + " <<'END'\n" + file->content + "END\nchmod " + file->mode + " " + file->path + "\n";
  }
  machine().sh(script);
}

/// One look, no try, and it is said why.
void is_held(const host::Configuration& wanted, const std::string& action) {
  const auto pass = machine().converge(wanted);
  CHECK(pass.probes == 1);
  CHECK_MESSAGE(pass.corrections == 0, pass.text());
  const auto gap = std::ranges::find(pass.gaps, action, &Gap::resource);
  REQUIRE_MESSAGE(gap != pass.gaps.end(), pass.text());
  CHECK(gap->kind == Gap::Kind::Held);
  CHECK(gap->problem.find("waits until the configuration changes") != std::string::npos);
}

}  // namespace

TEST_CASE("host machine: a firewall that shuts us out opens by itself and is held; a good one stays") {
  auto& host = machine();
  const auto before = host.sh("nft list ruleset");
  const auto shut = host_with(kShut, time_of_a_try());
  shut_out(shut, "action:firewall", std::chrono::seconds{240});
  CHECK(host.sh("nft list ruleset") == before);
  is_held(shut, "action:firewall");
  // Confirmed long ago, when we came from somewhere else; somebody has opened it by hand since.
  was_confirmed(shut, "action:firewall");
  shut_out(shut, "action:firewall", std::chrono::seconds{240});
  CHECK(host.sh("nft list ruleset") == before);
  is_held(shut, "action:firewall");

  const auto open = host_with(kOpen);
  settles(open);
  const auto rules = host.sh("nft list table inet nimbus");
  for (const char* line : {"policy drop", "ip saddr 10.0.2.0/24 tcp dport 22 accept", "tcp dport 443 accept",
                           "ip6 saddr 2001:db8::/32 udp dport 53 accept"}) {
    CHECK_MESSAGE(rules.find(line) != std::string::npos, rules);
  }
  CHECK(host.lets_in(std::chrono::seconds{60}));
  CHECK(host.sh("systemctl is-enabled nimbus-firewall.service") == "enabled\n");

  // Rules of somebody else are seen, and those of other tables are left alone.
  host.sh("nft add table inet others; nft flush chain inet nimbus input; nft add rule inet nimbus input accept");
  settles(open);
  CHECK(host.sh("nft list table inet nimbus") == rules);
  CHECK(host.sh("nft delete table inet others").empty());

  settles_on_nothing();
  CHECK(host.sh("nft list ruleset") == before);
  CHECK(host.sh("ls /etc/systemd/system").find("nimbus-firewall") == std::string::npos);
}

/// From absent to present, changed behind our back, with other values, taken back after it shut us out
/// and dropped a bond and a VLAN, and removed; by whatever has the network. `live`: files of ours.
void network_comes_and_goes(const std::string& live, const std::string& drift, int scripts_of_a_try) {
  auto& host = machine();
  const auto files = "cd " + live + "; ls";
  const auto others = host.sh(files);
  const auto wanted = host_with(kNetwork);
  settles(wanted);
  network_is_up();
  for (const std::string& change : {drift, std::string("ip link delete bond0")}) {
    host.sh(change);
    settles(wanted);
    network_is_up();
  }

  settles(host_with(with(with(kNetwork, "active-backup", "balance-rr"), "id = 120", "id = 121")));
  network_is_up("balance-rr 0", "121");

  const auto before = host.sh(files);
  const auto lost = host_with(kLost, time_of_a_try());
  for (const bool by_hand : {false, true}) {
    // The second time it was confirmed once, and what is live is what somebody made of it by hand since.
    if (by_hand) host.sh("rm /etc/nimbus-host/network/*");
    if (by_hand) was_confirmed(lost, "action:network");
    shut_out(lost, "action:network", host.time_of_a_script() * scripts_of_a_try + std::chrono::seconds{10});
    network_is_up("balance-rr 0", "121");
    CHECK(host.sh(files) == before);
    is_held(lost, "action:network");
  }

  settles_on_nothing();
  CHECK(host.sh(files) == others);
  CHECK(host.sh("cd /sys/class/net; ls -d bond0 storage 2>/dev/null || :; ip -br -4 address show eth0")
            .starts_with("eth0 "));
  CHECK(host.lets_in(std::chrono::seconds{60}));
}

TEST_CASE("host machine: bonds and VLANs by networkd; a network that loses us comes back by itself") {
  network_comes_and_goes("/etc/systemd/network",
                         "rm /etc/systemd/network/10-nimbus-storage.network; ip link delete storage", 3);
}

TEST_CASE("host machine: the same by netplan, where netplan has the network") {
  auto& host = machine();
  host.sh(
      "mkdir /etc/netplan; mv /etc/systemd/network/20-wired.network /root/; umask 077\n"
      "printf 'network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\\n' >/etc/netplan/50-image.yaml\n"
      "netplan apply");
  host.wait_until_it_lets_in();
  network_comes_and_goes("/etc/netplan", "sed -i 's/198.51.100.5/198.51.100.6/' /etc/netplan/90-nimbus.yaml", 6);
  CHECK(host.sh("ls /etc/systemd/network").empty());

  host.sh(
      "mv /root/20-wired.network /etc/systemd/network/; rm -r /etc/netplan /run/systemd/network/*netplan*\n"
      "networkctl reload");
  host.wait_until_it_lets_in();
}
