#include "installer/gpt.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace nimbus::installer {
namespace {

constexpr std::size_t kSectorBytes = 512;
constexpr std::size_t kHeaderAt = kSectorBytes;
constexpr std::uint32_t kMostEntries = 128;
constexpr std::uint32_t kEntryBytes = 128;
constexpr std::string_view kSignature = "EFI PART";
// Offsets in the header.
constexpr std::size_t kHeaderCrc = 16, kMyLba = 24, kOtherLba = 32, kLastUsable = 48, kEntriesLba = 72,
                      kEntryCount = 80, kEntrySize = 84, kEntriesCrc = 88;
constexpr std::array<std::string_view, 3> kRootTypes{"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
                                                     "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
                                                     "0FC63DAF-8483-4772-8E79-3D69D8477DE4"};

std::uint64_t get(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

void put(std::span<std::uint8_t> bytes, std::size_t at, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0U ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::string guid_text(std::span<const std::uint8_t> guid) {
  constexpr std::array<int, 16> kOrder{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const std::uint8_t byte = guid[static_cast<std::size_t>(kOrder[i])];
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 0xFU]);
  }
  return text;
}

bool is_linux(const Partition& partition) {
  return std::find(kRootTypes.begin(), kRootTypes.end(), partition.type) != kRootTypes.end();
}

void seal(std::span<std::uint8_t> header, std::span<const std::uint8_t> entries) {
  put(header, kEntriesCrc, 4, crc32(entries));
  put(header, kHeaderCrc, 4, 0);
  put(header, kHeaderCrc, 4, crc32(header.first(get(header, 12, 4))));
}

}  // namespace

std::optional<Gpt> read_gpt(std::span<const std::uint8_t> head) {
  if (head.size() < 34 * kSectorBytes) return std::nullopt;
  const auto header = head.subspan(kHeaderAt, kSectorBytes);
  if (!std::equal(kSignature.begin(), kSignature.end(), header.begin())) return std::nullopt;
  const std::uint64_t size = get(header, 12, 4);
  const std::uint64_t count = get(header, kEntryCount, 4);
  const std::uint64_t entries_at = get(header, kEntriesLba, 8) * kSectorBytes;
  if (size < 92 || size > kSectorBytes || count > kMostEntries || get(header, kEntrySize, 4) != kEntryBytes) {
    return std::nullopt;
  }
  if (entries_at < 2 * kSectorBytes || entries_at > head.size() || count * kEntryBytes > head.size() - entries_at) {
    return std::nullopt;
  }
  const auto entries = head.subspan(entries_at, count * kEntryBytes);
  std::vector<std::uint8_t> copy(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
  put(copy, kHeaderCrc, 4, 0);
  if (crc32(copy) != get(header, kHeaderCrc, 4) || crc32(entries) != get(header, kEntriesCrc, 4)) return std::nullopt;
  Gpt table;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = entries.subspan(i * kEntryBytes, kEntryBytes);
    const auto first = static_cast<std::int64_t>(get(entry, 32, 8));
    const auto last = static_cast<std::int64_t>(get(entry, 40, 8));
    if (std::all_of(entry.begin(), entry.begin() + 16, [](std::uint8_t byte) { return byte == 0; })) continue;
    if (first < 2 || last < first) return std::nullopt;
    table.partitions.push_back({.number = static_cast<int>(i) + 1,
                                .type = guid_text(entry.first(16)),
                                .first_sector = first,
                                .last_sector = last});
  }
  const std::size_t end = entries_at + std::max<std::size_t>(count * kEntryBytes, 32 * kSectorBytes);
  if (end > head.size()) return std::nullopt;
  table.bytes.assign(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(end));
  return table;
}

std::optional<Partition> root_partition(const Gpt& table) {
  std::optional<Partition> best;
  const auto rank = [](const Partition& partition) { return partition.type == kRootTypes[2] ? 0 : 1; };
  for (const auto& partition : table.partitions) {
    if (!is_linux(partition)) continue;
    const auto size = [](const Partition& of) { return of.last_sector - of.first_sector; };
    if (!best || rank(partition) > rank(*best) || (rank(partition) == rank(*best) && size(partition) > size(*best))) {
      best = partition;
    }
  }
  return best;
}

Result<GrownGpt> grow_gpt(const Gpt& table, std::int64_t disk_bytes) {
  GrownGpt grown{.head = table.bytes, .tail = {}};
  const auto header = std::span(grown.head).subspan(kHeaderAt, kSectorBytes);
  const std::size_t entries_at = get(header, kEntriesLba, 8) * kSectorBytes;
  const auto entries = std::span(grown.head).subspan(entries_at, get(header, kEntryCount, 4) * kEntryBytes);
  const std::int64_t last_lba = disk_bytes / kSector - 1;
  const std::int64_t table_sectors = static_cast<std::int64_t>((entries.size() + kSectorBytes - 1) / kSectorBytes);
  const std::int64_t last_usable = last_lba - table_sectors - 1;
  const auto last = std::max_element(table.partitions.begin(), table.partitions.end(),
                                     [](const auto& a, const auto& b) { return a.last_sector < b.last_sector; });
  if (last != table.partitions.end() && last->last_sector > last_usable) {
    return Error{Code::Invalid, "the disk is smaller than its partition table says"};
  }
  if (last != table.partitions.end() && is_linux(*last)) {
    constexpr std::int64_t kAlign = 2048;  // 1 MiB
    const std::int64_t aligned = (last_usable + 1) / kAlign * kAlign - 1;
    const auto entry = entries.subspan(static_cast<std::size_t>(last->number - 1) * kEntryBytes, kEntryBytes);
    put(entry, 40, 8, static_cast<std::uint64_t>(std::max(aligned, last->last_sector)));
  }
  // The protective entry of the boot sector covers the whole disk (section 5.2.3).
  constexpr std::size_t kProtective = 446;
  if (grown.head[kProtective + 4] == 0xEE) {
    put(grown.head, kProtective + 12, 4, static_cast<std::uint64_t>(std::min<std::int64_t>(last_lba, 0xFFFFFFFF)));
  }
  put(header, kLastUsable, 8, static_cast<std::uint64_t>(last_usable));
  put(header, kOtherLba, 8, static_cast<std::uint64_t>(last_lba));
  seal(header, entries);

  grown.tail.assign(entries.begin(), entries.end());
  grown.tail.resize(static_cast<std::size_t>(table_sectors) * kSectorBytes);
  std::vector<std::uint8_t> second(header.begin(), header.end());
  put(second, kMyLba, 8, static_cast<std::uint64_t>(last_lba));
  put(second, kOtherLba, 8, 1);
  put(second, kEntriesLba, 8, static_cast<std::uint64_t>(last_lba - table_sectors));
  seal(second, entries);
  grown.tail.insert(grown.tail.end(), second.begin(), second.end());
  return grown;
}

}  // namespace nimbus::installer
