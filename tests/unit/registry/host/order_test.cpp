// What profiles expand to is what the reconciler can put in order and ask for: no row
// brings a cycle, whatever others stand beside it.
#include "reconcilers/configure/order.hpp"
#include "host_helper.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

TEST_CASE("expand: rows of every kind together are no cycle, and what notifies comes first") {
  const auto host = built(R"(
hostname = "{{instance.hostname}}"
timezone = "Etc/UTC"
locale = "C.UTF-8"
packages = { present = ["nginx"], hold = ["linux"], absent = ["telnet"] }
modules = ["br_netfilter"]
time = { servers = ["ntp.example"] }
[[repository]]
name = "r"
url = "https://r.example"
suites = ["s"]
components = ["c"]
key = { content = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" }
[[ca_certificate]]
name = "ca"
content = "-----BEGIN CERTIFICATE-----\n"
[[group]]
name = "app"
[[user]]
name = "app"
groups = ["app"]
sudo = "password"
[[sudoers]]
name = "app"
rules = ["x"]
[[directory]]
path = "/srv/app"
owner = "app"
[[file]]
path = "/srv/app/conf"
owner = "app"
content = "x"
[[file]]
path = "/etc/systemd/system/app.service"
content = "x"
[[link]]
path = "/srv/app/link"
target = "conf"
[[secret_file]]
path = "/srv/app/token"
secret = "tenant/{{tenant.name}}/app-token"
[[service]]
name = "app"
running = true
restart_on = ["/etc/systemd/system/app.service"]
reload_on = ["/srv/app/conf"]
[[service]]
name = "systemd-networkd"
running = true
[[timer]]
name = "t"
calendar = "daily"
command = "true"
user = "app"
[[mount]]
source = "tmpfs"
path = "/srv/t"
fs = "tmpfs"
[[swap]]
path = "/srv/t/swap"
size_mib = 1
[[host]]
address = "192.0.2.1"
names = ["x"]
[[firewall]]
allow = "tcp"
port = 80
[[interface]]
name = "eno1"
dhcp = "ipv4"
[[command]]
name = "c"
run = "true"
creates = "/x"
after = ["timer:t", "package:nginx"]
[sysctl]
"vm.swappiness" = 1
)");
  const auto& list = host.host.configuration.resources;
  const auto order = reconcilers::configure::order_of(host.host.configuration);
  REQUIRE_MESSAGE(order.has_value(), (order ? "" : order.error().message));
  const auto level = [&](const std::string& id) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].id == id) return order->level[i];
    }
    FAIL("no " << id);
    return std::size_t{0};
  };
  for (const auto& each : list) {
    for (const auto& told : each.notifies) CHECK_MESSAGE(level(each.id) < level(told), each.id << " " << told);
    for (const auto& first : each.after) CHECK_MESSAGE(level(first) < level(each.id), first << " " << each.id);
  }
  CHECK(level("file:/etc/apt/sources.list.d/nimbus-r.sources") < level("package:nginx"));
  CHECK(level("package:nftables") < level("file:/etc/nimbus-host/firewall.nft"));
}
