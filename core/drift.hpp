// One difference between what a file declares and what a machine shows.
#pragma once

#include <string>

namespace nimbus {

struct Drift {
  std::string key;  // "bios.ProcVirtualization", "hardware.memory_gib"
  std::string desired;
  std::string observed;
  std::string pending;  // what the next start makes of it; empty: nothing waits
  friend bool operator==(const Drift&, const Drift&) = default;
};

}  // namespace nimbus
