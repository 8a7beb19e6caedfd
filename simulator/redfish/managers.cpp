// Manager: the BMC itself (DSP2046, Manager).
#include <fmt/format.h>

#include <algorithm>

#include "base/time/time.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

std::optional<Json> managers(Call& call) {
  return collection("/redfish/v1/Managers", "#ManagerCollection.ManagerCollection", "Manager Collection",
                    {call.service.manager});
}

std::optional<Json> manager(Call& call) {
  if (!is_manager(call)) return std::nullopt;
  const Machine& machine = call.machine;
  const std::string& path = call.service.manager;
  Json out = document(path, "#Manager.v1_18_0.Manager", call.ids[0], "Manager");
  out.set("ManagerType", "BMC");
  out.set("UUID", uuid_text(machine.identity.bmc_guid));
  out.set("FirmwareVersion", machine.bmc_version);
  out.set("DateTime", base::to_rfc3339(machine.bmc_time()));
  out.set("DateTimeLocalOffset", "+00:00");
  out.set("PowerState", "On");
  out.set("Status", status_ok());
  out.set("SerialConsole",
          Json::object(
              {{"ServiceEnabled", true}, {"MaxConcurrentSessions", 1}, {"ConnectTypesSupported", strings({"IPMI"})}}));
  out.set("CommandShell",
          Json::object(
              {{"ServiceEnabled", false}, {"MaxConcurrentSessions", 0}, {"ConnectTypesSupported", Json::array()}}));
  out.set("EthernetInterfaces", link(path + "/EthernetInterfaces"));
  out.set("NetworkProtocol", link(path + "/NetworkProtocol"));
  out.set("LogServices", link(path + "/LogServices"));
  out.set("VirtualMedia", link(path + "/VirtualMedia"));
  out.set("Links", Json::object({{"ManagerForServers", links({call.service.system})},
                                 {"ManagerForChassis", links({call.service.chassis})}}));
  out.set("Actions",
          Json::object({{"#Manager.Reset", Json::object({{"target", path + "/Actions/Manager.Reset"},
                                                         {"ResetType@Redfish.AllowableValues",
                                                          strings({"ForceRestart", "GracefulRestart"})}})}}));
  return out;
}

Response patch_manager(Call& call) {
  for (const auto& [name, value] : call.body.members()) {
    if (name == "DateTimeLocalOffset") continue;
    if (name != "DateTime") return call.refuse(400, "PropertyNotWritable", {name}, name);
    const auto time = base::from_rfc3339(value.as_string().value_or(""));
    if (!time) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    call.machine.bmc_clock_offset += *time - call.machine.bmc_time();
  }
  return with_document(call, manager);
}

Response reset_manager(Call& call) {
  if (!is_manager(call)) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  const auto type = call.body["ResetType"].as_string().value_or("ForceRestart");
  if (type != "ForceRestart" && type != "GracefulRestart")
    return call.refuse(400, "ActionParameterValueNotInList", {type, "ResetType", "Reset"}, "ResetType");
  call.machine.restart_bmc(Source::Redfish);
  return no_content();
}

std::optional<Json> interfaces(Call& call) {
  if (!is_manager(call)) return std::nullopt;
  return collection(call.path, "#EthernetInterfaceCollection.EthernetInterfaceCollection", "Manager Interfaces",
                    {call.path + "/1"});
}

std::optional<Json> interface(Call& call) {
  if (!is_manager(call) || call.ids[1] != "1") return std::nullopt;
  const auto& lan = call.machine.lan;
  const auto text = [](const std::array<std::uint8_t, 4>& a) {
    return fmt::format("{}.{}.{}.{}", a[0], a[1], a[2], a[3]);
  };
  Json out = document(call.path, "#EthernetInterface.v1_10_0.EthernetInterface", "1", "Manager Ethernet Interface");
  out.set("MACAddress", mac_text(call.machine.identity.bmc_mac));
  out.set("InterfaceEnabled", true);
  out.set("LinkStatus", "LinkUp");
  out.set("HostName", call.machine.name() + "-bmc");
  out.set("IPv4Addresses",
          Json::array({Json::object({{"Address", text(lan.address)},
                                     {"SubnetMask", text(lan.netmask)},
                                     {"Gateway", text(lan.gateway)},
                                     {"AddressOrigin", lan.address_source == 2 ? "DHCP" : "Static"}})}));
  out.set("Status", status_ok());
  return out;
}

std::optional<Json> network_protocol(Call& call) {
  if (!is_manager(call)) return std::nullopt;
  Json out = document(call.path, "#ManagerNetworkProtocol.v1_9_0.ManagerNetworkProtocol", "NetworkProtocol",
                      "Manager Network Protocol");
  out.set("HostName", call.machine.name() + "-bmc");
  out.set("HTTPS", Json::object({{"ProtocolEnabled", true}, {"Port", 443}}));
  out.set("HTTP", Json::object({{"ProtocolEnabled", false}, {"Port", 80}}));
  out.set("IPMI", Json::object({{"ProtocolEnabled", true}, {"Port", unsigned{call.machine.lan.port}}}));
  out.set("Status", status_ok());
  return out;
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/Managers", managers},
    {.pattern = "/redfish/v1/Managers/{}", .get = manager, .patch = patch_manager, .write = Privilege::Administrator},
    {.pattern = "/redfish/v1/Managers/{}/Actions/Manager.Reset",
     .post = reset_manager,
     .write = Privilege::Administrator},
    {"/redfish/v1/Managers/{}/EthernetInterfaces", interfaces},
    {"/redfish/v1/Managers/{}/EthernetInterfaces/{}", interface},
    {"/redfish/v1/Managers/{}/NetworkProtocol", network_protocol},
};

}  // namespace

std::span<const Route> manager_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
