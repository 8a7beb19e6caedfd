// UpdateService with SimpleUpdate, which makes a task (DSP2046, UpdateService). No image
// is fetched: the version is what the image's name ends in ("bmc-2.20.bin" is 2.20).
#include <fmt/format.h>

#include <algorithm>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr std::string_view kUpdate = "/redfish/v1/UpdateService";
constexpr std::string_view kInventory = "/redfish/v1/UpdateService/FirmwareInventory";
constexpr auto kUpdateTakes = std::chrono::seconds(3);
constexpr std::size_t kMostUri = 2048;

std::optional<Json> update_service(Call&) {
  Json out = document(kUpdate, "#UpdateService.v1_11_3.UpdateService", "UpdateService", "Update Service");
  out.set("ServiceEnabled", true);
  out.set("FirmwareInventory", link(kInventory));
  out.set("Status", status_ok());
  Json action = Json::object({{"target", fmt::format("{}/Actions/UpdateService.SimpleUpdate", kUpdate)},
                              {"TransferProtocol@Redfish.AllowableValues", strings({"HTTP", "HTTPS"})}});
  out.set("Actions", Json::object({{"#UpdateService.SimpleUpdate", std::move(action)}}));
  return out;
}

std::optional<Json> inventory(Call&) {
  return collection(kInventory, "#SoftwareInventoryCollection.SoftwareInventoryCollection", "Firmware Inventory",
                    {fmt::format("{}/BMC", kInventory), fmt::format("{}/BIOS", kInventory)});
}

std::optional<Json> firmware(Call& call) {
  const bool bmc = call.ids[0] == "BMC";
  if (!bmc && call.ids[0] != "BIOS") return std::nullopt;
  Json out = document(call.path, "#SoftwareInventory.v1_10_0.SoftwareInventory", call.ids[0],
                      bmc ? "BMC firmware" : "System firmware");
  out.set("Version", bmc ? call.machine.bmc_version : call.machine.bios_version);
  out.set("Updateable", true);
  out.set("RelatedItem", links({bmc ? call.service.manager : call.service.system + "/Bios"}));
  out.set("Status", status_ok());
  return out;
}

/// "https://x/bios-1.5.0.bin" → "1.5.0".
std::optional<std::string> version_of(std::string_view uri) {
  std::string_view name = uri.substr(uri.rfind('/') + 1);
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  name.remove_prefix(dash + 1);
  std::size_t end = 0;
  while (end < name.size() && ((name[end] >= '0' && name[end] <= '9') || name[end] == '.')) ++end;
  while (end > 0 && name[end - 1] == '.') --end;
  constexpr std::size_t kMostVersion = 32;
  if (end == 0 || end > kMostVersion) return std::nullopt;
  return std::string(name.substr(0, end));
}

/// The target that the request names; without one the file's name decides.
std::optional<Machine::FirmwareTarget> target_of(const Json& body, std::string_view uri) {
  const Json::Array& targets = body["Targets"].items();
  if (targets.size() > 1) return std::nullopt;
  const std::string_view named =
      targets.empty() ? uri.substr(uri.rfind('/') + 1) : targets.front().as_string().value_or("");
  const bool bios = targets.empty() ? named.find("bios") != std::string_view::npos : named.ends_with("/BIOS");
  const bool bmc = targets.empty() ? named.find("bmc") != std::string_view::npos : named.ends_with("/BMC");
  if (bios == bmc) return std::nullopt;
  return bios ? Machine::FirmwareTarget::Bios : Machine::FirmwareTarget::Bmc;
}

Response simple_update(Call& call) {
  const auto uri = call.body["ImageURI"].as_string();
  if (!uri) return call.refuse(400, "ActionParameterMissing", {"SimpleUpdate", "ImageURI"}, "ImageURI");
  const bool fetchable = uri->size() <= kMostUri && (uri->starts_with("http://") || uri->starts_with("https://"));
  const auto version = version_of(*uri);
  if (!fetchable || !version) {
    return call.refuse(400, "ActionParameterValueConflict", {"ImageURI", "no image of a known version"}, "ImageURI");
  }
  const auto target = target_of(call.body, *uri);
  if (!target) return call.refuse(400, "ActionParameterValueConflict", {"Targets", "not one target"}, "Targets");
  if (!call.machine.update_firmware(*target, *version, kUpdateTakes)) return call.refuse(503, "ResourceInUse");
  const Task& task = call.service.start_task("Firmware update", kUpdateTakes);
  return task_started(call, task);
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/UpdateService", update_service},
    {"/redfish/v1/UpdateService/FirmwareInventory", inventory},
    {"/redfish/v1/UpdateService/FirmwareInventory/{}", firmware},
    {.pattern = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate",
     .post = simple_update,
     .write = Privilege::Administrator},
};

}  // namespace

std::span<const Route> update_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
