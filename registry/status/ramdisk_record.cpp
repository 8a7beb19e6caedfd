#include "registry/status/ramdisk_record.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "registry/status/document.hpp"
#include "registry/status/hardware_table.hpp"
#include "registry/status/records.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Table;
using base::toml::TableReader;
constexpr std::size_t kNameBytes = 120;
constexpr std::int64_t kGib = std::int64_t{1} << 30;
constexpr std::int64_t kMostCount = std::numeric_limits<std::int64_t>::max();

void set_name(Table& table, const char* key, const std::string& text) {
  if (!text.empty()) table.set(key, bounded_text(text, kNameBytes));
}

std::string words(const std::string& device, const std::string& port) {
  if (device.empty()) return port;
  return port.empty() ? device : device + " " + port;
}

}  // namespace

std::vector<Drift> compare_cabling(const HardwareDeclaration& declared, const RamdiskRecord& seen) {
  std::vector<Drift> out;
  for (const auto& nic : declared.nics) {
    if (nic.switch_name.empty() && nic.port.empty()) continue;
    const auto heard = std::find_if(seen.neighbours.begin(), seen.neighbours.end(),
                                    [&](const auto& one) { return one.nic == nic.mac; });
    if (heard == seen.neighbours.end()) continue;
    const bool same_switch =
        nic.switch_name.empty() || nic.switch_name == heard->system || nic.switch_name == heard->chassis;
    const bool same_port = nic.port.empty() || nic.port == heard->port;
    if (same_switch && same_port) continue;
    const auto& device = heard->system.empty() ? heard->chassis : heard->system;
    out.push_back({.key = "hardware.cable." + nic.mac,
                   .desired = words(nic.switch_name, nic.port),
                   .observed = words(nic.switch_name.empty() ? "" : device, heard->port),
                   .pending = {}});
  }
  return out;
}

std::vector<Drift> compare_inside(const HardwareDeclaration& declared, const RamdiskRecord& seen) {
  std::vector<Drift> out;
  if (seen.cpus == 0) return out;  // an installer that did not tell
  const auto differs = [&](const std::string& key, std::string desired, std::string observed) {
    out.push_back({"hardware.ramdisk." + key, std::move(desired), std::move(observed), {}});
  };
  if (declared.cpu_cores && seen.cpus < *declared.cpu_cores) {
    differs("cpu_cores", std::to_string(*declared.cpu_cores), std::to_string(seen.cpus) + " processors");
  }
  // Firmware and kernel keep some of the memory.
  if (declared.memory_gib && seen.memory_bytes < *declared.memory_gib * kGib / 10 * 9) {
    differs("memory_gib", std::to_string(*declared.memory_gib), std::to_string(seen.memory_bytes / kGib));
  }
  for (std::size_t i = 0; i < declared.disks.size(); ++i) {
    const auto& disk = declared.disks[i];
    const bool there = std::any_of(seen.disks.begin(), seen.disks.end(), [&](const auto& one) {
      // GB sold as GiB
      return disk.serial.empty() ? !disk.size_gib || one.bytes >= *disk.size_gib * kGib / 100 * 93
                                 : one.serial == disk.serial;
    });
    if (there) continue;
    differs("disk[" + std::to_string(i) + "]",
            disk.serial.empty() ? std::to_string(disk.size_gib.value_or(0)) + " GiB" : disk.serial, "");
  }
  for (const auto& nic : declared.nics) {
    if (std::find(seen.macs.begin(), seen.macs.end(), nic.mac) == seen.macs.end())
      differs("nic." + nic.mac, nic.mac, "");
  }
  return out;
}

Table ramdisk_table(const RamdiskRecord& record) {
  Table out;
  if (record.cpus > 0) out.set("cpus", record.cpus);
  set_records(out, "disk", record.disks, RamdiskRecord::kDisks, [](const auto& one) {
    Table row;
    row.set("bytes", one.bytes);
    set_name(row, "id", one.id);
    set_name(row, "serial", one.serial);
    return row;
  });
  if (!record.macs.empty()) {
    base::toml::Array macs;
    for (const auto& mac : record.macs) macs.push_back(bounded_text(mac, kNameBytes));
    out.set("macs", std::move(macs));
  }
  if (record.memory_bytes > 0) out.set("memory_bytes", record.memory_bytes);
  set_records(out, "neighbour", record.neighbours, RamdiskRecord::kNeighbours, [](const auto& one) {
    Table row;
    set_name(row, "chassis", one.chassis);
    set_name(row, "nic", one.nic);
    set_name(row, "port", one.port);
    set_name(row, "system", one.system);
    return row;
  });
  set_records(out, "pci", record.pci, RamdiskRecord::kPci, [](const auto& one) {
    Table row;
    set_name(row, "address", one.address);
    set_name(row, "class", one.kind);
    set_name(row, "id", one.id);
    return row;
  });
  set_name(out, "tpm", record.tpm);
  return out;
}

RamdiskRecord read_ramdisk(TableReader& table) {
  RamdiskRecord out;
  out.cpus = table.integer("cpus", 0, kMostCount).value_or(0);
  out.memory_bytes = table.integer("memory_bytes", 0, kMostCount).value_or(0);
  if (auto macs = table.strings("macs")) out.macs = std::move(*macs);
  for (auto& row : table.tables("disk")) {
    out.disks.push_back({read_optional_text(row, "id"), read_optional_text(row, "serial"),
                         row.integer("bytes", 0, kMostCount).value_or(0)});
    row.finish();
  }
  for (auto& row : table.tables("neighbour")) {
    out.neighbours.push_back({.nic = read_optional_text(row, "nic"),
                              .system = read_optional_text(row, "system"),
                              .chassis = read_optional_text(row, "chassis"),
                              .port = read_optional_text(row, "port")});
    row.finish();
  }
  for (auto& row : table.tables("pci")) {
    out.pci.push_back(
        {read_optional_text(row, "address"), read_optional_text(row, "class"), read_optional_text(row, "id")});
    row.finish();
  }
  out.tpm = read_optional_text(table, "tpm");
  return out;
}

}  // namespace nimbus::registry
