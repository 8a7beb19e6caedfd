#include "drivers/redfish/settings.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text/text.hpp"
#include "drivers/redfish/boot_document.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/patch.hpp"
#include "drivers/redfish/tasks.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

Error without_bios() { return {Code::Unsupported, "the BMC offers no BIOS settings"}; }

/// What the BMC says to a write of settings that it does not take.
Error refusal_of(const base::ClientResponse& response) {
  const auto body = parse_error_body(response.body);
  Error error = refusal(response, body);
  if (body.has("OemLicenseNotPassed") || body.says("license")) error.code = Code::Unsupported;
  if (body.has("UnableToModifyDuringSystemPOST")) error.code = Code::Busy;
  return error;
}

bool is_all_set(const BiosState& state, const BiosAttributes& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& attribute) {
    const auto pending = state.pending.find(attribute.first);
    if (pending != state.pending.end()) return pending->second == attribute.second;
    const auto current = state.current.find(attribute.first);
    return current != state.current.end() && current->second == attribute.second;
  });
}

}  // namespace

BiosResource read_bios(const Json& json) {
  const auto times = texts_of(json["@Redfish.Settings"]["SupportedApplyTimes"]);
  return {.link = {},
          .etag = {},
          .settings = read_settings_link(json),
          .applies_on_reset = std::find(times.begin(), times.end(), "OnReset") != times.end(),
          .attributes = json["Attributes"]};
}

std::string attribute_text(const Json& value) {
  if (const auto text = value.as_string()) return std::string(*text);
  if (const auto on = value.as_bool()) return *on ? "true" : "false";
  if (const auto number = value.as_int()) return std::to_string(*number);
  if (const auto number = value.as_double()) return fmt::format("{}", *number);
  return "";
}

Result<Json> attribute_value(const std::string& name, const std::string& text, const Json& like) {
  const auto refuse = [&](std::string_view what) {
    return Error{Code::Invalid, fmt::format("BIOS attribute {} takes {}, not '{}'", base::printable(name, 100), what,
                                            base::printable(text, 100))};
  };
  if (like.as_bool()) {
    if (text == "true") return Json(true);
    if (text == "false") return Json(false);
    return refuse("true or false");
  }
  if (like.kind() == Json::Kind::Int || like.kind() == Json::Kind::Double) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return refuse("a whole number");
    return Json(static_cast<long long>(number));
  }
  return Json(text);
}

BiosState SettingsControl::View::state() const {
  BiosState out;
  for (const auto& [name, value] : current.attributes.members()) out.current[name] = attribute_text(value);
  if (!pending) return out;
  for (const auto& [name, value] : pending->attributes.members()) {
    const std::string text = attribute_text(value);
    const auto now = out.current.find(name);
    if (now == out.current.end() || now->second != text) out.pending[name] = text;
  }
  return out;
}

const Json* SettingsControl::View::next(const std::string& name) const {
  const Json* now = current.attributes.find(name);
  if (!pending) return now;
  const Json* later = pending->attributes.find(name);
  return later != nullptr ? later : now;
}

Result<BiosResource> SettingsControl::read_resource(const std::string& link, const Call& call) {
  const auto answer = machine_.session().get(link, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading BIOS settings");
  auto out = read_bios(*json);
  out.link = link;
  out.etag = etag_of(*answer);
  return out;
}

Result<SettingsControl::View> SettingsControl::read_view(const Call& call) {
  const auto system = machine_.read(call);
  if (!system) return system.error();
  const std::string link = (*system)->bios;
  if (link.empty()) return without_bios();
  auto current = read_resource(link, call);
  if (!current) {
    const Code code = current.error().code;
    return code == Code::NotFound || code == Code::Unsupported ? without_bios() : current.error();
  }
  if (!current->attributes.is_object() && current->settings.empty()) return without_bios();
  View out{.current = std::move(*current), .pending = {}};
  if (out.current.settings.empty() || out.current.settings == link) return out;
  auto pending = read_resource(out.current.settings, call);
  if (pending) {
    out.pending = std::move(*pending);
  } else if (pending.error().code != Code::NotFound) {
    return std::move(pending.error());
  }
  return out;
}

Result<BiosState> SettingsControl::bios(const Call& call) {
  const auto view = read_view(call);
  if (!view) return view.error();
  return view->state();
}

Result<std::optional<base::ClientResponse>> SettingsControl::send(const View& view, const Json& attributes,
                                                                  ApplyTime apply_time, const Call& call) {
  const BiosResource& to = view.pending ? *view.pending : view.current;
  Json body = Json::object({{"Attributes", attributes}});
  if (apply_time == ApplyTime::Sent)
    body.set("@Redfish.SettingsApplyTime",
             Json::object({{"@odata.type", "#Settings.v1_1_0.PreferredApplyTime"}, {"ApplyTime", "OnReset"}}));
  const auto unchanged = [&]() -> Result<bool> {
    const auto now = read_resource(to.link, call);
    if (!now) return now.error();
    return now->attributes == to.attributes;
  };
  return patch_resource(machine_, {.link = to.link, .etag = to.etag, .body = body.text()}, unchanged, call);
}

Result<WriteOutcome> SettingsControl::stage_bios(const BiosAttributes& wanted, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const auto view = read_view(call);
  if (!view) return view.error();
  Json changes = Json::object();
  for (const auto& [name, text] : wanted) {
    const Json* next = view->next(name);
    if (next == nullptr)
      return Error{Code::Invalid, "the BMC has no BIOS attribute '" + base::printable(name, 100) + "'"};
    if (attribute_text(*next) == text) continue;
    auto value = attribute_value(name, text, *next);
    if (!value) return std::move(value.error());
    changes.set(name, std::move(*value));
  }
  if (changes.size() == 0) return WriteOutcome::AlreadySo;
  auto apply_time = view->current.applies_on_reset ? ApplyTime::Sent : ApplyTime::NotSent;
  for (int round = 0;; ++round) {
    const auto answer = send(*view, changes, apply_time, call);
    if (!answer) return Error(answer.error()).with("while staging BIOS settings");
    if (!*answer) return WriteOutcome::Unknown;
    const auto& response = **answer;
    if (!is_success(response.status)) {
      const auto body = parse_error_body(response.body);
      const bool about_time = body.says("settingsapplytime") || body.names("@redfish.settingsapplytime");
      if (round == 0 && about_time && response.status == 400) {
        apply_time = apply_time == ApplyTime::Sent ? ApplyTime::NotSent : ApplyTime::Sent;
        continue;
      }
      return refusal_of(response).with("while staging BIOS settings");
    }
    const auto shows = [&]() -> Result<bool> {
      const auto now = read_view(call);
      if (!now) return now.error();
      return is_all_set(now->state(), wanted);
    };
    return outcome_of_write(machine_, response, "the BIOS settings", shows, call);
  }
}

Result<SettingsControl::SecureBoot> SettingsControl::read_secure_boot(const Call& call) {
  const Error without{Code::Unsupported, "the BMC does not offer secure boot"};
  const auto system = machine_.read(call);
  if (!system) return system.error();
  const std::string link = (*system)->secure_boot;
  if (link.empty()) return without;
  const auto answer = machine_.session().get(link, call);
  if (!answer) {
    const Code code = answer.error().code;
    return code == Code::NotFound || code == Code::Unsupported ? without : answer.error();
  }
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading secure boot");
  const auto next = (*json)["SecureBootEnable"].as_bool();
  if (!next) return without;
  SecureBoot out{.link = link, .etag = etag_of(*answer), .state = {.enabled_now = *next, .enabled_next = *next}};
  const std::string now = text_of((*json)["SecureBootCurrentBoot"]);
  if (!now.empty()) out.state.enabled_now = now == "Enabled";
  return out;
}

Result<SecureBootState> SettingsControl::secure_boot(const Call& call) {
  const auto shown = read_secure_boot(call);
  if (!shown) return shown.error();
  return shown->state;
}

Result<WriteOutcome> SettingsControl::set_secure_boot(bool enabled, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const auto shown = read_secure_boot(call);
  if (!shown) return shown.error();
  if (shown->state.enabled_next == enabled) return WriteOutcome::AlreadySo;
  const auto unchanged = [&]() -> Result<bool> {
    const auto now = read_secure_boot(call);
    if (!now) return now.error();
    return now->state == shown->state;
  };
  const auto answer = patch_resource(
      machine_,
      {.link = shown->link, .etag = shown->etag, .body = Json::object({{"SecureBootEnable", enabled}}).text()},
      unchanged, call);
  if (!answer) return Error(answer.error()).with("while setting secure boot");
  if (!*answer) return WriteOutcome::Unknown;
  if (!is_success((*answer)->status)) return refusal_of(**answer).with("while setting secure boot");
  return WriteOutcome::Accepted;  // some show it after the next start only
}

}  // namespace nimbus::redfish
