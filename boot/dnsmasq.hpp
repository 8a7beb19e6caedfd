// dnsmasq's configuration for DHCP and TFTP on one provisioning network, and what a change
// of it takes. Pure.
//
// Hosts are files of their own: dnsmasq takes a new one up by itself (inotify). Other lines of
// a host, and one that goes, take a restart (2.90: it has the old one until then, and takes no
// second one with the same address), which cuts transfers over TFTP that are under way.
//
// Only machines of the orders get an answer, and only those with an active run get
// something to boot: both boot steps (firmware, iPXE) say the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "boot/protocol/orders.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

struct DnsmasqFacts {
  std::string interface;             // "br0"
  std::string address = {};          // ours on it
  std::string script_url;            // "http://10.20.0.1:8080/ipxe/"
  std::string tftp_root;             // folder with undionly.kpxe and snponly.efi
  std::string state;                 // folder for the leases, and hosts in hosts.d
  bool answer_ipv6_routers = false;  // old iPXE waits 13 s for a router that says so
};

struct DnsmasqHost {
  std::string line;     // without "dhcp-host="
  std::string address;  // that is in it
  bool installs = false;
  friend bool operator==(const DnsmasqHost&, const DnsmasqHost&) = default;
};

struct DnsmasqFiles {
  std::string configuration;
  std::map<std::string, DnsmasqHost> hosts;  // by the name of the file
  friend bool operator==(const DnsmasqFiles&, const DnsmasqFiles&) = default;
};

/// `installing`: MACs of machines that boot the installer next. Errors: Invalid (a name,
/// address or MAC that cannot stand in the file).
Result<DnsmasqFiles> dnsmasq_files(const DnsmasqFacts& facts, const Orders& orders,
                                   const std::set<std::string>& installing);

/// Errors: Invalid: our address is not in the network of these orders; they are another nimbus-boot's.
Result<> check_network(const DnsmasqFacts& facts, const Orders& orders);

enum class Restart : std::uint8_t {
  None,
  Later,  // something is only taken away
  Soon,   // somebody waits for it
};

struct DnsmasqChange {
  Restart restart = Restart::None;
  std::vector<std::string> added;  // files of hosts that need no restart
};
DnsmasqChange change_between(const DnsmasqFiles& running, const DnsmasqFiles& wanted);

/// Ports that transfers over TFTP are bound to, and nothing else here: so they are seen.
inline constexpr std::uint16_t kFirstTransferPort = 24576, kLastTransferPort = 25599;
/// Whether one is under way. `sockets`: the text of /proc/net/udp.
bool is_transferring(std::string_view sockets);
/// Whether a restart may be now: transfers are let finish, but not for ever.
bool may_restart(Restart restart, bool transferring, std::chrono::milliseconds waited);

}  // namespace nimbus::boot
