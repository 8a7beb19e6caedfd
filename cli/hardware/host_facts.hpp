// The machine that this program runs on, from the kernel's own files (Linux): DMI,
// processors, memory, disks, network cards. Reads, and contacts nobody.
#pragma once

#include <string>

#include "cli/hardware/machine_file.hpp"

namespace nimbus::cli {

/// `root` stands for "/": /sys and /proc are read below it. What cannot be read is left
/// out (serial numbers need root).
ProposedMachine read_host(const std::string& root);

/// Of `lldpctl -f keyvalue`: which switch and port each interface hangs on. Pure.
std::map<std::string, SwitchPort> parse_lldp(std::string_view text);

}  // namespace nimbus::cli
