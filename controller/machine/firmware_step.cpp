#include "controller/machine/firmware_step.hpp"

#include <utility>

#include "controller/machine/permitted_write.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::FirmwareDecision;
using reconcilers::RestartProgress;
using Kind = FirmwareDecision::Kind;

/// The BMC says no, and will say so again.
bool is_refusal(Code code) { return code == Code::Invalid || code == Code::Unsupported || code == Code::NotFound; }

void wait(FirmwareDecision& decision, std::string why) {
  decision.kind = Kind::Wait;
  decision.reason = std::move(why);
}

std::string text_of(const FirmwareDecision& decision) {
  std::string text;
  for (const auto& [name, value] : decision.bios) text += (text.empty() ? "" : ", ") + name + "=" + value;
  if (decision.secure_boot)
    text += (text.empty() ? "" : ", ") + std::string("secure_boot=") + (*decision.secure_boot ? "true" : "false");
  return text;
}

}  // namespace

Result<> FirmwareStep::load() {
  if (memory_.cycle) return {};
  auto kept = tools_.facts.recall(key());
  if (!kept) return std::move(kept.error()).with("while loading firmware cycles from the journal");
  auto progress = *kept ? reconcilers::parse_restart_progress(**kept) : std::optional(RestartProgress{});
  if (!progress) return Error{Code::Corrupt, "the journal holds a firmware cycle that makes no sense"};
  memory_.cycle = std::move(*progress);
  return {};
}

Result<> FirmwareStep::keep(const RestartProgress& progress) {
  if (progress == *memory_.cycle) return {};
  auto kept = tools_.facts.remember(key(), reconcilers::to_text(progress));
  if (!kept) return std::move(kept.error()).with("while keeping a firmware cycle in the journal");
  memory_.cycle = progress;
  return {};
}

Result<std::optional<WantedPower>> FirmwareStep::continue_cycle(PowerState state, InspectionMemory& inspection) {
  if (!memory_.under_way()) return std::optional<WantedPower>();
  const auto& cycle = *memory_.cycle;
  const auto next = reconcilers::decide_restart(
      {.instance = cycle.instance, .counter = cycle.request, .power = WantedPower::On}, cycle, state);
  if (auto kept = keep(next.progress); !kept) return std::move(kept.error());
  if (next.power) return next.power;
  if (tools_.reboots != nullptr) tools_.reboots->end(desired_.id.machine);
  // The self test has only begun; saw() has said when to look at the settings.
  if (inspection.settings_are_fresh(desired_.digest)) inspection.doubt_settings(tools_.clock.wall());
  return std::optional<WantedPower>();
}

int FirmwareStep::restarts() const {
  return memory_.cycle && memory_.cycle->instance == desired_.digest ? static_cast<int>(memory_.cycle->done.value_or(0))
                                                                     : 0;
}

/// A free machine may be restarted at any time; one that somebody uses only inside a
/// window that somebody declared.
std::string FirmwareStep::closed(const Occasion& occasion) const {
  if (occasion.instance == nullptr) return {};
  const Policy nobody;
  const Policy& policy = occasion.policy != nullptr ? *occasion.policy : nobody;
  bool any = !occasion.instance->windows.empty();
  for (const auto& limits : policy.limits) any = any || !limits.windows.empty();
  if (!any) return "wait: " + occasion.instance->id() + " runs here, and no window says when it may be restarted";
  return controller::closed(policy, occasion.instance->windows, tools_.clock.wall(), tools_.zones);
}

Result<FirmwareDecision> FirmwareStep::improve(const Occasion& occasion) {
  const Inspection& seen = *occasion.inspection.known();
  auto decision = reconcilers::decide_firmware(
      desired_, {.bios = seen.bios, .secure_boot = seen.secure_boot},
      {.closed = closed(occasion), .on = occasion.power == PowerState::On, .restarts = restarts()});
  Result<> done;
  if (decision.kind == Kind::Stage) done = stage(occasion, decision);
  if (decision.kind == Kind::Restart) done = begin(occasion, decision);
  if (!done) return std::move(done.error());
  return decision;
}

Result<> FirmwareStep::stage(const Occasion& occasion, FirmwareDecision& decision) {
  BmcSettings* const settings = occasion.bmc.settings();
  if (settings == nullptr) return {};
  if (memory_.refused_digest == desired_.digest) {
    decision = {Kind::Hold, {}, {}, memory_.refused};
    return {};
  }
  if (const auto refusal = occasion.guard()) {
    wait(decision, refusal->message);
    return {};
  }
  MonoTime permitted = tools_.clock.now();
  const std::string& machine = desired_.id.machine;
  if (auto noted = tools_.note("settings-intent", machine, text_of(decision)); !noted) return noted;
  if (has_expired(permitted, tools_.clock.now())) {
    if (const auto refusal = occasion.guard()) {
      wait(decision, refusal->message);
      return tools_.note("settings-result", machine, "not sent: " + refusal->message);
    }
    permitted = tools_.clock.now();
  }
  const auto outcome = write_while_permitted(
      tools_.clock, occasion.call, permitted, [&](const Call& call) { return write(*settings, decision, call); },
      [&] { return occasion.guard() ? std::nullopt : std::optional(tools_.clock.now()); });
  (void)tools_.note("settings-result", machine, outcome ? "staged" : outcome.error().text());
  if (outcome) return occasion.inspection.read_settings(occasion.bmc, occasion.call);
  occasion.inspection.doubt_settings(tools_.clock.wall());
  if (!is_refusal(outcome.error().code)) return Error(outcome.error()).with("while staging firmware settings");
  memory_.refused_digest = desired_.digest;
  memory_.refused = outcome.error().text();
  decision = {Kind::Hold, {}, {}, memory_.refused};
  return {};
}

Result<WriteOutcome> FirmwareStep::write(BmcSettings& settings, const FirmwareDecision& decision, const Call& call) {
  if (!decision.bios.empty()) {
    if (auto staged = settings.stage_bios(decision.bios, call); !staged) return staged;
  }
  if (!decision.secure_boot) return WriteOutcome::Accepted;
  return settings.set_secure_boot(*decision.secure_boot, call);
}

Result<> FirmwareStep::begin(const Occasion& occasion, FirmwareDecision& decision) {
  if (const auto refusal = occasion.guard()) {
    wait(decision, refusal->message);
    return {};
  }
  const auto most = occasion.policy != nullptr ? most_rebooting(*occasion.policy) : std::nullopt;
  if (tools_.reboots != nullptr && !tools_.reboots->begin(desired_.id.machine, most)) {
    wait(decision, "the restart waits its turn: as many machines reboot as may");
    return {};
  }
  const std::int64_t done = restarts();
  const RestartProgress before{
      .instance = desired_.digest, .done = done, .request = done, .phase = RestartProgress::Phase::Idle};
  const auto next = reconcilers::decide_restart(
      {.instance = desired_.digest, .counter = done + 1, .power = WantedPower::On}, before, occasion.power);
  return keep(next.progress);
}

}  // namespace nimbus::controller
