#include "drivers/redfish/inventory.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/redfish/inventory_documents.hpp"
#include "drivers/redfish/walk.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

/// The parts that `read` makes of the members of a list; nothing: no such list.
template <class Part, class Read>
std::optional<std::vector<Part>> parts_of(Walk& walk, const std::string& link, Read read) {
  const auto members = walk.members(link);
  if (!members) return std::nullopt;
  std::vector<Part> out;
  for (const auto& member : *members) {
    if (auto part = read(member)) out.push_back(std::move(*part));
  }
  return out;
}

/// A drive that two controllers list is one drive.
void add_drive(std::vector<Drive>& drives, Drive drive) {
  const bool known = !drive.serial.empty() && std::any_of(drives.begin(), drives.end(), [&](const Drive& other) {
    return other.serial == drive.serial && other.model == drive.model;
  });
  if (!known) drives.push_back(std::move(drive));
}

std::optional<std::vector<Drive>> drives_of(Walk& walk, const System& system) {
  std::optional<std::vector<Drive>> out;
  if (const auto storages = walk.members(system.storage)) {
    out.emplace();
    for (const auto& storage : *storages) {
      for (const auto& document : walk.all(links_of(storage["Drives"]))) {
        if (auto drive = read_drive(document)) add_drive(*out, std::move(*drive));
      }
    }
  }
  if (out && !out->empty()) return out;
  // Older BMCs, and those whose Storage says nothing, know SimpleStorage.
  if (const auto simple = walk.members(system.simple_storage)) {
    if (!out) out.emplace();
    for (const auto& controller : *simple) {
      for (auto& drive : read_simple_devices(controller)) add_drive(*out, std::move(drive));
    }
  }
  return out;
}

void add_port(std::vector<NetworkPort>& ports, NetworkPort port) {
  const auto known =
      std::find_if(ports.begin(), ports.end(), [&](const NetworkPort& other) { return other.mac == port.mac; });
  if (known == ports.end()) ports.push_back(std::move(port));
}

/// Of the chassis' network adapters: where the System shows no EthernetInterfaces.
std::optional<std::vector<NetworkPort>> adapter_ports(Walk& walk, const System& system) {
  std::optional<std::vector<NetworkPort>> out;
  for (const auto& chassis : walk.all(system.chassis)) {
    const auto adapters = walk.members(link_of(chassis["NetworkAdapters"]));
    if (!adapters) continue;
    for (const auto& adapter : *adapters) {
      const auto functions = walk.members(link_of(adapter["NetworkDeviceFunctions"]));
      if (!functions) continue;
      if (!out) out.emplace();
      for (const auto& function : *functions) {
        if (auto port = read_network_port(function)) add_port(*out, std::move(*port));
      }
    }
  }
  return out;
}

std::optional<std::vector<NetworkPort>> ports_of(Walk& walk, const System& system) {
  std::optional<std::vector<NetworkPort>> out;
  if (const auto members = walk.members(system.ethernet)) {
    out.emplace();
    for (const auto& member : *members) {
      if (auto port = read_network_port(member)) add_port(*out, std::move(*port));
    }
  }
  if (out && !out->empty()) return out;
  auto others = adapter_ports(walk, system);
  return others ? others : out;
}

}  // namespace

Result<Inventory> InventoryReader::inventory(const Call& call) {
  const auto read = machine_.read(call);
  if (!read) return read.error();
  const System system = **read;
  const bool by_sku = machine_.has(Effect::SerialInSku) && !system.sku.empty();
  Inventory out{.vendor = system.manufacturer,
                .product = system.model,
                .part_number = system.part_number,
                .serial = by_sku ? system.sku : system.serial,
                .asset_tag = system.asset_tag,
                .uuid = normalize_uuid(system.uuid),
                .memory = {},
                .processors = {},
                .modules = {},
                .drives = {},
                .ports = {}};
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  constexpr double kMostGib = 1e9;
  out.boot_order = system.boot_order;
  if (system.memory_gib && *system.memory_gib > 0 && *system.memory_gib < kMostGib)
    out.memory = static_cast<std::uint64_t>(std::llround(*system.memory_gib * kGib));
  Walk walk(machine_, call);
  out.processors = parts_of<Processor>(walk, system.processors, read_processor);
  out.modules = parts_of<MemoryModule>(walk, system.memory, read_memory_module);
  out.drives = drives_of(walk, system);
  out.ports = ports_of(walk, system);
  if (walk.trouble()) return Error(*walk.trouble()).with("while reading the inventory");
  return out;
}

Result<std::vector<FirmwareVersion>> InventoryReader::firmware(const Call& call) {
  const auto root = machine_.session().root(call);
  if (!root) return root.error();
  const auto system = machine_.read(call);
  if (!system) return system.error();
  const std::string bios = (*system)->bios_version;
  const auto manager = machine_.manager(call);
  if (!manager) return manager.error();

  std::vector<FirmwareVersion> out;
  if (!bios.empty()) out.push_back({.component = "BIOS", .version = bios});
  if (*manager != nullptr && !(*manager)->firmware_version.empty())
    out.push_back({.component = "BMC", .version = (*manager)->firmware_version});
  Walk walk(machine_, call);
  if (const auto update = walk.get(root->update_service)) {
    const auto members = parts_of<FirmwareVersion>(walk, link_of((*update)["FirmwareInventory"]), read_firmware);
    for (const auto& version : members.value_or(std::vector<FirmwareVersion>())) {
      if (std::find(out.begin(), out.end(), version) == out.end()) out.push_back(version);
    }
  }
  if (walk.trouble()) return Error(*walk.trouble()).with("while reading the firmware inventory");
  if (out.empty()) return Error{Code::Unsupported, "the BMC tells no firmware versions"};
  return out;
}

}  // namespace nimbus::redfish
