// ComputerSystem: the document, Reset, and what may be written (DSP2046, ComputerSystem).
#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.hpp"
#include "simulator/redfish/boot.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr auto kIloSettles = std::chrono::seconds(3);
constexpr auto kIdracSettles = std::chrono::seconds(30);

std::string_view power_text(Power power) {
  switch (power) {
    case Power::Off:
      return "Off";
    case Power::PoweringOn:
      return "PoweringOn";
    case Power::On:
      return "On";
    case Power::PoweringOff:
      return "PoweringOff";
  }
  return "Off";
}

std::string_view progress_text(HostPhase phase) {
  switch (phase) {
    case HostPhase::Off:
      return "None";
    case HostPhase::Post:
      return "SystemHardwareInitializationComplete";
    case HostPhase::Running:
      return "OSRunning";
  }
  return "None";
}

std::vector<std::string_view> reset_types(const Quirks& quirks) {
  if (quirks.has(Quirk::LimitedResetTypes))
    return {"On", "ForceOff", "GracefulShutdown", "ForceRestart", "Nmi", "PushPowerButton"};
  return {"On",  "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart",
          "Nmi", "ForceOn",  "PushPowerButton",  "PowerCycle"};
}

Json reset_values(const Quirks& quirks) {
  Json out = Json::array();
  for (const auto type : reset_types(quirks)) out.push(type);
  return out;
}

std::optional<Json> systems(Call& call) {
  return collection("/redfish/v1/Systems", "#ComputerSystemCollection.ComputerSystemCollection",
                    "Computer System Collection", {call.service.system});
}

void add_inventory(Json& out, const Call& call) {
  const Machine& machine = call.machine;
  const Hardware& hardware = machine.hardware();
  const auto* profile = machine.profile;
  const bool named = profile != nullptr && !profile->manufacturer.empty();
  out.set("SystemType", "Physical");
  out.set("Manufacturer", named ? profile->manufacturer : std::string_view(hardware.manufacturer));
  out.set("Model", hardware.model);
  // Dell: the service tag that people call the serial number is SKU.
  out.set("SKU", call.quirks().has(Quirk::SerialIsSku) ? machine.identity.serial : machine.identity.sku);
  out.set("SerialNumber", call.quirks().has(Quirk::SerialIsSku)
                              ? fmt::format("CN{:012X}", stable_hash(1, machine.identity.serial) >> 16U)
                              : machine.identity.serial);
  out.set("PartNumber", hardware.part_number);
  out.set("AssetTag", machine.identity.asset_tag);
  out.set("UUID", uuid_text(machine.identity.uuid));
  out.set("HostName", machine.name());
  out.set("BiosVersion", machine.bios_version);
  out.set("ProcessorSummary",
          Json::object({{"Count", hardware.processors.size()},
                        {"CoreCount", hardware.cores()},
                        {"LogicalProcessorCount", hardware.threads()},
                        {"Model", hardware.processors.empty() ? std::string() : hardware.processors.front().model},
                        {"Status", status_ok()}}));
  out.set("MemorySummary", Json::object({{"TotalSystemMemoryGiB", hardware.memory_gib()}, {"Status", status_ok()}}));
}

void add_links(Json& out, const Call& call) {
  const std::string& path = call.service.system;
  for (const std::string_view name : {"Bios", "SecureBoot", "Processors", "Memory", "Storage", "LogServices"}) {
    out.set(std::string(name), link(fmt::format("{}/{}", path, name)));
  }
  if (!call.quirks().has(Quirk::NoNicsShown)) out.set("EthernetInterfaces", link(path + "/EthernetInterfaces"));
  if (!call.quirks().has(Quirk::MediaUnderManager)) out.set("VirtualMedia", link(path + "/VirtualMedia"));
  out.set("Links",
          Json::object({{"Chassis", links({call.service.chassis})}, {"ManagedBy", links({call.service.manager})}}));
}

std::optional<Json> system(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const Machine& machine = call.machine;
  Json out = document(call.service.system, "#ComputerSystem.v1_20_0.ComputerSystem", call.ids[0], "System");
  add_inventory(out, call);
  out.set("PowerState", power_text(machine.power()));
  out.set("Status", Json::object({{"State", machine.has_power() ? "Enabled" : "StandbyOffline"},
                                  {"Health", "OK"},
                                  {"HealthRollup", "OK"}}));
  out.set("LocationIndicatorActive", machine.identify);
  out.set("PowerRestorePolicy", machine.restore_policy == 0   ? "AlwaysOff"
                                : machine.restore_policy == 2 ? "AlwaysOn"
                                                              : "LastState");
  out.set("BootProgress", Json::object({{"LastState", progress_text(machine.phase())}}));
  const bool elsewhere = call.quirks().has(Quirk::BootOnlyInSettings);
  out.set("Boot", boot_document(call, elsewhere ? BootView::NowWithoutOverride : BootView::Now));
  if (order_in_settings(call.quirks()))
    out.set("@Redfish.Settings", settings_annotation(call, call.service.system + "/Settings"));
  add_links(out, call);
  Json reset = Json::object({{"target", call.service.system + "/Actions/ComputerSystem.Reset"},
                             {"@Redfish.ActionInfo", call.service.system + "/ResetActionInfo"}});
  if (!call.quirks().has(Quirk::ActionInfoOnly))
    reset.set("ResetType@Redfish.AllowableValues", reset_values(call.quirks()));
  out.set("Actions", Json::object({{"#ComputerSystem.Reset", std::move(reset)}}));
  return out;
}

std::optional<Json> reset_action_info(Call& call) {
  if (!is_system(call)) return std::nullopt;
  Json out = document(call.path, "#ActionInfo.v1_3_0.ActionInfo", "ResetActionInfo", "Reset Action Info");
  out.set("Parameters", Json::array({Json::object({{"Name", "ResetType"},
                                                   {"Required", true},
                                                   {"DataType", "String"},
                                                   {"AllowableValues", reset_values(call.quirks())}})}));
  return out;
}

/// iDRAC10: boot can be written here and nowhere else. XCC: the boot order.
std::optional<Json> system_settings(Call& call) {
  if (!is_system(call) || !order_in_settings(call.quirks())) return std::nullopt;
  const bool all = call.quirks().has(Quirk::BootOnlyInSettings);
  Json out = document(call.path, "#ComputerSystem.v1_20_0.ComputerSystem", "Settings", "System Settings");
  out.set("Boot", boot_document(call, all ? BootView::Next : BootView::NextOrderOnly));
  return out;
}

Response patch_system_settings(Call& call) {
  for (const auto& [name, value] : call.body.members()) {
    if (name != kApplyTime && name != "Boot") return call.refuse(400, "PropertyUnknown", {name}, name);
    if (name != kApplyTime) continue;
    if (auto refusal = refuse_apply_time(call, value)) return std::move(*refusal);
  }
  if (const Json* boot = call.body.find("Boot")) {
    if (auto refusal = write_boot(call, *boot, BootWrite::Settings)) return std::move(*refusal);
  }
  return with_document(call, system_settings);
}

std::optional<Response> write_property(Call& call, const std::string& name, const Json& value) {
  Machine& machine = call.machine;
  if (name == "Boot") {
    if (call.quirks().has(Quirk::BootOnlyInSettings)) return call.refuse(400, "PropertyNotWritable", {"Boot"}, "Boot");
    return write_boot(call, value, BootWrite::Direct);
  }
  if (name == "AssetTag") {
    const auto text = value.as_string();
    if (!text) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    machine.identity.asset_tag = base::printable(*text, 64);
    return std::nullopt;
  }
  if (name == "LocationIndicatorActive") {
    const auto on = value.as_bool();
    if (!on) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    machine.identify = *on;
    return std::nullopt;
  }
  if (name == "PowerRestorePolicy") {
    constexpr std::string_view kPolicies[] = {"AlwaysOff", "LastState", "AlwaysOn"};
    const auto found = std::find(std::begin(kPolicies), std::end(kPolicies), value.as_string().value_or(""));
    if (found == std::end(kPolicies)) return call.refuse(400, "PropertyValueNotInList", {value.text(), name}, name);
    machine.restore_policy = static_cast<std::uint8_t>(found - std::begin(kPolicies));
    return std::nullopt;
  }
  const auto present = system(call);
  const bool known = present && present->find(name) != nullptr;
  return call.refuse(400, known ? "PropertyNotWritable" : "PropertyUnknown", {name}, name);
}

Response patch_system(Call& call) {
  if (call.quirks().has(Quirk::NoWritesDuringPost) && call.machine.phase() == HostPhase::Post) {
    return call.refuse(400, "iLO.2.14.UnableToModifyDuringSystemPOST");
  }
  if (call.body.size() == 0) return call.refuse(400, "UnrecognizedRequestBody");
  for (const auto& [name, value] : call.body.members()) {
    if (auto refusal = write_property(call, name, value)) return std::move(*refusal);
  }
  return with_document(call, system);
}

std::optional<PowerRequest> parse_reset(std::string_view type) {
  using enum PowerRequest;
  for (const auto request :
       {On, ForceOff, GracefulShutdown, ForceRestart, GracefulRestart, PowerCycle, Nmi, PushPowerButton}) {
    if (to_string(request) == type) return request;
  }
  return type == "ForceOn" ? std::optional(On) : std::nullopt;
}

std::optional<Response> refuse_reset(Call& call, PowerRequest request, std::string_view type) {
  const Machine& machine = call.machine;
  const auto recently = [&](const std::optional<MonoTime>& when, std::chrono::seconds span) {
    return when && machine.now() - *when < span;
  };
  if (call.quirks().has(Quirk::InvalidStateAfterChange) && recently(call.service.power_changed, kIloSettles)) {
    return call.refuse(400, "iLO.2.14.InvalidOperationForSystemState");
  }
  if (call.quirks().has(Quirk::OnConflictAfterOff) && request == PowerRequest::On &&
      recently(call.service.went_off, kIdracSettles)) {
    return call.refuse(409, "ActionParameterValueConflict", {"ResetType", type}, "ResetType");
  }
  const bool on = machine.has_power() || machine.power() == Power::PoweringOn;
  const bool already =
      (request == PowerRequest::On && on) || (request == PowerRequest::ForceOff && machine.power() == Power::Off);
  if (call.quirks().has(Quirk::RefusesWhenAlreadySo) && already) {
    return call.refuse(409, "ActionParameterValueConflict", {"ResetType", type}, "ResetType");
  }
  return std::nullopt;
}

Response reset(Call& call) {
  if (!is_system(call)) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  const Json* wanted = call.body.find("ResetType");
  if (wanted == nullptr) return call.refuse(400, "ActionParameterMissing", {"Reset", "ResetType"}, "ResetType");
  const auto type = wanted->as_string();
  if (!type)
    return call.refuse(400, "ActionParameterValueTypeError", {wanted->text(), "ResetType", "Reset"}, "ResetType");
  const auto allowed = reset_types(call.quirks());
  const auto request = parse_reset(*type);
  if (!request || std::find(allowed.begin(), allowed.end(), *type) == allowed.end()) {
    return call.refuse(400, "ActionParameterValueNotInList", {*type, "ResetType", "Reset"}, "ResetType");
  }
  if (auto refusal = refuse_reset(call, *request, *type)) return std::move(*refusal);
  if (*request == PowerRequest::PowerCycle && call.quirks().has(Quirk::PowerCycleIgnored)) return no_content();
  const auto answer = call.machine.request_power(*request, Source::Redfish);
  if (answer == PowerAnswer::WrongState) return call.refuse(409, "ResourceInStandby");
  if (answer == PowerAnswer::Accepted) {
    call.service.power_changed = call.machine.now();
    if (*request == PowerRequest::ForceOff) call.service.went_off = call.machine.now();
  }
  return no_content();
}

constexpr Route kRoutes[] = {
    {.pattern = "/redfish/v1/Systems/{}", .get = system, .patch = patch_system},
    {.pattern = "/redfish/v1/Systems/{}/Actions/ComputerSystem.Reset", .post = reset},
    {.pattern = "/redfish/v1/Systems", .get = systems},
    {.pattern = "/redfish/v1/Systems/{}/ResetActionInfo", .get = reset_action_info},
    {.pattern = "/redfish/v1/Systems/{}/Settings", .get = system_settings, .patch = patch_system_settings},
};

}  // namespace

std::span<const Route> system_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
