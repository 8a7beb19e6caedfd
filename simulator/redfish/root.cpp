// Service root, version, OData documents, registries (DSP0266, sections 8 and 9).
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr std::string_view kRoot = "/redfish/v1";

std::optional<Json> versions(Call&) { return Json::object({{"v1", "/redfish/v1/"}}); }

std::optional<Json> service_root(Call& call) {
  const auto* profile = call.machine.profile;
  Json out = document("/redfish/v1/", "#ServiceRoot.v1_15_0.ServiceRoot", "RootService", "Root Service");
  out.set("RedfishVersion", "1.15.0");
  out.set("UUID", uuid_text(call.machine.identity.bmc_guid));
  const bool named = profile != nullptr && !profile->bmc_vendor.empty();
  out.set("Vendor", named ? profile->bmc_vendor : std::string_view("Nimbus"));
  out.set("Product", named ? fmt::format("{} BMC", profile->bmc_vendor) : std::string("Simulated BMC"));
  out.set(
      "ProtocolFeaturesSupported",
      Json::object({{"ExcerptQuery", false},
                    {"FilterQuery", false},
                    {"OnlyMemberQuery", false},
                    {"SelectQuery", false},
                    {"ExpandQuery",
                     Json::object({{"ExpandAll", false}, {"Levels", false}, {"Links", false}, {"NoLinks", false}})}}));
  out.set("Systems", link("/redfish/v1/Systems"));
  out.set("Chassis", link("/redfish/v1/Chassis"));
  out.set("Managers", link("/redfish/v1/Managers"));
  if (call.service.session_service_enabled) out.set("SessionService", link("/redfish/v1/SessionService"));
  out.set("AccountService", link("/redfish/v1/AccountService"));
  out.set("Tasks", link("/redfish/v1/TaskService"));
  out.set("UpdateService", link("/redfish/v1/UpdateService"));
  out.set("EventService", link("/redfish/v1/EventService"));
  out.set("Registries", link("/redfish/v1/Registries"));
  Json inner = Json::object();
  inner.set("Sessions", link("/redfish/v1/SessionService/Sessions"));
  out.set("Links", std::move(inner));
  return out;
}

std::optional<Json> odata(Call&) {
  Json values = Json::array();
  for (const std::string_view name : {"Systems", "Chassis", "Managers", "SessionService", "AccountService",
                                      "TaskService", "UpdateService", "EventService", "Registries"}) {
    values.push(Json::object({{"name", name}, {"kind", "Singleton"}, {"url", fmt::format("{}/{}", kRoot, name)}}));
  }
  return Json::object({{"@odata.context", "/redfish/v1/$metadata"}, {"value", std::move(values)}});
}

std::optional<Json> registries(Call&) {
  return collection("/redfish/v1/Registries", "#MessageRegistryFileCollection.MessageRegistryFileCollection",
                    "Registry File Collection",
                    {"/redfish/v1/Registries/Base", "/redfish/v1/Registries/BiosAttributeRegistry"});
}

std::optional<Json> registry_file(Call& call) {
  const std::string id(call.ids[0]);
  if (id != "Base" && id != "BiosAttributeRegistry") return std::nullopt;
  Json out = document(call.path, "#MessageRegistryFile.v1_1_3.MessageRegistryFile", id, id + " Registry File");
  out.set("Languages", strings({"en"}));
  out.set("Registry", id == "Base" ? "Base.1.13.0" : "BiosAttributeRegistry.v1_0_0");
  out.set("Location", Json::array({Json::object({{"Language", "en"}, {"Uri", fmt::format("{}/{}", call.path, id)}})}));
  return out;
}

Json registry_attribute(const Attribute& attribute) {
  Json out = Json::object({{"AttributeName", attribute.name},
                           {"DisplayName", attribute.display},
                           {"ReadOnly", attribute.read_only},
                           {"ResetRequired", true},
                           {"Immutable", false},
                           {"Hidden", false}});
  if (!attribute.values.empty()) {
    out.set("Type", "Enumeration");
    Json values = Json::array();
    for (const auto& value : attribute.values)
      values.push(Json::object({{"ValueName", value}, {"ValueDisplayName", value}}));
    out.set("Value", std::move(values));
  } else if (std::holds_alternative<std::int64_t>(attribute.fallback)) {
    out.set("Type", "Integer");
    out.set("LowerBound", attribute.least);
    out.set("UpperBound", attribute.most);
    out.set("ScalarIncrement", 1);
  } else if (std::holds_alternative<bool>(attribute.fallback)) {
    out.set("Type", "Boolean");
  } else {
    out.set("Type", "String");
    out.set("MinLength", 0);
    out.set("MaxLength", 64);
  }
  const auto* text = std::get_if<std::string>(&attribute.fallback);
  if (text == nullptr || !text->empty())
    out.set("DefaultValue", std::visit([](const auto& v) { return Json(v); }, attribute.fallback));
  return out;
}

/// The schema takes letters and digits there, nothing else.
std::string letters_of(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](unsigned char c) { return c < 0x80 && std::isalnum(c) != 0; });
  return out;
}

std::optional<Json> registry(Call& call) {
  if (call.ids[0] != call.ids[1]) return std::nullopt;
  if (call.ids[0] == "Base") return base_registry();
  if (call.ids[0] != "BiosAttributeRegistry") return std::nullopt;
  const auto& hardware = call.machine.hardware();
  Json attributes = Json::array();
  for (const auto& attribute : hardware.attributes) attributes.push(registry_attribute(attribute));
  Json out = document(call.path, "#AttributeRegistry.v1_3_7.AttributeRegistry", "BiosAttributeRegistry.v1_0_0",
                      "BIOS Attribute Registry");
  out.set("Language", "en");
  out.set("OwningEntity", hardware.manufacturer);
  out.set("RegistryVersion", "1.0.0");
  out.set("SupportedSystems", Json::array({Json::object({{"ProductName", hardware.model},
                                                         {"SystemId", letters_of(hardware.part_number)},
                                                         {"FirmwareVersion", hardware.bios_version}})}));
  out.set("RegistryEntries", Json::object({{"Attributes", std::move(attributes)}}));
  return out;
}

constexpr Route kRoutes[] = {
    {"/redfish", versions},
    {"/redfish/v1", service_root},
    {"/redfish/v1/odata", odata},
    {"/redfish/v1/Registries", registries},
    {"/redfish/v1/Registries/{}", registry_file},
    {"/redfish/v1/Registries/{}/{}", registry},
};

}  // namespace

std::string metadata() {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<edmx:Edmx xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\" Version=\"4.0\">\n";
  for (const std::string_view name : {"ServiceRoot",
                                      "ComputerSystem",
                                      "ComputerSystemCollection",
                                      "Chassis",
                                      "ChassisCollection",
                                      "Manager",
                                      "ManagerCollection",
                                      "SessionService",
                                      "Session",
                                      "SessionCollection",
                                      "AccountService",
                                      "ManagerAccount",
                                      "ManagerAccountCollection",
                                      "Role",
                                      "RoleCollection",
                                      "TaskService",
                                      "Task",
                                      "TaskCollection",
                                      "UpdateService",
                                      "EventService",
                                      "EventDestination",
                                      "EventDestinationCollection",
                                      "Event",
                                      "Volume",
                                      "SoftwareInventory",
                                      "SoftwareInventoryCollection",
                                      "Bios",
                                      "BootOption",
                                      "BootOptionCollection",
                                      "SecureBoot",
                                      "VirtualMedia",
                                      "VirtualMediaCollection",
                                      "Processor",
                                      "ProcessorCollection",
                                      "Memory",
                                      "MemoryCollection",
                                      "Storage",
                                      "StorageCollection",
                                      "Drive",
                                      "VolumeCollection",
                                      "EthernetInterface",
                                      "EthernetInterfaceCollection",
                                      "Thermal",
                                      "Power",
                                      "ThermalSubsystem",
                                      "ThermalMetrics",
                                      "PowerSubsystem",
                                      "PowerSupply",
                                      "PowerSupplyCollection",
                                      "Fan",
                                      "FanCollection",
                                      "Sensor",
                                      "SensorCollection",
                                      "LogService",
                                      "LogServiceCollection",
                                      "LogEntry",
                                      "LogEntryCollection",
                                      "MessageRegistryFile",
                                      "MessageRegistryFileCollection",
                                      "MessageRegistry",
                                      "AttributeRegistry",
                                      "ActionInfo",
                                      "Settings",
                                      "Message",
                                      "ManagerNetworkProtocol",
                                      "Resource"}) {
    out += fmt::format(
        "  <edmx:Reference Uri=\"http://redfish.dmtf.org/schemas/v1/{0}_v1.xml\"><edmx:Include "
        "Namespace=\"{0}\"/></edmx:Reference>\n",
        name);
  }
  out +=
      "  <edmx:DataServices><Schema xmlns=\"http://docs.oasis-open.org/odata/ns/edm\" Namespace=\"Service\">"
      "<EntityContainer Name=\"Service\" "
      "Extends=\"ServiceRoot.v1_15_0.ServiceContainer\"/></Schema></edmx:DataServices>\n"
      "</edmx:Edmx>\n";
  return out;
}

std::span<const Route> root_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
