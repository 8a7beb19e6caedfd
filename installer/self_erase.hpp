// Disks that erase themselves: NVMe format and sanitize, ATA secure erase and sanitize, and
// what is neither by SCSI (installer/scsi_erase.hpp).
//
// Facts from the NVM Express base specification 1.4 (Identify 5.15, Format NVM 5.23,
// Sanitize 5.24, sanitize log 5.14.1.16), ATA8-ACS (IDENTIFY DEVICE 7.12, security 7.33
// to 7.39) and ACS-4 (sanitize: IDENTIFY DEVICE word 59, command 7.36). Whatever the disk claims: that old data is gone
// is for the caller to read back. Thread rule: one thread.
#pragma once

#include <functional>
#include <string>

#include "core/result.hpp"
#include "installer/passthrough.hpp"

namespace nimbus::installer {

/// Erases all that a user can have written, and says how: "nvme-format-crypto",
/// "nvme-format", "nvme-sanitize-crypto", "nvme-sanitize-block", "ata-enhanced-secure-erase",
/// "ata-secure-erase", "ata-sanitize-crypto", "ata-sanitize-block", and those of scsi_erase. `pause` is called between
/// looks at an erasure under way. Errors: Unsupported (the disk cannot, or must not: its security is frozen, it has
/// other namespaces that would go as well; nothing was done), Busy (the disk is locked with a password), Internal (it
/// failed half-way).
Result<std::string> self_erase(Passthrough& disk, const std::function<void()>& pause);

/// Only by throwing away the key that everything on the disk is encrypted with, which takes
/// seconds: "nvme-format-crypto", "nvme-sanitize-crypto", "ata-sanitize-crypto", "scsi-sanitize-crypto".
/// Errors: Unsupported (the disk does not offer it), Conflict (it does, and refuses, or other
/// namespaces would go as well; nothing was done), Internal (it failed half-way).
Result<std::string> crypto_erase(Passthrough& disk, const std::function<void()>& pause);

}  // namespace nimbus::installer
