#include "drivers/redfish/boot_document.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr std::string_view kTarget = "BootSourceOverrideTarget";
constexpr std::string_view kEnabled = "BootSourceOverrideEnabled";
constexpr std::string_view kMode = "BootSourceOverrideMode";
constexpr std::string_view kUri = "HttpBootUri";

struct Word {
  BootDevice device;
  std::string_view text;
};
/// The first word of a device is the usual one; Supermicro calls its virtual CD UsbCd.
constexpr std::array kWords = {
    Word{BootDevice::Default, "None"}, Word{BootDevice::Pxe, "Pxe"},      Word{BootDevice::Http, "UefiHttp"},
    Word{BootDevice::Disk, "Hdd"},     Word{BootDevice::Cd, "Cd"},        Word{BootDevice::Cd, "UsbCd"},
    Word{BootDevice::Cd, "UefiCd"},    Word{BootDevice::Cd, "UefiUsbCd"}, Word{BootDevice::Setup, "BiosSetup"},
};

std::vector<std::string> words_of(const Json& json) {
  std::vector<std::string> out;
  for (const auto& item : json.items()) {
    if (const auto text = item.as_string(); text && out.size() < 64) out.emplace_back(text->substr(0, 100));
  }
  return out;
}

std::optional<std::string> text_of(const Json& boot, std::string_view key) {
  const Json* found = boot.find(key);
  if (found == nullptr) return std::nullopt;
  return std::string(found->as_string().value_or("").substr(0, 2048));  // null reads as ""
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& item) { return item == text; });
}

const std::optional<std::string>& first(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  return a ? a : b;
}

Result<std::string_view> word_for(BootDevice device, const std::vector<std::string>& allowable) {
  for (const auto& word : kWords) {
    if (word.device == device && (allowable.empty() || device == BootDevice::Default || contains(allowable, word.text)))
      return word.text;
  }
  return Error{Code::Unsupported, fmt::format("the BMC does not offer to boot from {}", to_string(device))};
}

/// Adds a property to the resource that has it: a settings resource may have all of
/// them, or only the boot order.
void place(BootChange& change, std::string_view key, std::string value, bool in_settings) {
  (in_settings ? change.for_settings : change.for_system).set(std::string(key), std::move(value));
}

}  // namespace

BootProperties read_boot(const Json& resource) {
  const Json& boot = resource["Boot"];
  return {.target = text_of(boot, kTarget),
          .enabled = text_of(boot, kEnabled),
          .mode = text_of(boot, kMode),
          .http_uri = text_of(boot, kUri),
          .targets = words_of(boot["BootSourceOverrideTarget@Redfish.AllowableValues"]),
          .enableds = words_of(boot["BootSourceOverrideEnabled@Redfish.AllowableValues"])};
}

std::string read_settings_link(const Json& resource) {
  return std::string(resource["@Redfish.Settings"]["SettingsObject"]["@odata.id"].as_string().value_or(""));
}

Result<BootOverride> shown_override(const BootProperties& system, const BootProperties& settings) {
  const auto& target = first(settings.target, system.target);
  if (!target) return Error{Code::Unsupported, "the BMC offers no boot override"};
  const std::string enabled = first(settings.enabled, system.enabled).value_or("Once");
  BootOverride out;
  if (const auto mode = first(settings.mode, system.mode).value_or(""); !mode.empty())
    out.mode = base::equals_ignoring_case(mode, "UEFI") ? BootMode::Uefi : BootMode::Bios;
  if (base::equals_ignoring_case(enabled, "Disabled") || target->empty()) return out;
  const auto* word = std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return w.text == *target; });
  if (word == kWords.end())
    return Error{Code::Unsupported, "the BMC is to boot from '" + base::printable(*target, 60) + "'"};
  out.device = word->device;
  out.times = base::equals_ignoring_case(enabled, "Continuous") ? BootTimes::Always : BootTimes::Once;
  if (out.device == BootDevice::Http) out.http_uri = first(settings.http_uri, system.http_uri).value_or("");
  return out;
}

Result<BootChange> boot_change(const BootOverride& wanted, const BootProperties& system, const BootProperties& settings,
                               Send send, ModeToo mode_too) {
  const auto& targets = settings.targets.empty() ? system.targets : settings.targets;
  const auto& enableds = settings.enableds.empty() ? system.enableds : settings.enableds;
  const auto target = word_for(wanted.device, targets);
  if (!target) return target.error();
  const bool off = wanted.device == BootDevice::Default;
  const std::string_view enabled = off ? "Disabled" : wanted.times == BootTimes::Once ? "Once" : "Continuous";
  if (!off && !enableds.empty() && !contains(enableds, enabled))
    return Error{Code::Unsupported, fmt::format("the BMC does not offer overrides of the kind '{}'", enabled)};

  BootChange change;
  const auto add = [&](std::string_view key, const std::optional<std::string>& pending,
                       const std::optional<std::string>& now, std::string_view value) {
    if (send == Send::Changed && first(pending, now) == value) return;
    place(change, key, std::string(value), pending.has_value());
  };
  add(kTarget, settings.target, system.target, *target);
  add(kEnabled, settings.enabled, system.enabled, enabled);
  const auto shown_mode = first(settings.mode, system.mode);
  const auto wanted_mode = !wanted.mode                     ? shown_mode.value_or("")
                           : *wanted.mode == BootMode::Uefi ? std::string("UEFI")
                                                            : std::string("Legacy");
  if (mode_too == ModeToo::Yes && shown_mode && !wanted_mode.empty())
    add(kMode, settings.mode, system.mode, wanted_mode);
  // A left-over address would be fetched by the next HTTP boot.
  if (const auto shown = first(settings.http_uri, system.http_uri);
      (wanted.device == BootDevice::Http && shown.value_or("") != wanted.http_uri))
    place(change, kUri, wanted.http_uri, settings.http_uri.has_value());
  return change;
}

}  // namespace nimbus::redfish
