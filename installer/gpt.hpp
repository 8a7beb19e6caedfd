// GUID partition tables (UEFI specification 2.10, section 5.3), as far as the
// installer needs them: find the root partition, let the last partition reach to the
// disk's end, and make the second table that belongs there.
//
// Thread rule: pure functions. Hostile input: checked before use, sizes capped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace nimbus::installer {

inline constexpr std::int64_t kSector = 512;

struct Partition {
  int number = 0;                                  // from 1
  std::string type;                                // GUID in capitals
  std::int64_t first_sector = 0, last_sector = 0;  // inclusive
  friend bool operator==(const Partition&, const Partition&) = default;
};

struct Gpt {
  std::vector<std::uint8_t> bytes;  // boot sector, header and entries: the disk's beginning
  std::vector<Partition> partitions;
};

/// Nothing if `head` (at least 34 sectors) holds no valid table with sectors of 512 bytes.
std::optional<Gpt> read_gpt(std::span<const std::uint8_t> head);

/// The system's root: by its partition type (Discoverable Partitions, x86-64 and
/// arm64), else the only or largest Linux partition. Nothing: none.
std::optional<Partition> root_partition(const Gpt& table);

struct GrownGpt {
  std::vector<std::uint8_t> head;  // sectors 0 to the end of the entries
  std::vector<std::uint8_t> tail;  // the last sectors of the disk
};

/// The partition that lies last is extended to the end, if it is a Linux one. Errors:
/// Invalid (the disk is smaller than the table).
Result<GrownGpt> grow_gpt(const Gpt& table, std::int64_t disk_bytes);

}  // namespace nimbus::installer
