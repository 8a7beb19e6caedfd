#include "installer/disks.hpp"

#include <string_view>

#include "base/text/text.hpp"

namespace nimbus::installer {
namespace {

constexpr std::int64_t kGib = std::int64_t{1} << 30;
constexpr std::int64_t kImageBlock = 512;

std::string say(const DiskFacts& disk) {
  return disk.id + " (" + disk.node + ", " + std::to_string(disk.bytes / kGib) + " GiB" +
         (disk.model.empty() ? "" : ", " + disk.model) + ")";
}

std::string list(const std::vector<DiskFacts>& disks) {
  std::string out;
  for (const auto& disk : disks) out += (out.empty() ? "" : ", ") + say(disk);
  return out.empty() ? "no disk" : out;
}

/// Why nothing is written to the disk, whatever it is wanted for; empty: it may be.
std::string reason_against(const DiskFacts& disk) {
  if (disk.bytes <= 0) return "it shows no size";
  if (disk.read_only) return "it is read-only";
  if (disk.in_use) return "it is in use";
  return disk.removable ? "it says that it is removable" : "";
}

std::string plain_wwn(std::string_view text) {
  std::string out = base::to_lower(base::trim(text));
  for (const std::string_view prefix : {"naa.", "eui.", "0x"}) {
    if (out.starts_with(prefix)) return out.substr(prefix.size());
  }
  return out;
}

std::string_view plain_path(std::string_view text) {
  const auto port = text.find("-ata-");
  if (port != std::string_view::npos && text.ends_with(".0") && text.find('.', port) == text.size() - 2) {
    text.remove_suffix(2);
  }
  return text;
}

}  // namespace

std::string disk_id(const DiskFacts& disk) {
  // "t10." is made up of vendor, model and serial number, by whoever likes.
  const bool has_wwn = !disk.wwn.empty() && !(disk.wwn.starts_with("t10.") && !disk.serial.empty());
  if (has_wwn) return "wwn." + disk.wwn;
  if (!disk.serial.empty()) return "serial." + disk.serial;
  return "path." + disk.by_path;
}

bool matches(const RootDiskHint& hint, const DiskFacts& disk) {
  const auto wants = [](const std::string& wanted, const std::string& seen) {
    return wanted.empty() || wanted == seen;
  };
  if (!wants(hint.serial, disk.serial)) return false;
  if (!hint.wwn.empty() && (disk.wwn.empty() || plain_wwn(hint.wwn) != plain_wwn(disk.wwn))) return false;
  if (!hint.by_path.empty() && plain_path(hint.by_path) != plain_path(disk.by_path)) return false;
  if (!wants(hint.model, disk.model)) return false;
  if (hint.type && *hint.type != disk.type) return false;
  if (hint.min_size_gib && disk.bytes < *hint.min_size_gib * kGib) return false;
  return !hint.max_size_gib || disk.bytes <= *hint.max_size_gib * kGib;
}

Result<DiskFacts> choose_root_disk(const RootDiskHint& hint, const std::string& only,
                                   const std::vector<DiskFacts>& disks, std::int64_t least_bytes) {
  std::vector<DiskFacts> found;
  for (const auto& disk : disks) {
    if (reason_against(disk).empty() && matches(hint, disk) && (only.empty() || disk.id == only)) found.push_back(disk);
  }
  if (found.empty()) {
    return Error{Code::NotFound, (only.empty() ? "no disk matches hardware.root_disk"
                                               : "the disk " + only + " is not there or no longer matches") +
                                     std::string("; the machine has ") + list(disks)};
  }
  if (found.size() > 1) {
    return Error{Code::Conflict, "several disks match hardware.root_disk, nothing is written: " + list(found)};
  }
  if (found.front().alike) {
    return Error{Code::Conflict, say(found.front()) + " cannot be told from another disk: nothing is written"};
  }
  if (found.front().block_bytes != kImageBlock) {
    return Error{Code::Invalid, say(found.front()) + " has blocks of " + std::to_string(found.front().block_bytes) +
                                    " bytes, and images have a partition table for blocks of 512: format it to those, "
                                    "or choose another disk"};
  }
  if (found.front().bytes < least_bytes) {
    return Error{Code::Invalid,
                 say(found.front()) + " is smaller than the image, " + std::to_string(least_bytes) + " bytes"};
  }
  return found.front();
}

bool is_loose(const DiskFacts& disk) { return disk.removable && (disk.on_usb || disk.bytes <= 0); }

ToErase to_erase(const std::vector<DiskFacts>& disks) {
  ToErase out;
  for (const auto& disk : disks) {
    if (is_loose(disk)) continue;
    if (auto why = reason_against(disk); !why.empty()) {
      out.left_out.push_back({disk, std::move(why)});
    } else {
      out.disks.push_back(disk);
    }
  }
  return out;
}

}  // namespace nimbus::installer
