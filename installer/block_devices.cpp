#include "installer/block_devices.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/file/file.hpp"
#include "base/text/text.hpp"

namespace nimbus::installer {
namespace {

constexpr std::size_t kMostText = 4096;

/// The devices between the root and a disk, by a link like
/// "../devices/pci0000:00/0000:00:04.0/virtio1/block/vda".
std::vector<std::string> way_to(const std::string& block_link) {
  std::array<char, 1024> target{};
  const ssize_t size = ::readlink(block_link.c_str(), target.data(), target.size());
  std::vector<std::string> way;
  if (size <= 0) return way;
  for (const auto part : base::split({target.data(), static_cast<std::size_t>(size)}, '/')) way.emplace_back(part);
  return way;
}

/// Whether `text` is `prefix` and a number.
bool is_numbered(std::string_view text, std::string_view prefix) {
  return text.size() > prefix.size() && text.starts_with(prefix) &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(prefix.size()), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_pci_address(std::string_view text) {
  const std::size_t size = text.size();  // the domain may have more than four digits
  return size >= 12 && text[size - 8] == ':' && text[size - 5] == ':' && text[size - 2] == '.';
}

/// "3:0:1:0" in its four numbers; empty: it is none.
std::vector<std::string_view> scsi_address(std::string_view text) {
  auto parts = base::split(text, ':');
  const bool is_one =
      parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](auto part) { return is_numbered(part, ""); });
  return is_one ? parts : std::vector<std::string_view>{};
}

/// The name below /dev/disk/by-path that udev would give: where the disk is plugged in.
/// Beyond PCI it knows NVMe namespaces, the ports of SATA controllers, USB, and addresses
/// on a SCSI host, which are counted from the first host of their controller. No two
/// disks have the same.
class Path {
 public:
  Path(const std::string& root, const std::string& name)
      : block_(root + "/sys/block/"), name_(name), way_(way_to(block_ + name)) {}

  std::string text() const {
    const auto bus = std::find_if(way_.rbegin(), way_.rend(), is_pci_address);
    if (bus == way_.rend()) return {};
    const auto controller = static_cast<std::size_t>(way_.rend() - bus) - 1;
    std::string out = "pci-" + way_[controller];
    if (const auto id = sys_text(block_ + name_ + "/nsid"); name_.starts_with("nvme") && !id.empty()) {
      return out + "-nvme-" + id;
    }
    std::string place;
    for (std::size_t at = controller + 1; at < way_.size(); ++at) {
      if (is_numbered(way_[at], "ata")) return out + "-ata-" + ata_port(at);
      const auto colon = way_[at].find(':');
      const auto dash = way_[at].find('-');
      if (on_usb() && dash < colon && colon != std::string::npos) place = "-usb-0:" + way_[at].substr(dash + 1);
      if (const auto address = scsi_address(way_[at]); !address.empty()) place += scsi_place(address);
    }
    return out + place;
  }

  /// Below a root hub, "usb2".
  bool on_usb() const {
    return std::any_of(way_.begin(), way_.end(), [](const auto& part) { return is_numbered(part, "usb"); });
  }

 private:
  std::string folder_of(std::size_t part) const {
    std::string out = block_;
    for (std::size_t i = 0; i <= part; ++i) out += way_[i] + "/";
    return out;
  }

  /// With the device's number behind it where the port has several: a multiplier's, or the
  /// second one on a cable.
  std::string ata_port(std::size_t at) const {
    const auto& port = way_[at];
    auto number = sys_text(folder_of(at) + "ata_port/" + port + "/port_no");
    if (number.empty()) number = port.substr(3);
    for (std::size_t i = at + 1; i < way_.size(); ++i) {
      const auto address = scsi_address(way_[i]);
      if (address.empty()) continue;
      if (address[1] != "0") return number + "." + std::string(address[1]) + ".0";
      if (address[2] != "0") return number + "." + std::string(address[2]);
    }
    return number;
  }

  std::string scsi_place(const std::vector<std::string_view>& address) const {
    const std::string host = "host" + std::string(address[0]);
    const auto at = static_cast<std::size_t>(std::find(way_.begin(), way_.end(), host) - way_.begin());
    std::int64_t number = std::stoll(std::string(address[0]).substr(0, 9));
    std::int64_t first = number;
    for (const auto& other : at == 0 || at == way_.size() ? std::vector<std::string>() : names_in(folder_of(at - 1))) {
      if (is_numbered(other, "host") && other.size() < 13) {
        first = std::min<std::int64_t>(first, std::stoll(other.substr(4)));
      }
    }
    return "-scsi-" + std::to_string(number - first) + ":" + std::string(address[1]) + ":" + std::string(address[2]) +
           ":" + std::string(address[3]);
  }

  std::string block_, name_;
  std::vector<std::string> way_;
};

/// With NVMe multipath a disk hangs on no bus; its ways do, as nvme0c1n1 for nvme0n1.
/// Empty: there is not exactly one.
std::string path_of_ways(const std::string& root, const std::string& name) {
  const auto space = name.rfind('n');
  if (!name.starts_with("nvme") || space == 0) return {};
  std::string found;
  for (const auto& other : names_in(root + "/sys/block")) {
    if (!other.starts_with(name.substr(0, space) + "c") || !other.ends_with(name.substr(space))) continue;
    if (!found.empty()) return {};
    found = Path(root, other).text();
  }
  return found;
}

/// VPD page 80h, which the kernel has as it came from the disk: four bytes, of which the
/// second is the page and the last two the length, and the serial number (SPC-5, 7.7.20).
std::string unit_serial(const std::string& file) {
  auto page = base::read_file(file, kMostText);
  if (!page || page->size() <= 4 || static_cast<unsigned char>((*page)[1]) != 0x80) return {};
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>((*page)[at])); };
  std::string text = page->substr(4, byte(2) << 8U | byte(3));
  text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
  return base::printable(base::trim(text), 256);
}

/// Areas of an eMMC that the board boots from or keeps keys in: a part of its firmware.
bool is_firmware(std::string_view name) {
  const auto area = name.find_first_not_of("0123456789", std::min(name.size(), std::string_view("mmcblk").size()));
  if (!name.starts_with("mmcblk") || area == std::string_view::npos) return false;
  return is_numbered(name.substr(area), "boot") || name.substr(area) == "rpmb";
}

bool is_disk(const std::string& root, const std::string& name) {
  if (is_firmware(name)) return false;
  for (const auto* prefix : {"loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd", "mtdblock"}) {
    if (name.starts_with(prefix)) return false;
  }
  return sys_number(root + "/sys/block/" + name + "/hidden") == 0;
}

bool is_mounted(const std::string& root, const std::string& name) {
  auto mounts = base::read_file(root + "/proc/mounts", std::size_t{1} << 20U);
  return mounts && mounts->find("/dev/" + name) != std::string::npos;
}

DiskFacts read_disk(const std::string& root, const std::string& name) {
  const std::string folder = root + "/sys/block/" + name;
  const Path path(root, name);
  DiskFacts disk;
  disk.node = root + "/dev/" + name;
  disk.serial = sys_text(folder + "/serial");
  if (disk.serial.empty()) disk.serial = sys_text(folder + "/device/serial");
  if (disk.serial.empty()) disk.serial = unit_serial(folder + "/device/vpd_pg80");
  disk.wwn = sys_text(folder + "/wwid");
  if (disk.wwn.empty()) disk.wwn = sys_text(folder + "/device/wwid");
  disk.model = sys_text(folder + "/device/model");
  disk.by_path = path.text();
  if (disk.by_path.empty()) disk.by_path = path_of_ways(root, name);
  disk.bytes = sys_number(folder + "/size") * 512;
  if (const auto block = sys_number(folder + "/queue/logical_block_size"); block > 0) disk.block_bytes = block;
  disk.removable = sys_number(folder + "/removable") != 0;
  disk.on_usb = path.on_usb();
  disk.read_only = sys_number(folder + "/ro") != 0;
  disk.in_use = is_mounted(root, name);
  const bool rotates = sys_number(folder + "/queue/rotational") != 0;
  disk.type = name.starts_with("nvme") ? DiskType::Nvme : rotates ? DiskType::Hdd : DiskType::Ssd;
  return disk;
}

/// Several ways to one disk, or disks whose maker gave them all one number: their ids are
/// told apart by `more`. Whether there were such.
template <class More>
bool tell_apart(std::vector<DiskFacts>& disks, const More& more) {
  std::vector<DiskFacts*> alike;
  for (auto& disk : disks) {
    const auto same = std::count_if(disks.begin(), disks.end(), [&](const auto& other) { return other.id == disk.id; });
    if (same > 1) alike.push_back(&disk);
  }
  for (auto* disk : alike) more(*disk);
  return !alike.empty();
}

}  // namespace

std::string sys_text(const std::string& path) {
  auto text = base::read_file(path, kMostText);  // sizes of such files say nothing
  return text ? base::printable(base::trim(*text), 256) : std::string();
}

std::int64_t sys_number(const std::string& path) {
  const std::string text = sys_text(path);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  if (auto entries = base::list_folder(path)) {
    for (const auto& entry : *entries) names.push_back(entry.name);
  }
  return names;
}

std::vector<DiskFacts> read_disks(const std::string& root) {
  std::vector<DiskFacts> disks;
  for (const auto& name : names_in(root + "/sys/block")) {
    if (is_disk(root, name)) disks.push_back(read_disk(root, name));
  }
  for (auto& disk : disks) disk.id = disk_id(disk);
  if (tell_apart(disks, [](auto& disk) { disk.id += "@" + disk.by_path; })) {
    tell_apart(disks, [](auto& disk) {
      disk.id += "@" + disk.node.substr(disk.node.rfind('/') + 1);
      disk.alike = true;
    });
  }
  return disks;
}

}  // namespace nimbus::installer
