// One difference between what is declared and what was seen, in a status document.
#pragma once

#include <string>

namespace nimbus::registry {

struct DriftRecord {
  std::string key;  // "power", "bios.ProcVirtualization", "file:/etc/motd.content"
  std::string desired;
  std::string observed;
  std::string pending = {};  // what the next start makes of it; empty: nothing waits
  friend bool operator==(const DriftRecord&, const DriftRecord&) = default;
};

}  // namespace nimbus::registry
