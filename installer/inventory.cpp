#include "installer/inventory.hpp"

#include <algorithm>
#include <charconv>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "installer/block_devices.hpp"

namespace nimbus::installer {
namespace {

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
  // Those that show no size as well: if one is broken, what is on it is still there.
  machine.disks = read_disks(root);
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
