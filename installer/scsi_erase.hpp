// SAS disks that erase themselves: SANITIZE.
//
// Facts from SBC-4 (SANITIZE, opcode 48h: service actions 01h overwrite, 02h block erase, 03h
// cryptographic erase; bit 7 of byte 1, IMMED: answer at once; overwrite's parameter list:
// count, length of the pattern, pattern; Block Device Characteristics, VPD page B1h, byte 7:
// WABEREQ in bits 7 and 6, WACEREQ in 5 and 4: whether what was erased must be written before it
// can be read) and SPC-4 (REPORT SUPPORTED OPERATION CODES, A3h/0Ch: reporting option 010b, low
// bits of byte 1 011b: supported as the standard says; REPORT LUNS, A0h; TEST UNIT READY, 00h;
// sense data of both formats; 04h/1Bh: sanitize in progress, 31h/03h: sanitize failed). A sanitize goes on after a
// loss of power, and a disk whose sanitize failed gives no data until another one succeeds.
// Thread rule: one thread.
#pragma once

#include <functional>
#include <string>

#include "core/result.hpp"
#include "installer/passthrough.hpp"

namespace nimbus::installer {

/// By the first that the disk says it has: "scsi-sanitize-crypto", "scsi-sanitize-block",
/// "scsi-sanitize-overwrite". Errors: as self_erase.
Result<std::string> scsi_erase(Passthrough& disk, const std::function<void()>& pause);

/// "scsi-sanitize-crypto". Errors: as crypto_erase.
Result<std::string> scsi_crypto_erase(Passthrough& disk, const std::function<void()>& pause);

}  // namespace nimbus::installer
