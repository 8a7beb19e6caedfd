// dnsmasq's configuration for DHCP and TFTP on one provisioning network. Pure.
//
// Only machines of the orders get an answer, and only those with an active run get
// something to boot: both boot steps (firmware, iPXE) say the same.
#pragma once

#include <set>
#include <string>

#include "boot/protocol/orders.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

struct DnsmasqFacts {
  std::string interface;             // "br0"
  std::string script_url;            // "http://10.20.0.1:8080/ipxe/"
  std::string tftp_root;             // folder with undionly.kpxe and snponly.efi
  std::string state;                 // folder for the leases
  bool answer_ipv6_routers = false;  // old iPXE waits 13 s for a router that says so
};

/// `installing`: MACs of machines that boot the installer next. Errors: Invalid (a name,
/// address or MAC that cannot stand in the file).
Result<std::string> dnsmasq_configuration(const DnsmasqFacts& facts, const Orders& orders,
                                          const std::set<std::string>& installing);

}  // namespace nimbus::boot
