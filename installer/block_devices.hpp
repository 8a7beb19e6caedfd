// The disks that the kernel shows below /sys/block, as text files below a root that tests
// choose.
//
// Nothing is written. Thread rule: pure but for reading files.
#pragma once

#include <string>
#include <vector>

#include "installer/disks.hpp"

namespace nimbus::installer {

/// A file of /sys, trimmed and made printable; what cannot be read is empty.
std::string sys_text(const std::string& path);
/// As a number; what is none is 0.
std::int64_t sys_number(const std::string& path);
/// The folders below `path`, links too, as /sys/class has them; sorted.
std::vector<std::string> names_in(const std::string& path);

/// All of them, broken and loose ones too; no two have the same id. Not the kernel's own
/// (loop, RAM, mapped), nor the ways to a disk that it shows as one (NVMe multipath).
std::vector<DiskFacts> read_disks(const std::string& root);

}  // namespace nimbus::installer
