#include "registry/status/hardware_record.hpp"

#include <algorithm>
#include <utility>

#include "registry/status/document.hpp"
#include "registry/status/hardware_table.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Array;
using base::toml::Table;
using base::toml::TableReader;

constexpr std::uint64_t kMib = std::uint64_t{1} << 20U;
/// What a device calls its parts is short; longer is noise.
constexpr std::size_t kNameBytes = 120;

std::optional<std::int64_t> whole(const std::optional<std::uint64_t>& number, std::uint64_t unit = 1) {
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  if (!number || *number / unit > kMost) return std::nullopt;
  return static_cast<std::int64_t>(*number / unit);
}

void set_name(Table& table, const char* key, const std::string& text) {
  if (!text.empty()) table.set(key, bounded_text(text, kNameBytes));
}

void set_number(Table& table, const char* key, const std::optional<std::int64_t>& number) {
  if (number) table.set(key, *number);
}

template <class Part, class Write>
void set_parts(Table& table, const char* key, const std::vector<Part>& parts, Write write) {
  Array array;
  for (const auto& part : parts) {
    if (array.size() == HardwareRecord::kParts) break;
    Table row;
    write(row, part);
    array.emplace_back(std::move(row));
  }
  if (!array.empty()) table.set(key, std::move(array));
}

template <class Part, class Read>
std::vector<Part> read_parts(TableReader& table, const char* key, Read read) {
  std::vector<Part> out;
  for (auto& row : table.tables(key)) {
    out.push_back(read(row));
    row.finish();
  }
  return out;
}

std::string type_of(DriveKind kind) {
  switch (kind) {
    case DriveKind::Hdd:
      return "hdd";
    case DriveKind::Ssd:
      return "ssd";
    case DriveKind::Nvme:
      return "nvme";
    case DriveKind::Unknown:
      break;
  }
  return {};
}

/// `make` of each, sorted: BMCs list them in any order.
template <class Out, class In, class Make>
std::vector<Out> parts_of(const std::optional<std::vector<In>>& list, Make make) {
  std::vector<Out> out;
  if (list) std::transform(list->begin(), list->end(), std::back_inserter(out), make);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

HardwareRecord hardware_record(const Inventory& inventory, const std::vector<FirmwareVersion>& firmware,
                               std::optional<bool> secure_boot) {
  using Record = HardwareRecord;
  Record out;
  out.vendor = inventory.vendor;
  out.product = inventory.product;
  out.part_number = inventory.part_number;
  out.serial = inventory.serial;
  out.memory_mib = whole(inventory.memory, kMib);
  out.secure_boot = secure_boot;
  out.boot_order = inventory.boot_order;
  out.cpus = parts_of<Record::Cpu>(inventory.processors, [](const Processor& cpu) {
    return Record::Cpu{cpu.socket, cpu.model, cpu.cores ? std::optional<std::int64_t>(*cpu.cores) : std::nullopt};
  });
  out.modules = parts_of<Record::Module>(inventory.modules, [](const MemoryModule& module) {
    return Record::Module{module.slot, module.part_number, module.serial, whole(module.size, kMib)};
  });
  out.disks = parts_of<Record::Disk>(inventory.drives, [](const Drive& drive) {
    return Record::Disk{drive.slot, drive.model, drive.serial, type_of(drive.kind), whole(drive.size)};
  });
  out.nics = parts_of<Record::Nic>(inventory.ports, [](const NetworkPort& port) {
    return Record::Nic{port.name, port.mac};
  });
  out.firmware = parts_of<Record::Firmware>(std::optional(firmware), [](const FirmwareVersion& version) {
    return Record::Firmware{version.component, version.version};
  });
  return out;
}

Table hardware_table(const HardwareRecord& record) {
  Table out;
  Array order;
  for (const auto& entry : record.boot_order) {
    if (order.size() < HardwareRecord::kParts) order.emplace_back(bounded_text(entry, kNameBytes));
  }
  if (!order.empty()) out.set("boot_order", std::move(order));
  set_number(out, "memory_mib", record.memory_mib);
  set_name(out, "part_number", record.part_number);
  set_name(out, "product", record.product);
  if (record.secure_boot) out.set("secure_boot", *record.secure_boot);
  set_name(out, "serial", record.serial);
  set_name(out, "vendor", record.vendor);
  set_parts(out, "cpu", record.cpus, [](Table& row, const HardwareRecord::Cpu& cpu) {
    set_number(row, "cores", cpu.cores);
    set_name(row, "model", cpu.model);
    set_name(row, "socket", cpu.socket);
  });
  set_parts(out, "disk", record.disks, [](Table& row, const HardwareRecord::Disk& disk) {
    set_name(row, "model", disk.model);
    set_name(row, "serial", disk.serial);
    set_number(row, "size_bytes", disk.size_bytes);
    set_name(row, "slot", disk.slot);
    set_name(row, "type", disk.type);
  });
  set_parts(out, "firmware", record.firmware, [](Table& row, const HardwareRecord::Firmware& version) {
    set_name(row, "component", version.component);
    set_name(row, "version", version.version);
  });
  set_parts(out, "memory", record.modules, [](Table& row, const HardwareRecord::Module& module) {
    set_name(row, "part_number", module.part_number);
    set_name(row, "serial", module.serial);
    set_number(row, "size_mib", module.size_mib);
    set_name(row, "slot", module.slot);
  });
  set_parts(out, "nic", record.nics, [](Table& row, const HardwareRecord::Nic& nic) {
    set_name(row, "mac", nic.mac);
    set_name(row, "name", nic.name);
  });
  return out;
}

HardwareRecord read_hardware(TableReader& table) {
  using Record = HardwareRecord;
  Record out;
  out.boot_order = table.strings("boot_order").value_or(std::vector<std::string>());
  out.memory_mib = table.integer("memory_mib");
  out.part_number = read_optional_text(table, "part_number");
  out.product = read_optional_text(table, "product");
  out.secure_boot = table.boolean("secure_boot");
  out.serial = read_optional_text(table, "serial");
  out.vendor = read_optional_text(table, "vendor");
  out.cpus = read_parts<Record::Cpu>(table, "cpu", [](TableReader& row) {
    return Record::Cpu{read_optional_text(row, "socket"), read_optional_text(row, "model"), row.integer("cores")};
  });
  out.disks = read_parts<Record::Disk>(table, "disk", [](TableReader& row) {
    return Record::Disk{read_optional_text(row, "slot"), read_optional_text(row, "model"),
                        read_optional_text(row, "serial"), read_optional_text(row, "type"), row.integer("size_bytes")};
  });
  out.firmware = read_parts<Record::Firmware>(table, "firmware", [](TableReader& row) {
    return Record::Firmware{read_optional_text(row, "component"), read_optional_text(row, "version")};
  });
  out.modules = read_parts<Record::Module>(table, "memory", [](TableReader& row) {
    return Record::Module{read_optional_text(row, "slot"), read_optional_text(row, "part_number"),
                          read_optional_text(row, "serial"), row.integer("size_mib")};
  });
  out.nics = read_parts<Record::Nic>(table, "nic", [](TableReader& row) {
    return Record::Nic{read_optional_text(row, "name"), read_optional_text(row, "mac")};
  });
  return out;
}

}  // namespace nimbus::registry
