#include "boot/dnsmasq.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "boot/script.hpp"
#include "core/ip_address.hpp"
#include "core/names.hpp"

namespace nimbus::boot {
namespace {

bool is_address(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef.:") == std::string_view::npos;
}

Error bad(std::string_view what, std::string_view value) {
  return {Code::Invalid, fmt::format("the {} \"{}\" cannot be served by DHCP", what, value)};
}

/// "10.20.0.0,static,255.255.255.0,1h" of "10.20.0.0/24".
Result<std::string> range_of(const std::string& cidr, DhcpService service) {
  const auto slash = cidr.find('/');
  if (slash == std::string::npos || !is_address(cidr.substr(0, slash))) return bad("network", cidr);
  const std::string length = cidr.substr(slash + 1);
  if (length.empty() || length.size() > 2 || length.find_first_not_of("0123456789") != std::string::npos) {
    return bad("network", cidr);
  }
  const int bits = std::stoi(length);
  if (bits < 8 || bits > 30) return bad("network", cidr);
  const std::uint32_t mask = 0xFFFFFFFFU << static_cast<unsigned>(32 - bits);
  const bool proxy = service == DhcpService::Proxy;
  return fmt::format("{},{},{}.{}.{}.{}{}", cidr.substr(0, slash), proxy ? "proxy" : "static", mask >> 24U,
                     (mask >> 16U) & 0xFFU, (mask >> 8U) & 0xFFU, mask & 0xFFU, proxy ? "" : ",1h");
}

/// Who is told by a proxy wants a menu: of one entry, and without waiting (PXE 2.1, 2.2.2).
/// dnsmasq answers nobody for whom it has none.
std::string proxy_menu(const std::string& script_url) {
  std::string out = "dhcp-no-override\npxe-prompt=\"\",0\n";
  for (const auto* kind : {"X86PC", "X86-64_EFI", "BC_EFI"}) {
    const auto* const first = std::string_view(kind) == "X86PC" ? "undionly.kpxe" : "snponly.efi";
    out += fmt::format(
        "pxe-service=tag:install,tag:!ipxe,{0},\"Nimbus\",{1}\n"
        "pxe-service=tag:install,tag:ipxe,{0},\"Nimbus\",{2}${{net0/mac:hexhyp}}\n",
        kind, first, script_url);
  }
  return out;
}

/// Which addresses, gateway and name servers: the business of a server, not of a proxy.
Result<std::string> network_options(const Orders& orders, const std::string& script_url) {
  if (orders.dhcp == DhcpService::Proxy) return proxy_menu(script_url);
  std::string out = "dhcp-authoritative\n";
  if (!orders.gateway.empty()) {
    if (!is_address(orders.gateway)) return bad("gateway", orders.gateway);
    out += fmt::format("dhcp-option=option:router,{}\n", orders.gateway);
  } else {
    out += "dhcp-option=option:router\n";  // without a value: none is told
  }
  for (const auto& server : orders.dns) {
    if (!is_address(server)) return bad("name server", server);
    out += fmt::format("dhcp-option=option:dns-server,{}\n", server);
  }
  return out;
}

// Client architectures of DHCP option 93 (RFC 4578, and IANA's registry after it).
constexpr const char* kArchitectures =
    "dhcp-match=set:bios,option:client-arch,0\n"
    "dhcp-match=set:efi,option:client-arch,6\n"
    "dhcp-match=set:efi,option:client-arch,7\n"
    "dhcp-match=set:efi,option:client-arch,9\n"
    "dhcp-match=set:arm64,option:client-arch,11\n"
    "dhcp-userclass=set:ipxe,iPXE\n"
    "dhcp-match=set:ipxe,175\n";

Result<DnsmasqHost> host_of(const MachineOrder& machine, bool installs) {
  if (mac_of(machine.mac) != machine.mac) return bad("MAC", machine.mac);
  if (!is_dns_label(machine.name)) return bad("name", machine.name);
  if (!is_address(machine.address)) return bad("address", machine.address);
  return DnsmasqHost{
      .line = fmt::format("{},{}{},{}", machine.mac, installs ? "set:install," : "", machine.address, machine.name),
      .address = machine.address,
      .installs = installs};
}

/// "52-54-00-12-34-17": dnsmasq skips files with other characters at their ends.
std::string file_of(std::string mac) {
  std::replace(mac.begin(), mac.end(), ':', '-');
  return mac;
}

}  // namespace

Result<DnsmasqFiles> dnsmasq_files(const DnsmasqFacts& facts, const Orders& orders,
                                   const std::set<std::string>& installing) {
  auto range = range_of(orders.cidr, orders.dhcp);
  if (!range) return std::move(range.error());
  auto options = network_options(orders, facts.script_url);
  if (!options) return std::move(options.error());
  std::string out = fmt::format(
      "port=0\nno-resolv\nno-hosts\ninterface={0}\nbind-interfaces\nexcept-interface=lo\n"
      "dhcp-range={1}\ndhcp-ignore=tag:!known\ndhcp-leasefile={2}/dnsmasq.leases\n"
      "dhcp-hostsdir={2}/hosts.d\nenable-tftp\ntftp-root={3}\ntftp-no-fail\ntftp-port-range={4},{5}\n",
      facts.interface, *range, facts.state, facts.tftp_root, kFirstTransferPort, kLastTransferPort);
  out += kArchitectures;
  out += fmt::format(
      "dhcp-boot=tag:install,tag:ipxe,{0}${{net0/mac:hexhyp}}\n"
      "dhcp-boot=tag:install,tag:!ipxe,tag:bios,undionly.kpxe\n"
      "dhcp-boot=tag:install,tag:!ipxe,tag:efi,snponly.efi\n",
      facts.script_url);
  if (facts.answer_ipv6_routers) {
    out += fmt::format("enable-ra\nra-param={},10\ndhcp-range=fd00::,ra-only,64,10m\n", facts.interface);
  }
  out += *options;
  DnsmasqFiles files{.configuration = std::move(out), .hosts = {}};
  for (const auto& machine : orders.machines) {
    auto host = host_of(machine, installing.contains(machine.mac));
    if (!host) return std::move(host.error());
    files.hosts.insert_or_assign(file_of(machine.mac), std::move(*host));
  }
  return files;
}

Result<> check_network(const DnsmasqFacts& facts, const Orders& orders) {
  const auto network = parse_cidr(orders.cidr);
  const auto ours = parse_ip(facts.address);
  if (network && ours && network->contains(*ours)) return {};
  return Error{Code::Invalid,
               fmt::format("nimbus-boot on {} has the address {}, which is not in {}: it does not serve that network",
                           facts.interface, facts.address, base::printable(orders.cidr, 60))};
}

DnsmasqChange change_between(const DnsmasqFiles& running, const DnsmasqFiles& wanted) {
  DnsmasqChange change;
  const auto needs = [&](Restart restart) { change.restart = std::max(change.restart, restart); };
  if (running.configuration != wanted.configuration) needs(Restart::Soon);
  std::set<std::string_view> taken;
  for (const auto& [name, host] : running.hosts) {
    taken.insert(host.address);
    const auto next = wanted.hosts.find(name);
    if (next == wanted.hosts.end()) {
      needs(Restart::Later);
    } else if (next->second != host) {
      const bool less = host.installs && !next->second.installs && next->second.address == host.address;
      needs(less ? Restart::Later : Restart::Soon);
    }
  }
  for (const auto& [name, host] : wanted.hosts) {
    if (running.hosts.contains(name)) continue;
    if (taken.insert(host.address).second)
      change.added.push_back(name);
    else
      needs(Restart::Soon);
  }
  return change;
}

bool is_transferring(std::string_view sockets) {
  // "  12: 0100A8C0:6000 00000000:0000 07 …", numbers in hexadecimal.
  const auto lines = base::split(sockets, '\n');
  return std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    const auto number = line.find(": ");
    if (number == std::string_view::npos) return false;
    const auto rest = line.substr(number + 2);
    const auto local = rest.substr(0, rest.find(' '));
    const auto colon = local.rfind(':');
    if (colon == std::string_view::npos) return false;
    std::uint16_t port = 0;
    const auto digits = local.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
    return port >= kFirstTransferPort && port <= kLastTransferPort;
  });
}

bool may_restart(Restart restart, bool transferring, std::chrono::milliseconds waited) {
  constexpr std::chrono::milliseconds kSoon{3'000};  // a machine is being switched on meanwhile
  constexpr std::chrono::milliseconds kLater{30'000};
  if (restart == Restart::None) return false;
  return !transferring || waited >= (restart == Restart::Soon ? kSoon : kLater);
}

}  // namespace nimbus::boot
