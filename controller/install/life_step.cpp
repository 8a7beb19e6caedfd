#include "controller/install/life_step.hpp"

#include <algorithm>

#include "base/log/log.hpp"
#include "controller/machine/permitted_write.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;
using reconcilers::RunStep;

constexpr int kMostFailures = 5;

}  // namespace

LifeStep::LifeStep(Lifecycle& life, const LifeInput& input, const Wishes& wishes, LifeRecord record)
    : life_(life),
      tools_(life.tools_),
      input_(input),
      wishes_(wishes),
      machine_(input.desired.id.machine),
      record_(std::move(record)) {}

const InstanceWish* LifeStep::wish() const {
  const auto found = wishes_.instances.find(record_.instance);
  return found == wishes_.instances.end() ? nullptr : &found->second;
}

bool LifeStep::reinstalls() const {
  return record_.run && record_.run->state.kind == RunKind::Install && installed_here();
}

bool LifeStep::installed_here() const {
  return record_.installed && !record_.instance.empty() && record_.installed_for == record_.instance;
}

LifeFacts LifeStep::take() {
  if (!record_.displaced.empty() && !record_.run) keep_aside();
  note_protection();
  if (record_.run && drops_claim()) return facts();
  if (record_.run) call_off();
  if (record_.run) renew();
  const bool held =
      record_.run && record_.run->state.phase == RunPhase::Held && record_.run->state.kind == RunKind::Install;
  if (record_.displaced.empty()) {
    if (!record_.run || held || abandoned()) without_run();
    if (!record_.run || (held && record_.run->state.phase == RunPhase::Held)) replace_if_failed();
  }
  if (record_.run) advance();
  return facts();
}

Result<> LifeStep::keep() {
  const std::lock_guard lock(life_.mutex_);
  return keep_locked();
}

Result<> LifeStep::keep_locked() {
  const auto slot = life_.slots_.find(machine_);
  if (slot != life_.slots_.end() && slot->second.desired->identity != input_.desired.identity) {
    return Error{Code::Conflict, "the file of " + machine_ + " is about another machine by now"};
  }
  if (record_.displaced.empty() && life_.is_protected(record_.instance)) {  // since this pass began
    record_.unprotected = false;
    record_.unprotected_commit.clear();
  }
  if (auto kept = life_.keep(machine_, record_); !kept) return kept;
  const auto& before = slot->second.record;
  if (before.instance != record_.instance || before.displaced != record_.displaced) life_.placement_due_ = true;
  slot->second.record = record_;
  life_.orders_changed(input_.desired.boot.network);
  return {};
}

void LifeStep::begin(RunKind kind) {
  record_.run = new_run(tools_, machine_, kind, wishes_.commit);
  if (const auto* wanted = wish(); wanted != nullptr && wanted->image.disk)
    record_.run->image_sha256 = wanted->image.disk->sha256;
  if (auto kept = keep(); !kept) {
    held_ = kept.error().text();
    record_.run.reset();
  }
}

/// A clock that was set back would put off every deadline: what is to come began now.
void LifeStep::follow_clock() {
  const WallTime now = tools_.clock.wall();
  auto& state = record_.run->state;
  if (std::max({state.since, state.powered, state.image_since}) <= now) return;
  for (WallTime* time : {&state.since, &state.powered, &state.image_since}) *time = std::min(*time, now);
  static_cast<void>(keep());  // at worst it begins once more
}

void LifeStep::advance() {
  follow_clock();
  if (!note_baseline()) return;
  const auto phase = record_.run->state.phase;
  const bool under_way = phase == RunPhase::Booting || phase == RunPhase::Working || phase == RunPhase::Handover;
  if (under_way) record_console();
  const auto view = look();
  const RunStep step = reconcilers::decide_run(record_.run->state, view, tools_.policy, tools_.clock.wall());
  if (waits_.empty() || step.kind != RunStep::Kind::Wait) waits_ = step.reason;
  auto done = perform(step);
  if (!record_.run) return;
  if (done) {
    record_.run->failures = 0;
    return;
  }
  waits_ = done.error().text();
  // A device that refuses again and again (a lying boot override) ends in a hold.
  const bool device = done.error().code != Code::Conflict && done.error().code != Code::Cancelled;
  if (!device) return;
  record_.run->error = waits_;
  if (++record_.run->failures >= kMostFailures) {
    hold(waits_ + "; tried " + std::to_string(kMostFailures) + " times", device_failed_);
  } else {
    static_cast<void>(keep());
  }
}

void LifeStep::enter(RunPhase phase) {
  if (record_.run->state.phase == phase) return;
  record_.run->state.phase = phase;
  record_.run->state.overdue = false;
  record_.run->state.since = tools_.clock.wall();
}

void LifeStep::hold(const std::string& why, bool by_machine) {
  enter(RunPhase::Held);
  record_.run->state.held = why;
  record_.run->state.by_machine = by_machine;
  if (tools_.consoles != nullptr) {
    record_.run->console = tools_.consoles->tail(machine_);
    tools_.consoles->end(machine_);
  }
  base::log(base::Level::Error, "run-held", why, {{"machine", machine_}, {"instance", record_.instance}});
  static_cast<void>(keep());
  static_cast<void>(life_.serve(input_.desired.boot.network, input_.call));
}

Result<> LifeStep::guarded(const std::function<Result<>(const Call&)>& act) {
  const auto again = [&]() -> std::optional<MonoTime> {
    if (input_.guard()) return std::nullopt;
    return tools_.clock.now();
  };
  if (auto refusal = input_.guard()) return Error{Code::Conflict, refusal->message};
  return write_while_permitted(tools_.clock, input_.call, tools_.clock.now(), act, again);
}

Result<> LifeStep::send(PowerAction action, const Call& call) {
  auto sent = input_.bmc.power()->act(action, call);
  if (sent) return {};
  device_failed_ = true;
  return std::move(sent.error()).with(action == PowerAction::On ? "while switching on" : "while switching off");
}

/// If it is allowed now; when is kept first, in the run if there is one.
Result<> LifeStep::switch_power(PowerAction action) {
  if (action == PowerAction::On) {
    if (auto turn = power_on_turn(); !turn) return turn;
  }
  return guarded([&](const Call& call) -> Result<> {
    if (record_.run) {
      record_.run->state.powered = tools_.clock.wall();
      if (auto kept = keep(); !kept) return kept;
    }
    return send(action, call);
  });
}

/// A wait is longer than its deadline, or no longer so.
Result<> LifeStep::note_overdue(const RunStep& step) {
  record_.run->state.overdue = step.overdue;
  if (step.overdue)
    base::log(base::Level::Error, "run-overdue", step.reason, {{"machine", machine_}, {"instance", record_.instance}});
  return keep();
}

Result<> LifeStep::perform(const RunStep& step) {
  if (step.kind == RunStep::Kind::PowerOff || step.kind == RunStep::Kind::Boot) {
    if (auto admitted = admit(); !admitted) return admitted;
  }
  switch (step.kind) {
    case RunStep::Kind::Wait:
      if (step.overdue != record_.run->state.overdue) return note_overdue(step);
      if (step.phase == record_.run->state.phase) return {};
      enter(step.phase);
      base::log(base::Level::Info, "run-phase", step.reason,
                {{"machine", machine_}, {"phase", std::string(name_of(step.phase))}});
      return keep();
    case RunStep::Kind::PushIntent:
      return {};  // status tells it with this pass
    case RunStep::Kind::PowerOff:
      return switch_power(PowerAction::HardOff);
    case RunStep::Kind::Boot:
      return boot();
    case RunStep::Kind::PowerOn:
      return switch_power(PowerAction::On);
    case RunStep::Kind::AskSsh:
      if (record_.run->state.phase == RunPhase::Handover) return {};
      enter(RunPhase::Handover);
      if (auto kept = keep(); !kept) return kept;
      return life_.serve(input_.desired.boot.network, input_.call);
    case RunStep::Kind::Again:
      return again(step.reason);
    case RunStep::Kind::Finish:
      return record_.run->state.kind == RunKind::Erase ? return_machine() : finish();
    case RunStep::Kind::Hold:
      hold(step.reason, step.by_machine);
      return {};
  }
  return {};
}

}  // namespace nimbus::controller
