// Erasing a disk, with proof: what was done is read back, and the record says how.
//
//   metadata  partition tables and signatures at both ends
//   quick     crypto erase where the disk offers it; the whole disk discarded, both with
//             witnesses as below; then as metadata. Disks that can do neither, and those that
//             keep what they were told to discard, are overwritten
//   secure    the disk's own command (installer/self_erase.hpp), where witnesses written
//             just before must not read back; else every byte overwritten with zeros and
//             read back, and the record says why
//
// A level is never lowered: what a disk cannot do is done by the next stronger means,
// or is an error in its record. Thread rule: one thread per device.
#pragma once

#include <functional>
#include <string>

#include "boot/protocol/report.hpp"
#include "core/desired/provider.hpp"
#include "installer/device.hpp"
#include "installer/permit.hpp"

namespace nimbus::installer {

/// Always a record; `error` says what went wrong, and then nothing may be reused.
/// `pause` is called between looks at an erasure that a disk does by itself.
/// `progress` is told how many bytes of how many are through.
boot::EraseReport erase_disk(
    Device& device, const Permit& permit, EraseLevel level,
    const std::function<void(std::int64_t, std::int64_t)>& progress, const std::function<void()>& pause = [] {});

}  // namespace nimbus::installer
