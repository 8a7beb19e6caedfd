// Neighbours: listens for LLDP on every NIC. Those that are down are brought up for that,
// for kListen or as long as this lives, and down again. Nothing is ever sent, and nobody
// waits: switches speak when a link comes up and every 30 s or so, so what is known grows
// while the installer works. Thread rule: one thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/net/file_descriptor.hpp"
#include "boot/protocol/report.hpp"
#include "core/ports/clock.hpp"
#include "installer/links.hpp"

namespace nimbus::installer {

class Neighbours {
 public:
  /// Four times what a switch leaves between two words of its own.
  static constexpr std::chrono::seconds kListen{120};

  /// `root`: "" on a real machine; `clock` must outlive this. Where the kernel gives no such
  /// socket nothing is heard, and no NIC is touched.
  Neighbours(const std::string& root, const Clock& clock);

  /// Those heard so far, the last one of each NIC, by NIC.
  std::vector<boot::NeighbourReport> heard();

 private:
  void listen_to_all();

  const std::string folder_;  // of the NICs
  const Clock& clock_;
  const MonoTime end_;  // of the NICs that were brought up
  base::FileDescriptor socket_;
  Links links_;
  std::map<int, std::string> macs_;  // by the kernel's number of the NIC
  std::map<std::string, boot::NeighbourReport> heard_;
};

}  // namespace nimbus::installer
