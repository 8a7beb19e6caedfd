// Which disk is written: a pure choice among what the machine shows.
//
// Never a guess: none or several matches are refusals with a sentence that names
// the candidates. Thread rule: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "boot/protocol/plan.hpp"
#include "core/desired/machine.hpp"
#include "core/result.hpp"

namespace nimbus::installer {

struct DiskFacts {
  std::string id;    // stable, and never that of another disk: "wwn.…", "serial.…", else "path.…"
  std::string node;  // "/dev/vda"
  std::string serial, wwn, model, by_path;
  std::int64_t bytes = 0;
  DiskType type = DiskType::Hdd;
  std::int64_t block_bytes = 512;
  bool alike = false;      // another disk has the same names and place: which is which is not stable
  bool removable = false;  // by its own word, or the controller's
  bool on_usb = false;
  bool read_only = false;
  bool in_use = false;  // mounted, or the ramdisk came from it
  friend bool operator==(const DiskFacts&, const DiskFacts&) = default;
};

/// "wwn.naa.5000…", "serial.S4YXNF0M", "path.pci-0000:00:04.0", by what the disk has.
std::string disk_id(const DiskFacts& disk);

/// Whether `disk` satisfies every key of the hint that is set. World-wide names are the same
/// whether written as the kernel does ("naa.5000…", "eui.…") or as udev does ("0x5000…");
/// so are "pci-…-ata-1" and "pci-…-ata-1.0", both of which udev has.
bool matches(const RootDiskHint& hint, const DiskFacts& disk);

/// `only`: the id of the one disk that may be written, if that is settled already.
/// Removable, read-only and used disks never match. Errors: NotFound (none),
/// Conflict (several, or one that cannot be told from another), Invalid (too small for
/// `least_bytes`, or its blocks are not of 512 bytes, as the partition table of an image has it).
Result<DiskFacts> choose_root_disk(const RootDiskHint& hint, const std::string& only,
                                   const std::vector<DiskFacts>& disks, std::int64_t least_bytes);

/// A disk that a release cannot erase, and why. It may still hold a tenant's data.
struct LeftOut {
  DiskFacts disk;
  std::string why;
  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

struct ToErase {
  std::vector<DiskFacts> disks;
  std::vector<LeftOut> left_out;
};

/// A medium that comes and goes, and is none of the machine's disks: removable and on USB (a
/// stick, a BMC's virtual medium), or a drive without a medium.
bool is_loose(const DiskFacts& disk);

/// What a release erases, and what it cannot. Loose media are in neither.
ToErase to_erase(const std::vector<DiskFacts>& disks);

}  // namespace nimbus::installer
