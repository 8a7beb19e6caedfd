// What a system consists of: processors, memory, storage, network interfaces.
#include <fmt/format.h>

#include <algorithm>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

template <class Items, class Id>
std::vector<std::string> members_of(const std::string& path, const Items& items, Id id) {
  std::vector<std::string> out;
  for (const auto& item : items) out.push_back(fmt::format("{}/{}", path, id(item)));
  return out;
}

std::optional<Json> processors(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const std::string path = call.service.system + "/Processors";
  return collection(path, "#ProcessorCollection.ProcessorCollection", "Processors",
                    members_of(path, call.machine.hardware().processors, [](const Processor& p) { return p.socket; }));
}

std::optional<Json> processor(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const bool arm = call.machine.hardware().arch == "aarch64";
  for (const auto& p : call.machine.hardware().processors) {
    if (p.socket != call.ids[1]) continue;
    Json out = document(call.path, "#Processor.v1_18_0.Processor", p.socket, "Processor");
    out.set("Socket", p.socket);
    out.set("ProcessorType", "CPU");
    out.set("ProcessorArchitecture", arm ? "ARM" : "x86");
    out.set("InstructionSet", arm ? "ARM-A64" : "x86-64");
    out.set("Manufacturer", p.manufacturer);
    out.set("Model", p.model);
    out.set("MaxSpeedMHz", p.max_mhz);
    out.set("TotalCores", p.cores);
    out.set("TotalThreads", p.threads);
    out.set("Status", status_ok());
    return out;
  }
  return std::nullopt;
}

std::optional<Json> memory_list(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const std::string path = call.service.system + "/Memory";
  return collection(path, "#MemoryCollection.MemoryCollection", "Memory",
                    members_of(path, call.machine.hardware().memory, [](const MemoryModule& m) { return m.slot; }));
}

std::optional<Json> memory(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const auto& modules = call.machine.hardware().memory;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto& m = modules[i];
    if (m.slot != call.ids[1]) continue;
    Json out = document(call.path, "#Memory.v1_18_0.Memory", m.slot, "Memory module");
    out.set("MemoryType", "DRAM");
    out.set("MemoryDeviceType", "DDR4");
    out.set("CapacityMiB", m.size_gib * 1024U);
    out.set("OperatingSpeedMhz", m.speed_mhz);
    out.set("Manufacturer", m.manufacturer);
    out.set("PartNumber", m.part_number);
    out.set("SerialNumber", call.machine.memory_serial(i));
    out.set("DeviceLocator", m.slot);
    out.set("Status", status_ok());
    return out;
  }
  return std::nullopt;
}

std::optional<Json> storage_list(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const std::string path = call.service.system + "/Storage";
  return collection(path, "#StorageCollection.StorageCollection", "Storage", {path + "/1"});
}

std::optional<Json> storage(Call& call) {
  if (!is_system(call) || call.ids[1] != "1") return std::nullopt;
  const std::string path = call.service.system + "/Storage/1";
  Json out = document(path, "#Storage.v1_15_1.Storage", "1", "Direct-attached storage");
  const auto drives = members_of(path + "/Drives", call.machine.hardware().drives, [](const Drive& d) { return d.id; });
  out.set("Drives@odata.count", drives.size());
  out.set("Drives", links(drives));
  out.set("Volumes", link(path + "/Volumes"));
  Json controller = Json::object({{"@odata.id", path + "#/StorageControllers/0"},
                                  {"MemberId", "0"},
                                  {"Name", "Host bus adapter"},
                                  {"SupportedControllerProtocols", strings({"PCIe"})},
                                  {"SupportedDeviceProtocols", strings({"SATA", "NVMe"})},
                                  {"Status", status_ok()}});
  out.set("StorageControllers@odata.count", 1);
  out.set("StorageControllers", Json::array({std::move(controller)}));
  out.set("Status", status_ok());
  return out;
}

std::optional<Json> drive(Call& call) {
  if (!is_system(call) || call.ids[1] != "1") return std::nullopt;
  const auto& drives = call.machine.hardware().drives;
  for (std::size_t i = 0; i < drives.size(); ++i) {
    const auto& d = drives[i];
    if (d.id != call.ids[2]) continue;
    Json out = document(call.path, "#Drive.v1_18_0.Drive", d.id, "Drive " + d.id);
    out.set("Manufacturer", d.manufacturer);
    out.set("Model", d.model);
    out.set("SerialNumber", call.machine.drive_serial(i));
    out.set("CapacityBytes", d.size_bytes);
    out.set("BlockSizeBytes", 512);
    out.set("MediaType", d.kind == MediaKind::Hdd ? "HDD" : "SSD");
    out.set("Protocol", d.kind == MediaKind::Nvme ? "NVMe" : "SATA");
    if (d.kind == MediaKind::Hdd) out.set("RotationSpeedRPM", 7200);
    out.set("FailurePredicted", false);
    out.set("PredictedMediaLifeLeftPercent", d.kind == MediaKind::Hdd ? Json() : Json(98));
    std::vector<std::string> volumes;
    for (const auto& volume : call.machine.volumes) {
      const bool mine = std::find(volume.drives.begin(), volume.drives.end(), d.id) != volume.drives.end();
      if (mine && volume.ready <= call.machine.now())
        volumes.push_back(fmt::format("{}/Storage/1/Volumes/{}", call.service.system, volume.id));
    }
    out.set("Links", Json::object({{"Volumes@odata.count", volumes.size()}, {"Volumes", links(volumes)}}));
    out.set("Status", status_ok());
    return out;
  }
  return std::nullopt;
}

std::optional<Json> nics(Call& call) {
  if (!is_system(call) || call.quirks().has(Quirk::NoNicsShown)) return std::nullopt;
  const std::string path = call.service.system + "/EthernetInterfaces";
  return collection(path, "#EthernetInterfaceCollection.EthernetInterfaceCollection", "Ethernet Interfaces",
                    members_of(path, call.machine.hardware().nics, [](const Nic& n) { return n.id; }));
}

std::optional<Json> nic(Call& call) {
  if (!is_system(call) || call.quirks().has(Quirk::NoNicsShown)) return std::nullopt;
  const auto& all = call.machine.hardware().nics;
  for (std::size_t i = 0; i < all.size() && i < call.machine.identity.macs.size(); ++i) {
    const auto& n = all[i];
    if (n.id != call.ids[1]) continue;
    const std::string mac = mac_text(call.machine.identity.macs[i]);
    Json out = document(call.path, "#EthernetInterface.v1_10_0.EthernetInterface", n.id, n.description);
    out.set("MACAddress", mac);
    out.set("PermanentMACAddress", mac);
    out.set("SpeedMbps", n.speed_mbps);
    out.set("InterfaceEnabled", true);
    out.set("LinkStatus", call.machine.has_power() ? "LinkUp" : "LinkDown");
    out.set("Status", status_ok());
    return out;
  }
  return std::nullopt;
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/Systems/{}/Processors", processors},      {"/redfish/v1/Systems/{}/Processors/{}", processor},
    {"/redfish/v1/Systems/{}/Memory", memory_list},         {"/redfish/v1/Systems/{}/Memory/{}", memory},
    {"/redfish/v1/Systems/{}/Storage", storage_list},       {"/redfish/v1/Systems/{}/Storage/{}", storage},
    {"/redfish/v1/Systems/{}/Storage/{}/Drives/{}", drive}, {"/redfish/v1/Systems/{}/EthernetInterfaces", nics},
    {"/redfish/v1/Systems/{}/EthernetInterfaces/{}", nic},
};

}  // namespace

std::span<const Route> component_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
