// Puts files into a file system on a disk whose partition table is not written yet:
// the kernel is told of the partition by hand (BLKPG, linux/blkpg.h), and told to
// forget it again.
//
// Root on Linux only. Errors: Internal (with the step that failed). Thread rule: one
// thread.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "installer/gpt.hpp"
#include "installer/seed.hpp"

namespace nimbus::installer {

/// `node` is the whole disk. Files get mode 0600, as they hold a private key.
Result<> plant_seed(const std::string& node, const Partition& root, const std::vector<SeedFile>& files);

}  // namespace nimbus::installer
