// [[interface]]: the same network as files of systemd-networkd and of netplan. Which of
// the two runs a host only the host knows: both are put beside each other in a folder of
// ours, and the action installs the set that fits.
#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "registry/host/expansion.hpp"

namespace nimbus::registry {
namespace {

using Interface = Profile::Interface;

constexpr std::string_view kFolder = "/etc/nimbus-host/network";

/// Which bond an interface is in.
std::map<std::string, std::string> members_of(const std::vector<Interface>& interfaces) {
  std::map<std::string, std::string> out;
  for (const auto& each : interfaces) {
    if (!each.bond) continue;
    for (const auto& member : each.bond->members) out[member] = each.name;
  }
  return out;
}

std::string_view networkd_dhcp(Dhcp dhcp) {
  return dhcp == Dhcp::None ? "no" : dhcp == Dhcp::Both ? "yes" : name_of(dhcp);
}

std::string networkd_netdev(const Interface& each) {
  if (each.vlan) return fmt::format("[NetDev]\nName={}\nKind=vlan\n\n[VLAN]\nId={}\n", each.name, each.vlan->id);
  return fmt::format("[NetDev]\nName={}\nKind=bond\n\n[Bond]\nMode={}\nMIIMonitorSec=100ms\n", each.name,
                     name_of(each.bond->mode));
}

/// `bond`: the one that it is in; empty: none.
std::string networkd_network(const Interface& each, const std::vector<Interface>& all, const std::string& bond) {
  // The permanent address: VLANs have the same current one as what they lie on.
  std::string out = each.mac.empty() ? fmt::format("[Match]\nName={}\n", each.name)
                                     : fmt::format("[Match]\nPermanentMACAddress={}\n", each.mac);
  if (each.mtu) out += fmt::format("\n[Link]\nMTUBytes={}\n", *each.mtu);
  out += "\n[Network]\n";
  if (!bond.empty()) return out + fmt::format("Bond={}\n", bond);
  out += fmt::format("DHCP={}\n", networkd_dhcp(each.dhcp));
  for (const auto& address : each.addresses) out += fmt::format("Address={}\n", address);
  if (!each.gateway.empty()) out += fmt::format("Gateway={}\n", each.gateway);
  for (const auto& server : each.dns) out += fmt::format("DNS={}\n", server);
  for (const auto& other : all) {
    if (other.vlan && other.vlan->link == each.name) out += fmt::format("VLAN={}\n", other.name);
  }
  return out;
}

std::string quoted(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& each : list) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", each);
  return "[" + out + "]";
}

std::string netplan_entry(const Interface& each) {
  std::string out = fmt::format("    \"{}\":\n", each.name);
  const auto line = [&](std::string_view text) { out += fmt::format("      {}\n", text); };
  if (!each.mac.empty()) line(fmt::format("match: {{macaddress: \"{}\"}}", each.mac));
  line(fmt::format("dhcp4: {}", each.dhcp == Dhcp::Ipv4 || each.dhcp == Dhcp::Both));
  line(fmt::format("dhcp6: {}", each.dhcp == Dhcp::Ipv6 || each.dhcp == Dhcp::Both));
  if (!each.addresses.empty()) line("addresses: " + quoted(each.addresses));
  if (!each.gateway.empty()) {
    const auto all = each.gateway.find(':') == std::string::npos ? "0.0.0.0/0" : "::/0";
    line(fmt::format("routes: [{{to: \"{}\", via: \"{}\"}}]", all, each.gateway));
  }
  if (!each.dns.empty()) line(fmt::format("nameservers: {{addresses: {}}}", quoted(each.dns)));
  if (each.mtu) line(fmt::format("mtu: {}", *each.mtu));
  if (each.vlan) line(fmt::format("id: {}", each.vlan->id));
  if (each.vlan) line(fmt::format("link: \"{}\"", each.vlan->link));
  if (each.bond) line("interfaces: " + quoted(each.bond->members));
  if (each.bond) line(fmt::format("parameters: {{mode: \"{}\", mii-monitor-interval: 100}}", name_of(each.bond->mode)));
  return out;
}

/// What both scripts begin with: where the files come from and go to.
constexpr std::string_view kWhere =
    "if [ -d /etc/netplan ] && command -v netplan >/dev/null; then\n"
    "  renderer=netplan to=/etc/netplan prefix=90-nimbus\n"
    "else\n"
    "  renderer=networkd to=/etc/systemd/network prefix=10-nimbus-\n"
    "fi\n"
    "from=/etc/nimbus-host/network\n";

/// `devices`: our bonds and VLANs, by the live files. networkd makes them of the files `$made*`, and
/// netplan makes those. That there are bonds and VLANs at the end of our YAML is the doing of netplan_file().
constexpr std::string_view kDevices =
    "if [ \"$renderer\" = netplan ]; then\n"
    "  made=/run/systemd/network/10-netplan-\n"
    "  devices=$(sed -n '/^  [bv].*s:$/,$s/^    \"\\(.*\\)\":$/\\1/p' \"$to/90-nimbus.yaml\" 2>/dev/null)\n"
    "else\n"
    "  made=$to/$prefix\n"
    "  devices=$(cd \"$to\" && ls \"$prefix\"*.netdev 2>/dev/null | sed \"s/^$prefix//; s/[.]netdev$//\")\n"
    "fi\n";

/// What they were made of, to be compared after the change.
constexpr std::string_view kTold =
    "told() {\n"
    "  for device in $devices; do echo \"$device $(cksum \"$made$device.netdev\" 2>/dev/null)\"; done\n"
    "}\n"
    "before=$(told)\n";

/// The live files become those in `$from`.
constexpr std::string_view kPutLive =
    "for live in \"$to/$prefix\"*; do\n"
    "  [ ! -e \"$live\" ] || [ -e \"$from/${live##*/}\" ] || rm -f -- \"$live\" || exit 1\n"
    "done\n"
    "for file in \"$from/$prefix\"*; do\n"
    "  [ -e \"$file\" ] || continue\n"
    "  cp -p -- \"$file\" \"$to/.nimbus-new\" || exit 1\n"
    "  mv -f -- \"$to/.nimbus-new\" \"$to/${file##*/}\" || exit 1\n"
    "done\n";

/// networkd creates a device when it reads its file, and leaves it as it is when the file has changed
/// or is gone; what it has read of a VLAN it forgets only when it starts anew. netplan's check of all
/// files comes first: what it refuses deletes nothing. netplan leaves networkd alone when nothing is
/// left that it would tell it.
constexpr std::string_view kApply =
    "[ \"$renderer\" = networkd ] || netplan generate || exit 1\n"
    "after=$(told)\n"
    "if [ \"$before\" != \"$after\" ]; then\n"
    "  printf '%s\\n' \"$before\" | while IFS= read -r line; do\n"
    "    printf '%s\\n' \"$after\" | grep -qxF -e \"$line\" || ip link delete dev \"${line%% *}\" 2>/dev/null\n"
    "  done\n"
    "  systemctl try-restart systemd-networkd || exit 1\n"
    "fi\n"
    "[ \"$renderer\" = networkd ] || netplan apply || exit 1\n"
    "if systemctl is-active --quiet systemd-networkd; then networkctl reload; fi\n";

/// What is live, and not always what we put there: somebody may have repaired the network by hand.
constexpr std::string_view kKeep =
    "if [ ! -d \"$KEEP\" ]; then\n"
    "  rm -rf \"$KEEP.new\" && mkdir -m 0700 \"$KEEP.new\" || exit 1\n"
    "  for live in \"$to/$prefix\"*; do\n"
    "    [ ! -e \"$live\" ] || cp -p -- \"$live\" \"$KEEP.new/\" || exit 1\n"
    "  done\n"
    "  mv \"$KEEP.new\" \"$KEEP\" || exit 1\n"
    "fi\n";

/// Passes if the live files are those that were applied, and their devices are there.
std::string network_is_same() {
  return std::string(kWhere) + std::string(kDevices) +
         "for file in \"$from/$prefix\"* \"$to/$prefix\"*; do\n"
         "  [ -e \"$file\" ] || continue\n"
         "  cmp -s \"$from/${file##*/}\" \"$to/${file##*/}\" || exit 1\n"
         "done\n"
         "for device in $devices; do\n"
         "  [ -e \"/sys/class/net/$device\" ] || exit 1\n"
         "done\n";
}

}  // namespace

std::vector<NamedText> networkd_files(const std::vector<Interface>& interfaces) {
  const auto members = members_of(interfaces);
  const auto bond_of = [&](const std::string& name) {
    const auto found = members.find(name);
    return found != members.end() ? found->second : std::string();
  };
  std::vector<NamedText> out;
  const auto add = [&](const Interface& each) {
    const auto file = fmt::format("10-nimbus-{}", each.name);
    constexpr std::string_view kHead = "# Written by Nimbus.\n";
    if (each.vlan || each.bond) out.push_back({file + ".netdev", std::string(kHead) + networkd_netdev(each)});
    out.push_back({file + ".network", std::string(kHead) + networkd_network(each, interfaces, bond_of(each.name))});
  };
  for (const auto& each : interfaces) add(each);
  for (const auto& [name, bond] : members) {
    if (std::ranges::find(interfaces, name, &Interface::name) != interfaces.end()) continue;
    Interface bare;
    bare.name = name;
    add(bare);
  }
  return out;
}

std::string netplan_file(const std::vector<Interface>& interfaces) {
  std::string plain;
  std::string bonds;
  std::string vlans;
  for (const auto& each : interfaces) (each.bond ? bonds : each.vlan ? vlans : plain) += netplan_entry(each);
  for (const auto& [name, bond] : members_of(interfaces)) {
    if (std::ranges::find(interfaces, name, &Interface::name) == interfaces.end()) {
      plain += fmt::format("    \"{}\": {{}}\n", name);
    }
  }
  std::string out = "# Written by Nimbus.\nnetwork:\n  version: 2\n";
  if (!plain.empty()) out += "  ethernets:\n" + plain;
  if (!bonds.empty()) out += "  bonds:\n" + bonds;
  if (!vlans.empty()) out += "  vlans:\n" + vlans;
  return out;
}

host::Action network_action(bool declared) {
  std::string run(kWhere);
  run +=
      "if [ \"$renderer\" = networkd ] && ! systemctl is-active --quiet systemd-networkd; then\n"
      "  echo 'neither netplan nor systemd-networkd runs the network of this host' >&2\n"
      "  exit 1\n"
      "fi\n";
  for (const auto part : {kKeep, kDevices, kTold, kPutLive, kApply}) run += part;
  std::string undo(kWhere);
  undo += "[ -d \"$KEEP\" ] || exit 0\nfrom=$KEEP\n";
  for (const auto part : {kDevices, kTold, kPutLive, kApply}) undo += part;
  return {.name = "network",
          .run = std::move(run),
          .undo = std::move(undo),
          .unless = declared ? network_is_same() : std::string()};
}

void Expansion::interfaces() {
  const auto& rows = in_.profile.interfaces;
  if (rows.empty()) return;
  const auto where = place("interface");
  add_folder(kHostFolder, where);
  add_folder(kFolder, where);
  const auto file = [&](const std::string& name, std::string text, std::string mode) {
    add_file(fmt::format("{}/{}", kFolder, name), std::move(text), where, std::move(mode))
        .notifies.emplace_back(kNetworkAction);
  };
  for (auto& each : networkd_files(rows)) file(each.name, std::move(each.text), "0644");
  file("90-nimbus.yaml", netplan_file(rows), "0600");  // netplan warns of files that others may read
}

}  // namespace nimbus::registry
