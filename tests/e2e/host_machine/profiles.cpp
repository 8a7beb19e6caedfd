#include "profiles.hpp"

namespace nimbus::test {
namespace {

constexpr const char* kSystem = R"(
hostname = "web-1"
timezone = "Europe/Berlin"
locale = "de_DE.UTF-8"
modules = ["br_netfilter", "dummy"]
[time]
servers = ["192.0.2.123"]
[sysctl]
"net.ipv4.ip_forward" = 1
"net.bridge.bridge-nf-call-iptables" = 0
"vm.swappiness" = 7
)";

constexpr const char* kApp = R"(
[[file]]
path = "/usr/local/bin/app"
mode = "0755"
content = """
#!/bin/sh
trap 'echo reloaded >>/var/log/app' HUP
echo started >>/var/log/app
while :; do sleep 1; done
"""
[[file]]
path = "/etc/systemd/system/app.service"
content = """
[Service]
ExecStart=/usr/local/bin/app
ExecReload=/bin/kill -HUP $MAINPID
Environment=GENERATION=GEN
[Install]
WantedBy=multi-user.target
"""
[[file]]
path = "/etc/app.conf"
content = "CONF"
[[file]]
path = "/etc/app.rules"
content = "RULES"
[[service]]
name = "app"
enabled = true
running = true
restart_on = ["/etc/systemd/system/app.service", "/etc/app.conf"]
reload_on = ["/etc/app.rules"]
)";

constexpr const char* kRows = R"(
[[host]]
address = "192.0.2.10"
names = ["db"]
[[timer]]
name = "hello"
calendar = "*-*-* 03:00:00"
command = "echo hello >>/var/log/hello"
[[mount]]
source = "tmpfs"
path = "/srv/scratch"
fs = "tmpfs"
options = "size=8m"
[[mount]]
source = "LABEL=data"
path = "/srv/data"
fs = "ext4"
options = "noatime,nofail"
[[swap]]
path = "/swapfile"
size_mib = 32
)";

}  // namespace

const char* const kOpen = R"(
[[firewall]]
allow = "tcp"
port = 22
from = ["10.0.2.0/24"]
[[firewall]]
allow = "tcp"
port = 443
[[firewall]]
allow = "udp"
port = 53
from = ["0.0.0.0/0", "2001:db8::/32"]
[[firewall]]
allow = "icmp"
)";

const char* const kNetwork = R"(
[[interface]]
name = "eth0"
dhcp = "ipv4"
[[interface]]
name = "bond0"
addresses = ["192.0.2.5/24", "2001:db8::5/64"]
mtu = 1400
bond = { mode = "active-backup", members = ["eth1", "eth2"] }
[[interface]]
name = "storage"
addresses = ["198.51.100.5/24"]
vlan = { id = 120, link = "bond0" }
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

std::string whole(const std::string& generation, const std::string& conf, const std::string& rules) {
  auto app = with(kApp, "GENERATION=GEN", "GENERATION=" + generation);
  app = with(std::move(app), "\"CONF\"", "\"" + conf + "\"");
  app = with(std::move(app), "\"RULES\"", "\"" + rules + "\"");
  return kSystem + app + kRows;
}

/// One script for all of it: each costs a second or two on an emulated machine.
void is_whole() {
  const auto shown = machine().sh(R"(
systemctl is-enabled app nimbus-timer-hello.timer; systemctl is-active app nimbus-timer-hello.timer systemd-timesyncd
systemctl list-timers --no-legend nimbus-timer-hello.timer | grep -o 03:00:00
cd /proc/sys; cat net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables vm/swappiness
ls -d /sys/module/br_netfilter /sys/module/dummy
hostnamectl --static; hostname; cat /etc/hostname
timedatectl show -p Timezone --value; date +%Z | cut -c1-2
LC_ALL=de_DE.UTF-8 locale charmap; (. /etc/default/locale; echo $LANG)
timedatectl show-timesync -p SystemNTPServers --value
findmnt -nro FSTYPE,SIZE /srv/scratch; findmnt -nro SOURCE,FSTYPE /srv/data
findmnt -nro OPTIONS /srv/data | grep -o noatime
swapon --show=NAME,SIZE --noheadings --raw; stat -c '%a %U' /swapfile
getent hosts db | tr -s ' '
findmnt --verify --verbose >/dev/null 2>&1
)");
  CHECK(shown ==
        "enabled\nenabled\nactive\nactive\nactive\n03:00:00\n1\n0\n7\n/sys/module/br_netfilter\n/sys/module/dummy\n"
        "web-1\nweb-1\nweb-1\nEurope/Berlin\nCE\nUTF-8\nde_DE.UTF-8\n192.0.2.123\ntmpfs 8M\n/dev/vdc ext4\nnoatime\n"
        "/swapfile 32M\n600 root\n192.0.2.10 db\n");
}

void network_is_up(const std::string& mode, const std::string& vlan) {
  // networkd takes its time after it was told.
  const auto shown = machine().sh(R"(
i=0
for address in 192.0.2.5/24 2001:db8::5/64 198.51.100.5/24 10.0.2.15/24; do
  until ip -br address | grep -qF " $address" || [ $i -ge 200 ]; do i=$((i + 1)); sleep 0.2; done
done
cd /sys/class/net; cat bond0/bonding/mode; tr ' ' '\n' <bond0/bonding/slaves | sort | xargs; cat bond0/mtu
ip -d link show storage | grep -o 'vlan protocol 802.1Q id [0-9]*'
ip -br address
)");
  CHECK_MESSAGE(shown.starts_with(mode + "\neth1 eth2\n1400\nvlan protocol 802.1Q id " + vlan + "\n"), shown);
  for (const char* address : {"192.0.2.5/24", "2001:db8::5/64", "198.51.100.5/24", "10.0.2.15/24"}) {
    CHECK_MESSAGE(shown.find(address) != std::string::npos, shown);
  }
}

}  // namespace nimbus::test
