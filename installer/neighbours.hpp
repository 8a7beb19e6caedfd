// Neighbours: listens for LLDP on every NIC that has a link. Nothing is ever sent, and
// nobody waits: switches speak every 30 s or so, so what is known grows while the
// installer works. Thread rule: one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "boot/protocol/report.hpp"

namespace nimbus::installer {

class Neighbours {
 public:
  /// `root`: "" on a real machine. Where the kernel gives no such socket nothing is heard.
  explicit Neighbours(const std::string& root);
  ~Neighbours();
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

  /// Those heard so far, the last one of each NIC, by NIC.
  std::vector<boot::NeighbourReport> heard();

 private:
  int socket_ = -1;
  std::map<int, std::string> macs_;  // by the kernel's number of the NIC
  std::map<std::string, boot::NeighbourReport> heard_;
};

}  // namespace nimbus::installer
