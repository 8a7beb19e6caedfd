#include "drivers/redfish/redfish_bmc.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text/text.hpp"
#include "drivers/redfish/boot.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/reset_types.hpp"

namespace nimbus::redfish {
namespace {

std::optional<PowerState> state_after(PowerAction action) {
  switch (action) {
    case PowerAction::On:
      return PowerState::On;
    case PowerAction::SoftOff:
    case PowerAction::HardOff:
      return PowerState::Off;
    case PowerAction::Reset:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

RedfishBmc::RedfishBmc(BmcEndpoint endpoint, std::shared_ptr<Service> service, std::shared_ptr<LearntQuirks> learnt)
    : service_(std::move(service)),
      machine_(std::move(endpoint), service_->session, std::move(learnt)),
      inventory_(machine_),
      sensors_(machine_),
      event_log_(machine_),
      media_(machine_),
      settings_(machine_),
      accounts_(machine_) {}

void RedfishBmc::close(const Call& call) noexcept {
  service_->hints.forget(this);
  if (service_.use_count() == 1) machine_.session().close(call);
}

Result<PowerState> RedfishBmc::power(const Call& call) {
  const auto system = machine_.read(call);
  if (!system) return system.error();
  if ((*system)->power) return *(*system)->power;
  if ((*system)->power_text.empty()) return Error{Code::Unsupported, "the BMC reports no power state for this System"};
  return Error{Code::Corrupt, "the BMC reports a power state that is not known here: '" +
                                  base::printable((*system)->power_text, 60) + "'"};
}

Result<BootOverride> RedfishBmc::boot_override(const Call& call) {
  const auto system = machine_.system_link(call);
  if (!system) return system.error();
  return BootControl(machine_, *system).shown(call);
}

Result<WriteOutcome> RedfishBmc::arm_boot(const BootOverride& wanted, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  if (wanted.device == BootDevice::Cd && machine_.has(Effect::CdBootsPhysical))
    return Error{Code::Unsupported, "this BMC firmware boots the physical drive when told Cd; update it (VM-11)"};
  const auto system = machine_.system_link(call);
  if (!system) return system.error();
  return BootControl(machine_, *system).arm(wanted, call);
}

Result<WriteOutcome> RedfishBmc::act(PowerAction action, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const Error refused{Code::Unsupported, fmt::format("the BMC does not offer {}", to_string(action))};
  const auto reset = machine_.last()->reset;
  if (!reset) return refused;
  const auto allowable = machine_.reset_types(*reset, call);
  if (!allowable) return allowable.error();
  const auto type = choose_reset_type(action, *allowable);
  if (!type) return refused;
  const auto body = base::Json::object({{"ResetType", *type}}).text();
  const auto answer = machine_.write({.link = reset->target, .body = body}, call);
  if (!answer) return answer.error();
  if (!*answer) return WriteOutcome::Unknown;
  return outcome_of(**answer, action, call);
}

Result<WriteOutcome> RedfishBmc::outcome_of(const base::ClientResponse& response, PowerAction action,
                                            const Call& call) {
  // 202 with a task too: what counts is the state that is read afterwards.
  if (response.status >= 200 && response.status < 300) return WriteOutcome::Accepted;
  const auto body = parse_error_body(response.body);
  Error error = refusal(response, body).with(fmt::format("while asking for {}", to_string(action)));
  if (response.status >= 500 && response.status != 501 && response.status != 503 && error.code == Code::Busy)
    return WriteOutcome::Unknown;
  if (body.has("NoOperation")) return WriteOutcome::AlreadySo;
  if (response.status == 404) {
    machine_.forget_paths();  // the action has moved: walk again
    return Error{Code::Conflict, error.text()};
  }
  const auto wanted = state_after(action);
  if ((response.status == 400 || response.status == 409) && wanted) {
    // Most BMCs refuse to switch on what is on, each in its own words: look.
    const auto now = power(call);
    if (now && *now == *wanted) return WriteOutcome::AlreadySo;
    const bool settling = response.status == 409 || body.has("InvalidOperationForSystemState");
    if (settling && error.code != Code::Unsupported) error.code = Code::Busy;
  }
  return error;
}

Result<WriteOutcome> RedfishBmc::reset_bmc(const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const Error refused{Code::Unsupported, "the BMC does not offer its own restart"};
  const auto manager = machine_.manager(call);
  if (!manager) return manager.error();
  if (*manager == nullptr || !(*manager)->reset) return refused;
  const ResetAction reset = *(*manager)->reset;
  const auto allowable = machine_.reset_types(reset, call);
  if (!allowable) return allowable.error();
  const auto type = choose_restart_type(*allowable);
  if (!type) return refused;
  const auto body = base::Json::object({{"ResetType", *type}}).text();
  const auto answer = machine_.write({.link = reset.target, .body = body}, call);
  if (!answer) return answer.error();
  if (*answer && !is_success((*answer)->status))
    return refusal(**answer, parse_error_body((*answer)->body)).with("while restarting the BMC");
  machine_.session().drop();
  machine_.forget_paths();
  // Many go down before they have answered.
  return *answer ? WriteOutcome::Accepted : WriteOutcome::Unknown;
}

BmcTraits RedfishBmc::traits() const {
  const BmcKind kind = machine_.kind();
  BmcTraits out{.vendor = kind.vendor,
                .product = {},
                .firmware = kind.firmware,
                .login = machine_.session().how(),
                .credential = machine_.session().credential(),
                .quirks = {}};
  if (const auto root = machine_.session().known_root()) out.product = root->product;
  if (out.vendor.empty()) out.vendor = kind.manufacturer;
  out.clock_off = machine_.clock_off();
  for (const auto& quirk : quirk_table()) {
    const bool forced = is_forced_id(machine_.endpoint().quirks, quirk.id);
    const bool learnt = machine_.learnt().has(quirk.effect);
    if (!forced && !learnt && !matches(quirk, kind)) continue;
    const bool listed =
        std::any_of(out.quirks.begin(), out.quirks.end(), [&](const BmcQuirk& other) { return other.id == quirk.id; });
    if (listed) continue;
    out.quirks.push_back({.id = std::string(quirk.id),
                          .why = forced   ? "forced"
                                 : learnt ? "learnt"
                                          : "known of this BMC",
                          .evidence = std::string(quirk.evidence)});
  }
  return out;
}

}  // namespace nimbus::redfish
