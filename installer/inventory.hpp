// What the machine says of itself: /sys, as text files below a root that tests choose.
//
// Nothing is written. Thread rule: pure but for reading files.
#pragma once

#include <string>

#include "boot/protocol/report.hpp"
#include "installer/permit.hpp"

namespace nimbus::installer {

/// `root` is "" on a real machine. `run` and `nonce` of the result stay empty.
MachineFacts read_machine(const std::string& root);

/// For the report: what belongs to the machine, so no loose media.
boot::Inventory inventory_of(const MachineFacts& machine, const std::string& root);

/// Value of "name=…" on the kernel's command line; empty: absent.
std::string kernel_argument(std::string_view command_line, std::string_view name);

}  // namespace nimbus::installer
