// BootOptions: what the firmware can boot, and the order in which it tries it (DSP2046, BootOption and
// ComputerSystem.Boot.BootOrder). The references are the same on every machine.
#include <algorithm>

#include <fmt/format.h>

#include "simulator/redfish/boot.hpp"

namespace nimbus::simulator::redfish {
namespace {

struct Option {
  BootDevice device;
  std::string_view reference;
  std::string_view alias;  // as an override's target calls it
};
constexpr Option kOptions[] = {
    {BootDevice::Disk, "Boot0000", "Hdd"},
    {BootDevice::Pxe, "Boot0001", "Pxe"},
    {BootDevice::Cd, "Boot0002", "Cd"},
    {BootDevice::Usb, "Boot0003", "Usb"},
    {BootDevice::UefiHttp, "Boot0004", "UefiHttp"},
};

const Option* find_reference(std::string_view reference) {
  const auto* found = std::find_if(std::begin(kOptions), std::end(kOptions),
                                   [&](const Option& option) { return option.reference == reference; });
  return found == std::end(kOptions) ? nullptr : found;
}

bool contains(const BootOrder& order, BootDevice device) {
  return std::find(order.begin(), order.end(), device) != order.end();
}

std::string display_name(const Call& call, BootDevice device) {
  const Hardware& hardware = call.machine.hardware();
  const std::string_view nic = hardware.nics.empty() ? "NIC" : std::string_view(hardware.nics.front().id);
  if (device == BootDevice::Disk)
    return hardware.drives.empty() ? std::string("Disk") : "Disk: " + hardware.drives.front().model;
  if (device == BootDevice::Pxe) return fmt::format("PXE: {}", nic);
  if (device == BootDevice::UefiHttp) return fmt::format("HTTP: {}", nic);
  return device == BootDevice::Cd ? "Virtual optical disc" : "Virtual removable disk";
}

std::string options_path(const Call& call) { return call.service.system + "/BootOptions"; }

std::optional<Json> options(Call& call) {
  if (!is_system(call)) return std::nullopt;
  std::vector<std::string> members;
  for (const auto& option : kOptions) {
    if (contains(call.machine.boot_order(), option.device))
      members.push_back(fmt::format("{}/{}", options_path(call), option.reference));
  }
  return collection(options_path(call), "#BootOptionCollection.BootOptionCollection", "Boot Options", members);
}

std::optional<Json> option(Call& call) {
  const Option* found = is_system(call) ? find_reference(call.ids[1]) : nullptr;
  if (found == nullptr || !contains(call.machine.boot_order(), found->device)) return std::nullopt;
  Json out = document(fmt::format("{}/{}", options_path(call), found->reference), "#BootOption.v1_0_6.BootOption",
                      found->reference, "Boot Option");
  out.set("BootOptionReference", found->reference);
  out.set("DisplayName", display_name(call, found->device));
  out.set("Alias", found->alias);
  out.set("BootOptionEnabled", true);
  return out;
}

constexpr Route kRoutes[] = {
    {.pattern = "/redfish/v1/Systems/{}/BootOptions", .get = options},
    {.pattern = "/redfish/v1/Systems/{}/BootOptions/{}", .get = option},
};

}  // namespace

Json boot_order_json(const BootOrder& order) {
  Json out = Json::array();
  for (const auto device : order) {
    for (const auto& option : kOptions) {
      if (option.device == device) out.push(option.reference);
    }
  }
  return out;
}

std::optional<Response> parse_boot_order(const Call& call, const Json& value, BootOrder& wanted) {
  constexpr std::string_view kName = "BootOrder";
  const std::string property = "Boot/BootOrder";
  const BootOrder& known = call.machine.boot_order();
  if (!value.is_array()) return call.refuse(400, "PropertyValueTypeError", {value.text(), kName}, property);
  for (const auto& item : value.items()) {
    const std::string place = fmt::format("{}/{}", property, wanted.size());
    const auto reference = item.as_string();
    if (!reference) return call.refuse(400, "PropertyValueTypeError", {item.text(), kName}, place);
    const Option* found = find_reference(*reference);
    if (found == nullptr || !contains(known, found->device))
      return call.refuse(400, "PropertyValueNotInList", {*reference, kName}, place);
    if (contains(wanted, found->device)) return call.refuse(400, "PropertyValueIncorrect", {kName, *reference}, place);
    wanted.push_back(found->device);
  }
  // BMCs take the whole list only: a part would leave open where the rest goes.
  if (wanted.size() != known.size()) return call.refuse(400, "PropertyValueIncorrect", {kName, value.text()}, property);
  return std::nullopt;
}

std::span<const Route> boot_option_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
