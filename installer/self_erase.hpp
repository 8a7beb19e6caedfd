// Disks that erase themselves: NVMe format and sanitize, ATA secure erase.
//
// Facts from the NVM Express base specification 1.4 (Identify 5.15, Format NVM 5.23,
// Sanitize 5.24, sanitize log 5.14.1.16) and ATA8-ACS (IDENTIFY DEVICE 7.12, security
// 7.33 to 7.39). Whatever the disk claims: that old data is gone is for the caller to
// read back. Thread rule: one thread.
#pragma once

#include <functional>
#include <string>

#include "core/result.hpp"
#include "installer/passthrough.hpp"

namespace nimbus::installer {

/// Erases all that a user can have written, and says how: "nvme-format-crypto",
/// "nvme-format", "nvme-sanitize-crypto", "nvme-sanitize-block", "ata-enhanced-secure-erase",
/// "ata-secure-erase". `pause` is called between looks at an erasure under way.
/// Errors: Unsupported (the disk cannot, or must not: its security is frozen, it has other
/// namespaces that would go as well; nothing was done), Busy (the disk is locked with a
/// password), Internal (it failed half-way).
Result<std::string> self_erase(Passthrough& disk, const std::function<void()>& pause);

}  // namespace nimbus::installer
