#include "registry/status/ramdisk_record.hpp"

#include <algorithm>
#include <utility>

#include "registry/status/document.hpp"
#include "registry/status/hardware_table.hpp"
#include "registry/status/records.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Table;
using base::toml::TableReader;
constexpr std::size_t kNameBytes = 120;

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

Table ramdisk_table(const RamdiskRecord& record) {
  Table out;
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
