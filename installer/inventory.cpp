#include "installer/inventory.hpp"

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

/// A file of /sys; what cannot be read is empty. Sizes of such files say nothing.
std::string sys_text(const std::string& path) {
  auto text = base::read_file(path, kMostText);
  return text ? base::printable(base::trim(*text), 256) : std::string();
}

std::int64_t sys_number(const std::string& path) {
  const std::string text = sys_text(path);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The folders below `path`, links too, as /sys/class has them.
std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  if (auto entries = base::list_folder(path)) {
    for (const auto& entry : *entries) names.push_back(entry.name);
  }
  return names;
}

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

/// Below a root hub, "usb2".
bool is_on_usb(const std::string& block_link) {
  const auto way = way_to(block_link);
  return std::any_of(way.begin(), way.end(), [](const auto& part) {
    return part.size() > 3 && part.starts_with("usb") && std::isdigit(static_cast<unsigned char>(part[3])) != 0;
  });
}

/// "pci-0000:00:04.0": the last of the buses on the way.
std::string path_of(const std::string& block_link) {
  std::string address;
  for (const auto& part : way_to(block_link)) {
    if (part.size() == 12 && part[4] == ':' && part[7] == ':' && part[10] == '.') address = part;
  }
  return address.empty() ? std::string() : "pci-" + address;
}

bool is_disk(const std::string& name) {
  for (const auto* prefix : {"loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd"}) {
    if (name.starts_with(prefix)) return false;
  }
  return true;
}

bool is_mounted(const std::string& root, const std::string& name) {
  auto mounts = base::read_file(root + "/proc/mounts", std::size_t{1} << 20U);
  return mounts && mounts->find("/dev/" + name) != std::string::npos;
}

DiskFacts read_disk(const std::string& root, const std::string& name) {
  const std::string folder = root + "/sys/block/" + name;
  DiskFacts disk;
  disk.node = root + "/dev/" + name;
  disk.serial = sys_text(folder + "/serial");
  if (disk.serial.empty()) disk.serial = sys_text(folder + "/device/serial");
  disk.wwn = sys_text(folder + "/wwid");
  if (disk.wwn.empty()) disk.wwn = sys_text(folder + "/device/wwid");
  disk.model = sys_text(folder + "/device/model");
  disk.by_path = path_of(folder);
  disk.bytes = sys_number(folder + "/size") * 512;
  disk.removable = sys_number(folder + "/removable") != 0;
  disk.on_usb = is_on_usb(folder);
  disk.read_only = sys_number(folder + "/ro") != 0;
  disk.in_use = is_mounted(root, name);
  const bool rotates = sys_number(folder + "/queue/rotational") != 0;
  disk.type = name.starts_with("nvme") ? DiskType::Nvme : rotates ? DiskType::Hdd : DiskType::Ssd;
  disk.id = disk_id(disk);
  return disk;
}

/// Cards and controllers; not the bridges and the inner parts of the platform.
std::vector<boot::PciReport> read_pci(const std::string& root) {
  constexpr std::size_t kMost = 64;
  auto addresses = names_in(root + "/sys/bus/pci/devices");
  std::sort(addresses.begin(), addresses.end());
  std::vector<boot::PciReport> out;
  for (const auto& address : addresses) {
    const auto number = [&](const char* name) {
      const auto text = sys_text(root + "/sys/bus/pci/devices/" + address + "/" + name);
      return text.starts_with("0x") ? base::to_lower(text.substr(2)) : std::string();
    };
    const auto kind = number("class");
    const bool inner = kind.starts_with("05") || kind.starts_with("06") || kind.starts_with("08") ||
                       kind.starts_with("0b") || kind.starts_with("11");
    if (kind.size() != 6 || inner || out.size() == kMost) continue;
    out.push_back({.address = address, .kind = kind, .id = number("vendor") + ":" + number("device")});
  }
  return out;
}

/// By the kernel's driver, or by the table that the firmware has where none was loaded.
std::string read_tpm(const std::string& root) {
  const auto major = sys_text(root + "/sys/class/tpm/tpm0/tpm_version_major");
  const auto tables = names_in(root + "/sys/firmware/acpi/tables");
  const auto has = [&](const char* name) { return std::find(tables.begin(), tables.end(), name) != tables.end(); };
  if (major == "2" || (major.empty() && has("TPM2"))) return "2.0";
  return major == "1" || has("TCPA") ? "1.2" : "";
}

}  // namespace

MachineFacts read_machine(const std::string& root) {
  MachineFacts machine;
  const std::string dmi = root + "/sys/class/dmi/id/";
  machine.identity.serial = normalize_serial(sys_text(dmi + "product_serial"));
  machine.identity.uuid = normalize_uuid(sys_text(dmi + "product_uuid"));
  for (const auto& name : names_in(root + "/sys/class/net")) {
    const std::string mac = base::to_lower(sys_text(root + "/sys/class/net/" + name + "/address"));
    if (name != "lo" && mac.size() == 17) machine.macs.push_back(mac);
  }
  for (const auto& name : names_in(root + "/sys/block")) {
    // One that shows no size as well: if it is broken, what is on it is still there.
    if (is_disk(name)) machine.disks.push_back(read_disk(root, name));
  }
  return machine;
}

boot::Inventory inventory_of(const MachineFacts& machine, const std::string& root) {
  boot::Inventory out;
  out.identity = machine.identity;
  out.macs = machine.macs;
  out.tpm = read_tpm(root);
  out.pci = read_pci(root);
  for (const auto& disk : machine.disks) {
    if (is_loose(disk)) continue;
    out.disks.push_back({.id = disk.id,
                         .serial = disk.serial,
                         .wwn = disk.wwn,
                         .model = disk.model,
                         .path = disk.by_path,
                         .bytes = disk.bytes});
  }
  for (const auto& name : names_in(root + "/sys/devices/system/cpu")) {
    if (name.size() > 3 && name.starts_with("cpu") && name[3] >= '0' && name[3] <= '9') ++out.cpus;
  }
  if (auto text = base::read_file(root + "/proc/meminfo", std::size_t{64} << 10U)) {
    const std::size_t at = text->find("MemTotal:");
    if (at != std::string::npos) {
      const std::string_view rest = base::trim(std::string_view(*text).substr(at + 9, 40));
      std::int64_t kib = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), kib);
      out.memory_bytes = kib * 1024;
    }
  }
  return out;
}

std::string kernel_argument(std::string_view command_line, std::string_view name) {
  for (const auto word : base::split(command_line, ' ')) {
    if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
      return std::string(base::trim(word.substr(name.size() + 1)));
    }
  }
  return {};
}

}  // namespace nimbus::installer
