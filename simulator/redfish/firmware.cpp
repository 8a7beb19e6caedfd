// Bios with its settings object, SecureBoot (DSP2046, Bios and SecureBoot).
#include <fmt/format.h>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

std::string bios_path(const Call& call) { return call.service.system + "/Bios"; }

Json to_json(const AttributeValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

std::optional<Json> bios(Call& call) {
  if (!is_system(call)) return std::nullopt;
  Json attributes = Json::object();
  for (const auto& attribute : call.machine.hardware().attributes)
    attributes.set(attribute.name, to_json(call.machine.settings.current(attribute)));
  const std::string path = bios_path(call);
  Json out = document(path, "#Bios.v1_2_1.Bios", "Bios", "BIOS Configuration");
  out.set("AttributeRegistry", "BiosAttributeRegistry.v1_0_0");
  out.set("Attributes", std::move(attributes));
  out.set("@Redfish.Settings", settings_annotation(call, path + "/Settings"));
  out.set("Actions", Json::object({{"#Bios.ResetBios", Json::object({{"target", path + "/Actions/Bios.ResetBios"}})}}));
  return out;
}

std::optional<Json> bios_settings(Call& call) {
  if (!is_system(call)) return std::nullopt;
  Json attributes = Json::object();
  const auto& pending = call.machine.settings.pending();
  for (const auto& attribute : call.machine.hardware().attributes) {
    const auto staged = pending.find(attribute.name);
    if (staged != pending.end()) {
      attributes.set(attribute.name, to_json(staged->second));
    } else if (call.quirks().has(Quirk::PendingShowsAll) && !attribute.read_only) {
      attributes.set(attribute.name, to_json(call.machine.settings.current(attribute)));
    }
  }
  Json out = document(bios_path(call) + "/Settings", "#Bios.v1_2_1.Bios", "Settings", "BIOS Pending Settings");
  out.set("AttributeRegistry", "BiosAttributeRegistry.v1_0_0");
  out.set("Attributes", std::move(attributes));
  return out;
}

std::optional<AttributeMap> parse_attributes(const Json& attributes) {
  AttributeMap out;
  for (const auto& [name, value] : attributes.members()) {
    if (const auto text = value.as_string()) {
      out[name] = std::string(*text);
    } else if (const auto on = value.as_bool()) {
      out[name] = *on;
    } else if (const auto number = value.as_int()) {
      out[name] = *number;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

Response refuse_attribute(const Call& call, const Error& fault, const Json& attributes) {
  const std::string property = "Attributes/" + fault.message;
  if (fault.code == Code::NotFound) return call.refuse(400, "PropertyUnknown", {fault.message}, property);
  if (fault.code == Code::Unsupported) return call.refuse(400, "PropertyNotWritable", {fault.message}, property);
  return call.refuse(400, "PropertyValueNotInList", {attributes[fault.message].text(), fault.message}, property);
}

Response patch_bios_settings(Call& call) {
  bool has_apply_time = false;
  const Json* attributes = nullptr;
  for (const auto& [name, value] : call.body.members()) {
    if (name == kApplyTime) {
      if (auto refusal = refuse_apply_time(call, value)) return std::move(*refusal);
      has_apply_time = true;
    } else if (name == "Attributes" && value.is_object()) {
      attributes = &value;
    } else {
      return call.refuse(400, name == "Attributes" ? "PropertyValueTypeError" : "PropertyUnknown", {name, name}, name);
    }
  }
  if (attributes == nullptr) return call.refuse(400, "PropertyMissing", {"Attributes"}, "Attributes");
  const auto wanted = parse_attributes(*attributes);
  if (!wanted) return call.refuse(400, "PropertyValueTypeError", {attributes->text(), "Attributes"}, "Attributes");
  if (call.quirks().has(Quirk::ApplyTimeRequired) && !has_apply_time) {
    // Checked and answered like the others, but no job is made: nothing ever applies it.
    call.machine.record(Source::Redfish, "bios-settings", "staged without a job", "quirk");
    return with_document(call, bios_settings);
  }
  if (const auto staged = call.machine.settings.stage(*wanted); !staged)
    return refuse_attribute(call, staged.error(), *attributes);
  return with_document(call, bios_settings);
}

Response reset_bios(Call& call) {
  if (!is_system(call)) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  if (call.quirks().has(Quirk::ResetBiosNeedsBody) && call.request.body.empty())
    return call.refuse(415, "UnrecognizedRequestBody");
  call.machine.settings.stage_defaults();
  return no_content();
}

std::optional<Json> secure_boot(Call& call) {
  if (!is_system(call)) return std::nullopt;
  const auto& settings = call.machine.settings;
  Json out =
      document(call.service.system + "/SecureBoot", "#SecureBoot.v1_1_1.SecureBoot", "SecureBoot", "UEFI Secure Boot");
  out.set("SecureBootEnable", settings.secure_boot_wanted());
  out.set("SecureBootCurrentBoot", settings.secure_boot() ? "Enabled" : "Disabled");
  out.set("SecureBootMode", "UserMode");
  Json reset = Json::object(
      {{"target", call.service.system + "/SecureBoot/Actions/SecureBoot.ResetKeys"},
       {"ResetKeysType@Redfish.AllowableValues", strings({"ResetAllKeysToDefault", "DeleteAllKeys", "DeletePK"})}});
  out.set("Actions", Json::object({{"#SecureBoot.ResetKeys", std::move(reset)}}));
  return out;
}

Response patch_secure_boot(Call& call) {
  if (call.quirks().has(Quirk::SecureBootNeedsLicense)) return call.refuse(403, "SMC.1.0.OemLicenseNotPassed");
  for (const auto& [name, value] : call.body.members()) {
    if (name != "SecureBootEnable") return call.refuse(400, "PropertyNotWritable", {name}, name);
    const auto on = value.as_bool();
    if (!on) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    call.machine.settings.want_secure_boot(*on);
  }
  return with_document(call, secure_boot);
}

Response reset_keys(Call& call) {
  if (!is_system(call)) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  const auto type = call.body["ResetKeysType"].as_string();
  if (!type) return call.refuse(400, "ActionParameterMissing", {"ResetKeys", "ResetKeysType"}, "ResetKeysType");
  if (*type != "ResetAllKeysToDefault" && *type != "DeleteAllKeys" && *type != "DeletePK") {
    return call.refuse(400, "ActionParameterValueNotInList", {*type, "ResetKeysType", "ResetKeys"}, "ResetKeysType");
  }
  if (*type != "ResetAllKeysToDefault") call.machine.settings.want_secure_boot(false);  // setup mode enforces nothing
  return no_content();
}

constexpr Route kRoutes[] = {
    {.pattern = "/redfish/v1/Systems/{}/Bios", .get = bios},
    {.pattern = "/redfish/v1/Systems/{}/Bios/Settings", .get = bios_settings, .patch = patch_bios_settings},
    {.pattern = "/redfish/v1/Systems/{}/Bios/Actions/Bios.ResetBios", .post = reset_bios},
    {.pattern = "/redfish/v1/Systems/{}/SecureBoot", .get = secure_boot, .patch = patch_secure_boot},
    {.pattern = "/redfish/v1/Systems/{}/SecureBoot/Actions/SecureBoot.ResetKeys", .post = reset_keys},
};

}  // namespace

std::span<const Route> firmware_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
