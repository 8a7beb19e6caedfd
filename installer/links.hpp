// Links: brings NICs up that are down, so that what others say on their wires can be
// heard, and puts them back down. They get no address and send nothing: IPv6, which would
// speak by itself, is off on them meanwhile, and where it cannot be switched off the NIC
// stays down.
//
// Through the kernel alone (netdevice(7); Documentation/networking/ip-sysctl: disable_ipv6).
// Errors: none; a NIC that does not come up is one that nothing is heard on.
// Thread rule: one thread.
#pragma once

#include <map>
#include <string>

#include "base/net/file_descriptor.hpp"

namespace nimbus::installer {

class Links {
 public:
  Links();
  /// As lower().
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  /// Once for each name; one that is up, or is no Ethernet, stays as it is.
  void raise(const std::string& nic);
  /// All that were raised are down again, and as they were.
  void lower();

 private:
  base::FileDescriptor socket_;
  std::map<std::string, bool> raised_;  // and whether IPv6 was switched off for that
};

}  // namespace nimbus::installer
