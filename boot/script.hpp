// Boot scripts for iPXE. Pure.
#pragma once

#include <string>

#include "boot/protocol/orders.hpp"

namespace nimbus::boot {

struct ScriptFacts {
  std::string url;               // of nimbus-boot: "http://10.20.0.1:8080"
  std::string files_url;         // of kernel and ramdisk
  std::string kernel_arguments;  // of the site: consoles
};

/// Boots the installer, once, with that token. Whatever fails on the way ends in the
/// firmware's next boot device, not in a shell.
std::string install_script(const ScriptFacts& facts, const MachineOrder& machine, const std::string& token);

/// Hands over to the disk. Nothing: answer 404, which is what some firmware needs.
std::optional<std::string> disk_script(Handover handover);

/// "52:54:00:12:34:17" of "52-54-00-12-34-17" or of itself; empty: neither.
std::string mac_of(std::string_view text);

}  // namespace nimbus::boot
