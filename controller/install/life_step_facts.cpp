// How a run ends, and what is told of a machine's life.
#include <algorithm>

#include "base/crypto/crypto.hpp"
#include "base/log/log.hpp"
#include "controller/install/life_step.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;
using std::chrono::milliseconds;

/// Until the next look: a small part of the time that the phase has lasted. So waiting for
/// a machine costs little, and what it waits for is seen late by that part at most.
milliseconds pause_in(milliseconds lasted) {
  constexpr milliseconds kLeast{1'000}, kMost{10'000};
  constexpr int kPart = 20;
  return std::clamp(lasted / kPart, kLeast, kMost);
}

}  // namespace

Result<> LifeStep::finish() {
  auto& run = *record_.run;
  registry::RunRecord last = run_record();
  last.outcome = registry::RunRecordOutcome::Done;
  last.finished = tools_.clock.wall();
  const std::string instance = record_.instance;
  if (run.state.kind == RunKind::Install) {
    const auto* wanted = wish();
    record_.installed = {.disk = run.disk,
                         .image_sha256 = run.image_sha256,
                         .nonce_sha256 = base::sha256_hex(run.nonce),
                         .reinstall = run.reinstall.value_or(wanted != nullptr ? wanted->instance.reinstall : 0)};
    record_.installed_for = record_.instance;
    record_.host_key = run.host_key;
    record_.erases.clear();
    record_.checks.clear();
  } else {
    record_.installed.reset();
    record_.installed_for.clear();
    record_.disks.clear();
    record_.host_key.clear();
    record_.instance.clear();
    record_.address.clear();
    record_.unprotected = false;
    record_.displaced.clear();
    record_.serviced = false;
    record_.baseline.reset();
  }
  if (tools_.consoles != nullptr) tools_.consoles->end(machine_);
  record_.last_run = std::move(last);
  record_.begun = false;
  record_.run.reset();
  if (auto kept = keep(); !kept) return kept;
  base::log(base::Level::Info, "run-done", record_.last_run->action, {{"machine", machine_}, {"instance", instance}});
  return life_.serve(input_.desired.boot.network, input_.call);
}

registry::RunRecord LifeStep::run_record() const {
  const auto& run = *record_.run;
  registry::RunRecord record;
  record.action = run.state.kind == RunKind::Erase ? "erase" : reinstalls() ? "reinstall" : "install";
  record.commit = run.commit;
  record.started = run.started;
  return record;
}

registry::InstanceStatus LifeStep::instance_status() const {
  registry::InstanceStatus status;
  status.machine = machine_;
  if (!record_.address.empty()) status.addresses = {record_.address};
  if (record_.unprotected) status.unprotected_since = record_.unprotected_commit;
  status.message = held_;
  if (record_.run) {
    const auto& state = record_.run->state;
    status.phase = state.kind == RunKind::Erase      ? registry::InstancePhase::Releasing
                   : state.phase == RunPhase::Held   ? registry::InstancePhase::Failed
                   : state.overdue                   ? registry::InstancePhase::Failed
                   : state.phase == RunPhase::Intent ? registry::InstancePhase::Placed
                                                     : registry::InstancePhase::Installing;
    status.message = state.phase != RunPhase::Held ? waits_ : held_.empty() ? state.held : held_;
    if (state.phase == RunPhase::Held) status.console = record_.run->console;
    return status;
  }
  const auto* wanted = wish();
  const bool off = wanted != nullptr && wanted->instance.power == InstancePower::Off;
  status.phase = off ? registry::InstancePhase::Stopped : registry::InstancePhase::Running;
  if (!record_.host_key.empty()) {
    std::string user = wanted == nullptr                      ? ""
                       : wanted->instance.access.user.empty() ? wanted->image.default_user
                                                              : wanted->instance.access.user;
    if (user.empty()) user = "nimbus";
    status.ssh_command = "ssh " + user + "@" + record_.address;
    status.ssh_known_hosts = record_.address + " " + record_.host_key;
    status.ssh_trust = "provisioning-lan";
  }
  return status;
}

LifeFacts LifeStep::facts() {
  LifeFacts facts;
  facts.installed = record_.installed;
  facts.erases = record_.erases;
  facts.checks = record_.checks;
  facts.seen = record_.seen;
  facts.run = record_.last_run;
  facts.held = held_;
  if (!record_.instance.empty())
    facts.claim = {
        .instance = record_.instance, .since = record_.claimed, .nonce_sha256 = {}, .left = !record_.displaced.empty()};
  using enum registry::MachinePhase;
  if (record_.run) {
    const auto& run = *record_.run;
    facts.busy = true;
    facts.claim->nonce_sha256 = base::sha256_hex(run.nonce);
    facts.phase = run.state.kind == RunKind::Erase ? Releasing : Installing;
    facts.run = run_record();
    facts.waits = waits_;
    if (run.state.phase == RunPhase::Held) {
      facts.held = run.state.held;
      facts.run->message = run.state.held;
      facts.run->outcome = registry::RunRecordOutcome::Failed;
      facts.run->finished = run.state.since;
    } else {
      facts.look_again = tools_.clock.wall() + pause_in(tools_.clock.wall() - run.state.since);
    }
    if (!held_.empty()) facts.held = held_;
    const bool failed =
        std::any_of(record_.erases.begin(), record_.erases.end(), [](const auto& e) { return !e.verified; });
    const bool unfit = !quarantine_.empty() || (run.state.phase == RunPhase::Held && failed);
    if (run.state.kind == RunKind::Erase && unfit) facts.phase = Quarantined;
    if (!quarantine_.empty()) facts.held = quarantine_;
  } else if (!record_.displaced.empty()) {
    constexpr std::chrono::seconds kLook{60};
    facts.phase = Quarantined;
    facts.busy = true;
    facts.waits = held_;
    facts.look_again = tools_.clock.wall() + kLook;
  } else if (!record_.instance.empty()) {
    facts.phase = Active;
    const auto* wanted = wish();
    facts.address = record_.address;
    facts.host_key = record_.host_key;
    if (wanted != nullptr) facts.instance = std::make_shared<const Instance>(wanted->instance);
  } else if (!record_.erases.empty()) {
    facts.phase = Available;
  }
  if (!record_.instance.empty() && record_.displaced.empty()) {
    const std::lock_guard lock(life_.mutex_);
    const auto status = instance_status();
    life_.tell_instance(record_.instance, status, std::string(registry::to_string(status.phase)));
  } else if (facts.run && facts.run->action == "erase" && facts.run->outcome == registry::RunRecordOutcome::Done) {
    facts.claim.reset();
  }
  return facts;
}

}  // namespace nimbus::controller
