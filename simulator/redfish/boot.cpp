#include "simulator/redfish/boot.hpp"

namespace nimbus::simulator::redfish {
namespace {

struct Target {
  std::string_view text;
  BootDevice device;
};
constexpr Target kTargets[] = {
    {"None", BootDevice::None},         {"Pxe", BootDevice::Pxe},
    {"Hdd", BootDevice::Disk},          {"Cd", BootDevice::Cd},
    {"Usb", BootDevice::Usb},           {"Floppy", BootDevice::Floppy},
    {"BiosSetup", BootDevice::Setup},   {"Diags", BootDevice::Diagnostics},
    {"UefiHttp", BootDevice::UefiHttp}, {"UefiTarget", BootDevice::UefiTarget},
};

bool offered(const Target& target, const Quirks& quirks) {
  return target.device != BootDevice::UefiHttp || !quirks.has(Quirk::NoUefiHttp);
}

std::string_view target_text(BootDevice device, const Quirks& quirks) {
  if (device == BootDevice::RemoteCd) device = BootDevice::Cd;
  if (device == BootDevice::Cd && quirks.has(Quirk::RevertsToOnce)) return "UsbCd";  // Supermicro's name for it
  for (const auto& target : kTargets) {
    if (target.device == device) return target.text;
  }
  return "None";
}

std::optional<BootDevice> parse_target(std::string_view text, const Quirks& quirks) {
  if (text == "UsbCd" && quirks.has(Quirk::RevertsToOnce)) return BootDevice::Cd;
  for (const auto& target : kTargets) {
    if (target.text == text && offered(target, quirks)) return target.device;
  }
  return std::nullopt;
}

std::string_view enabled_text(BootEnabled enabled) {
  switch (enabled) {
    case BootEnabled::Disabled:
      return "Disabled";
    case BootEnabled::Once:
      return "Once";
    case BootEnabled::Continuous:
      return "Continuous";
  }
  return "Disabled";
}

std::optional<Response> parse_enabled(const Call& call, const Json& value, BootOverride& wanted) {
  const auto text = value.as_string().value_or("");
  if (text == "Disabled") {
    wanted.enabled = BootEnabled::Disabled;
  } else if (text == "Once") {
    wanted.enabled = BootEnabled::Once;
  } else if (text == "Continuous" && !call.quirks().has(Quirk::NoContinuous)) {
    wanted.enabled = BootEnabled::Continuous;
  } else {
    return call.refuse(400, "PropertyValueNotInList", {value.text(), "BootSourceOverrideEnabled"},
                       "Boot/BootSourceOverrideEnabled");
  }
  if (call.quirks().has(Quirk::UnchangedEnabledRefused) && wanted.enabled == call.machine.boot_override().enabled) {
    return call.refuse(400, "PropertyValueConflict", {"BootSourceOverrideEnabled", "BootSourceOverrideEnabled"},
                       "Boot/BootSourceOverrideEnabled");
  }
  return std::nullopt;
}

std::optional<Response> parse_property(const Call& call, const std::string& name, const Json& value,
                                       BootOverride& wanted) {
  const std::string property = "Boot/" + name;
  const auto text = value.as_string();
  if (name == "BootSourceOverrideEnabled") return parse_enabled(call, value, wanted);
  if (name == "BootSourceOverrideTarget") {
    const auto device = parse_target(text.value_or(""), call.quirks());
    if (!device) return call.refuse(400, "PropertyValueNotInList", {value.text(), name}, property);
    wanted.device = *device;
    return std::nullopt;
  }
  if (name == "BootSourceOverrideMode") {
    if (call.quirks().has(Quirk::ModeNotWritable)) return call.refuse(400, "PropertyNotWritable", {name}, property);
    if (text != "UEFI" && text != "Legacy")
      return call.refuse(400, "PropertyValueNotInList", {value.text(), name}, property);
    wanted.mode = text == "UEFI" ? BootMode::Uefi : BootMode::Legacy;
    return std::nullopt;
  }
  if (name == "HttpBootUri" || name == "UefiTargetBootSourceOverride") {
    if (!text && !value.is_null()) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, property);
    (name == "HttpBootUri" ? wanted.http_uri : wanted.uefi_target) = text.value_or("");
    return std::nullopt;
  }
  return call.refuse(400, "PropertyUnknown", {name}, property);
}

/// What a service makes of the parts that were not sent.
void complete(const Call& call, const Json& boot, BootOverride& wanted) {
  const bool has_target = boot.find("BootSourceOverrideTarget") != nullptr;
  const bool has_enabled = boot.find("BootSourceOverrideEnabled") != nullptr;
  if (has_target && !has_enabled) {
    if (wanted.device == BootDevice::None) {
      wanted.enabled = BootEnabled::Disabled;
    } else if (wanted.enabled == BootEnabled::Disabled || call.quirks().has(Quirk::RevertsToOnce)) {
      wanted.enabled = BootEnabled::Once;
    }
  }
  if (wanted.enabled == BootEnabled::Disabled) wanted.device = BootDevice::None;
  const bool only_device = has_target && boot.find("BootSourceOverrideMode") == nullptr;
  if (only_device && call.quirks().has(Quirk::ModeFallsToLegacy)) wanted.mode = BootMode::Legacy;
  wanted.ipmi_rest = {};
}

Json override_document(const Call& call) {
  const BootOverride& override = call.machine.boot_override();
  Json out = Json::object();
  const bool active = override.enabled != BootEnabled::Disabled;
  out.set("BootSourceOverrideEnabled", enabled_text(override.enabled));
  out.set("BootSourceOverrideTarget", target_text(active ? override.device : BootDevice::None, call.quirks()));
  out.set("BootSourceOverrideMode", override.mode == BootMode::Uefi ? "UEFI" : "Legacy");
  Json targets = Json::array();
  for (const auto& target : kTargets) {
    if (offered(target, call.quirks())) targets.push(target_text(target.device, call.quirks()));
  }
  out.set("BootSourceOverrideTarget@Redfish.AllowableValues", std::move(targets));
  Json enabled = strings({"Disabled", "Once"});
  if (!call.quirks().has(Quirk::NoContinuous)) enabled.push("Continuous");
  out.set("BootSourceOverrideEnabled@Redfish.AllowableValues", std::move(enabled));
  out.set("BootSourceOverrideMode@Redfish.AllowableValues", strings({"UEFI", "Legacy"}));
  if (!call.quirks().has(Quirk::NoUefiHttp))
    out.set("HttpBootUri", override.http_uri.empty() ? Json() : Json(override.http_uri));
  out.set("UefiTargetBootSourceOverride", override.uefi_target.empty() ? Json() : Json(override.uefi_target));
  return out;
}

/// Whether `name` may be written here at all.
std::optional<Response> refuse_place(const Call& call, const std::string& name, BootWrite where) {
  const std::string property = "Boot/" + name;
  if (name == "BootOptions") return call.refuse(400, "PropertyNotWritable", {name}, property);
  if (where == BootWrite::Direct && name == "BootOrder" && order_in_settings(call.quirks()))
    return call.refuse(400, "PropertyNotWritable", {name}, property);
  if (where == BootWrite::Settings && name != "BootOrder" && !call.quirks().has(Quirk::BootOnlyInSettings))
    return call.refuse(400, "PropertyUnknown", {name}, property);
  return std::nullopt;
}

std::optional<Response> refuse_override(const Call& call, const Json& boot, const BootOverride& wanted) {
  if (call.quirks().has(Quirk::FullBootRequired)) {
    for (const char* name : {"BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode"}) {
      if (boot.find(name) == nullptr) return call.refuse(400, "PropertyMissing", {name}, std::string("Boot/") + name);
    }
  }
  if (wanted.device == BootDevice::UefiHttp && wanted.mode == BootMode::Legacy &&
      wanted.enabled != BootEnabled::Disabled) {
    return call.refuse(400, "PropertyValueConflict", {"BootSourceOverrideTarget", "BootSourceOverrideMode"},
                       "Boot/BootSourceOverrideTarget");
  }
  return std::nullopt;
}

void arm(Call& call, const Json& boot, BootOverride wanted) {
  complete(call, boot, wanted);
  if (call.quirks().has(Quirk::BootChangeIgnored)) {
    call.machine.record(Source::Redfish, "boot-override", "ignored", "quirk");
    wanted.enabled = BootEnabled::Disabled;
    wanted.device = BootDevice::None;
    wanted.mode = BootMode::Legacy;
  }
  call.machine.set_boot_override(std::move(wanted), Source::Redfish);
}

}  // namespace

bool order_in_settings(const Quirks& quirks) {
  return quirks.has(Quirk::BootOnlyInSettings) || quirks.has(Quirk::BootOrderInSettings);
}

Json boot_document(const Call& call, BootView view) {
  const bool with_override = view == BootView::Now || view == BootView::Next;
  const bool now = view == BootView::Now || view == BootView::NowWithoutOverride;
  Json out = with_override ? override_document(call) : Json::object();
  out.set("BootOptions", link(call.service.system + "/BootOptions"));
  out.set("BootOrder", boot_order_json(now ? call.machine.boot_order() : call.machine.next_boot_order()));
  return out;
}

std::optional<Response> write_boot(Call& call, const Json& boot, BootWrite where) {
  if (!boot.is_object()) return call.refuse(400, "PropertyValueTypeError", {boot.text(), "Boot"}, "Boot");
  BootOverride wanted = call.machine.boot_override();
  BootOrder order;
  for (const auto& [name, value] : boot.members()) {
    if (auto refusal = refuse_place(call, name, where)) return refusal;
    auto refusal =
        name == "BootOrder" ? parse_boot_order(call, value, order) : parse_property(call, name, value, wanted);
    if (refusal) return refusal;
  }
  // What some want together is about the override: an order alone is complete.
  const bool order_alone = !order.empty() && boot.size() == 1;
  if (!order_alone) {
    if (auto refusal = refuse_override(call, boot, wanted)) return refusal;
    arm(call, boot, std::move(wanted));
  }
  if (!order.empty()) {
    if (where == BootWrite::Settings) {
      call.machine.stage_boot_order(std::move(order), Source::Redfish);
    } else {
      call.machine.set_boot_order(std::move(order), Source::Redfish);
    }
  }
  return std::nullopt;
}

}  // namespace nimbus::simulator::redfish
