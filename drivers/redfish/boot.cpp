#include "drivers/redfish/boot.hpp"

#include "base/json/json.hpp"
#include "drivers/redfish/documents.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/patch.hpp"

namespace nimbus::redfish {
namespace {

constexpr int kMostRounds = 3;

bool is_armed(const BootOverride& shown, const BootOverride& wanted) noexcept { return shown.device == wanted.device; }

bool is_as_wanted(const BootOverride& shown, const BootOverride& wanted) noexcept {
  return shown.device == wanted.device && (wanted.device == BootDevice::Default || shown.times == wanted.times) &&
         (!wanted.mode || !shown.mode || shown.mode == wanted.mode) &&
         (wanted.device != BootDevice::Http || shown.http_uri == wanted.http_uri);
}

}  // namespace

Result<BootControl::Resource> BootControl::read_resource(const std::string& link, std::string* settings,
                                                         const Call& call) {
  const auto answer = machine_.session().get(link, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading the boot override");
  if (settings != nullptr) *settings = read_settings_link(*json);
  return Resource{.link = link, .etag = etag_of(*answer), .boot = read_boot(*json)};
}

Result<BootControl::View> BootControl::read(const Call& call) {
  std::string settings;
  auto system = read_resource(system_, &settings, call);
  if (!system) return std::move(system.error());
  View view{.system = std::move(*system), .settings = {}};
  if (settings.empty() || settings == system_) return view;
  auto pending = read_resource(settings, nullptr, call);
  if (pending) {
    view.settings = std::move(*pending);
  } else if (pending.error().code != Code::NotFound) {
    return std::move(pending.error());
  }
  return view;
}

Result<BootOverride> BootControl::shown(const Call& call) {
  const auto view = read(call);
  if (!view) return view.error();
  return shown_override(view->system.boot, view->settings.boot);
}

Result<BootControl::Patched> BootControl::patch(const Resource& resource, const base::Json& boot, const Call& call) {
  if (boot.is_null()) return Patched::Done;
  const auto unchanged = [&]() -> Result<bool> {
    const auto now = read_resource(resource.link, nullptr, call);
    if (!now) return now.error();
    return now->boot == resource.boot;
  };
  const auto answer = patch_resource(
      machine_, {.link = resource.link, .etag = resource.etag, .body = base::Json::object({{"Boot", boot}}).text()},
      unchanged, call);
  if (!answer) return answer.error();
  if (!*answer) {
    unknown_ = true;
    return Error{Code::Timeout, "nobody knows what became of the boot override"};
  }
  if (is_success((*answer)->status)) return Patched::Done;
  const auto body = parse_error_body((*answer)->body);
  refusal_ = refusal(**answer, body).with("while arming the boot override");
  // iLO while the host is in POST: the same request works a minute later.
  if (body.has("UnableToModifyDuringSystemPOST")) {
    refusal_.code = Code::Busy;
    return refusal_;
  }
  if ((*answer)->status != 400) return refusal_;
  const bool about_mode = body.has("PropertyNotWritable") && boot.find("BootSourceOverrideMode") != nullptr;
  return about_mode ? Patched::RefusedMode : Patched::Refused;
}

Result<WriteOutcome> BootControl::arm(BootOverride wanted, const Call& call) {
  auto send = Send::Changed;
  auto mode = ModeToo::Yes;
  bool wrote = false;
  for (int round = 0;; ++round) {
    const auto view = read(call);
    if (!view) return view.error();
    const auto shown = shown_override(view->system.boot, view->settings.boot);
    // Some change the mode along with the device; it is to stay as it was.
    if (round == 0 && shown && !wanted.mode) wanted.mode = shown->mode;
    if (shown && is_as_wanted(*shown, wanted)) return wrote ? WriteOutcome::Accepted : WriteOutcome::AlreadySo;
    const auto change = boot_change(wanted, view->system.boot, view->settings.boot, send, mode);
    if (!change) return change.error();
    if (round == kMostRounds || change->empty()) {
      // "Once" may read as "Continuous", a mode may stay: the device is what counts.
      if (wrote && shown && is_armed(*shown, wanted)) return WriteOutcome::Accepted;
      if (!refusal_.message.empty()) return refusal_;
      return Error{Code::Unsupported, "the BMC accepted the boot override and does not show it"};
    }
    for (const bool settings : {true, false}) {
      const auto done =
          patch(settings ? view->settings : view->system, settings ? change->for_settings : change->for_system, call);
      if (!done) {
        if (unknown_) return WriteOutcome::Unknown;
        return done.error();
      }
      if (*done == Patched::Done) {
        wrote = wrote || !(settings ? change->for_settings : change->for_system).is_null();
      } else if (*done == Patched::RefusedMode) {
        mode = ModeToo::No;
        break;
      } else {
        break;
      }
    }
    // Only what changed first; where that is refused or forgotten, all of it.
    send = send == Send::Changed ? Send::All : Send::Changed;
    if (mode == ModeToo::No && round == 0) send = Send::Changed;
  }
}

}  // namespace nimbus::redfish
