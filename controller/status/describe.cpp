#include "controller/status/describe.hpp"

#include <algorithm>
#include <chrono>

namespace nimbus::controller {
namespace {

using registry::Conditions;
using registry::ConditionValue;
using registry::MachineStatus;
using registry::set_condition;
using DecisionKind = reconcilers::PowerDecision::Kind;
using Verdict = IdentityMatch::Verdict;

/// One lost packet is no news; two passes in a row without an answer are.
constexpr int kUnreachableAfter = 2;
/// The reason of the condition "hold" while a person at the controller holds it.
constexpr std::string_view kLocalHold = "LocalHold";
/// The newest runs that a document shows; the journal has them all.
constexpr std::size_t kRunsShown = 5;

ConditionValue truth(bool value) { return value ? ConditionValue::True : ConditionValue::False; }

/// "wrong-machine" -> "WrongMachine"; codes become reasons of conditions.
std::string reason_of(Code code) {
  std::string out;
  bool upper = true;
  for (const char c : to_string(code)) {
    if (c == '-') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

/// A condition that says something only while it is true.
void set_exception(Conditions& conditions, const std::string& name, bool present, std::string_view reason,
                   std::string_view message, WallTime now) {
  if (present) {
    set_condition(conditions, name, ConditionValue::True, reason, message, now);
  } else {
    conditions.erase(name);
  }
}

class Description {
 public:
  Description(const MachineFacts& facts, MachineStatus status, WallTime now)
      : facts_(facts), desired_(*facts.machine.desired), report_(facts.report), status_(std::move(status)), now_(now) {}

  MachineStatus make() {
    status_.desired_digest = desired_.digest;
    if (status_.phase == registry::MachinePhase::Unmanaged) status_.phase = registry::MachinePhase::Enrolled;
    if (report_.power.is_known()) status_.power = report_.power.value();
    if (unread()) status_.power.reset();
    if (!report_.identity.empty()) status_.identity = report_.identity;
    if (report_.hardware) status_.hardware = *report_.hardware;
    set_instance();
    set_runs();
    set_life();
    set_reachable();
    set_identity();
    set_drift();
    set_firmware();
    set_clock();
    set_brakes();
    set_exception(status_.conditions, "stalled", !facts_.machine.stalled.empty(), "InvalidFile", facts_.machine.stalled,
                  now_);
    set_ready();
    return std::move(status_);
  }

 private:
  bool read() const { return report_.power.is_known() || report_.power.is_unsupported(); }
  /// For long enough to be news.
  bool unread() const { return !read() && facts_.failures >= kUnreachableAfter; }
  /// Asking again cannot help: a credential, a certificate, an address is wrong.
  bool blocked() const { return unread() && report_.error && !is_transient(report_.error->code); }

  std::shared_ptr<const Instance> placed() const {
    return facts_.machine.instance || !report_.life ? facts_.machine.instance : report_.life->instance;
  }
  void set_instance() {
    const auto instance = placed();
    if (instance) {
      status_.instance = instance->id();
      if (report_.restart && report_.restart->instance == instance->id()) status_.restart = report_.restart->done;
    } else if (!status_.installed && !status_.claim) {
      status_.instance.clear();
      status_.restart.reset();
    }
  }
  WantedPower wanted() const {
    const auto instance = placed();
    if (!instance) return desired_.power;
    return instance->power == InstancePower::On ? WantedPower::On : WantedPower::Off;
  }

  void set_runs() {
    status_.runs.clear();
    for (const auto& run : facts_.runs) {
      if (status_.runs.size() == kRunsShown) break;
      registry::RunRecord record;
      record.action = to_string(run.action);
      record.commit = run.commit;
      record.started = run.started;
      record.finished = run.finished;
      record.outcome = outcome_of(run.outcome);
      record.message = run.detail;
      status_.runs.push_back(std::move(record));
    }
  }

  void set_life() {
    if (!report_.life || report_.life->outdated) return;
    const auto& life = *report_.life;
    status_.phase = life.phase;
    status_.claim = life.claim;
    status_.instance = life.claim && !life.claim->left ? life.claim->instance : std::string();
    status_.installed = life.installed;
    status_.erases = life.erases;
    status_.checks = life.checks;
    if (life.seen) status_.ramdisk = life.seen;
    if (life.run) status_.runs.insert(status_.runs.begin(), *life.run);
  }

  static registry::RunRecordOutcome outcome_of(RunOutcome outcome) {
    switch (outcome) {
      case RunOutcome::Pending:
        return registry::RunRecordOutcome::Pending;
      case RunOutcome::Done:
        return registry::RunRecordOutcome::Done;
      case RunOutcome::Failed:
        return registry::RunRecordOutcome::Failed;
      case RunOutcome::Unknown:
        return registry::RunRecordOutcome::Unknown;
    }
    return registry::RunRecordOutcome::Unknown;
  }

  void set_reachable() {
    if (read()) {
      set_condition(status_.conditions, "reachable", ConditionValue::True, "Answers", "", now_);
    } else if (unread()) {
      const Code code = report_.error ? report_.error->code : Code::Unreachable;
      set_condition(status_.conditions, "reachable", ConditionValue::False, reason_of(code),
                    report_.error ? report_.error->message : "the BMC could not be read", now_);
    }
  }

  void set_identity() {
    if (!read()) return;  // says nothing new about who it is
    const auto value = report_.match.verdict == Verdict::Unreadable ? ConditionValue::Unknown
                                                                    : truth(report_.match.verdict == Verdict::Matches);
    const std::string_view reason = report_.match.verdict == Verdict::Matches   ? "Matches"
                                    : report_.match.verdict == Verdict::Differs ? "WrongMachine"
                                                                                : "Unreadable";
    set_condition(status_.conditions, "identity", value, reason, report_.match.reason, now_);
  }

  void set_drift() {
    if (!report_.power.is_known()) return;
    std::erase_if(status_.drifts, [&](const auto& drift) {
      return drift.key == "power" || drift.key.starts_with("hardware.cable.") ||
             drift.key.starts_with("hardware.ramdisk.") || report_.inspected;
    });
    if (status_.ramdisk) {
      for (const auto compare : {registry::compare_inside, registry::compare_cabling}) {
        for (const auto& drift : compare(desired_.hardware, *status_.ramdisk))
          status_.drifts.push_back({drift.key, drift.desired, drift.observed, drift.pending});
      }
    }
    for (const auto& drift : report_.drifts) {
      status_.drifts.push_back({drift.key, drift.desired, drift.observed, drift.pending});
    }
    const bool power = report_.decision.kind == DecisionKind::Report;
    if (power) {
      status_.drifts.insert(status_.drifts.begin(), {.key = "power",
                                                     .desired = std::string(to_string(wanted())),
                                                     .observed = std::string(to_string(report_.power.value()))});
    }
    if (power) {
      set_condition(status_.conditions, "drift", ConditionValue::True, "Observed",
                    "differs from the registry; enforcement = \"observe\" only reports", now_);
    } else {
      set_exception(status_.conditions, "drift", !status_.drifts.empty(),
                    status_.drifts.empty() ? "" : drift_reason(status_.drifts.front().key), drift_message(), now_);
    }
  }

  /// Settings that are being brought about, or wait for that.
  void set_firmware() {
    using Kind = reconcilers::FirmwareDecision::Kind;
    if (!report_.firmware) {
      if (report_.inspected && report_.drifts.empty()) status_.conditions.erase("firmware");
      return;
    }
    const auto kind = report_.firmware->kind;
    const bool news = kind != Kind::Nothing && kind != Kind::Report;
    set_exception(status_.conditions, "firmware", news,
                  kind == Kind::Hold   ? "Hold"
                  : kind == Kind::Wait ? "Waiting"
                                       : "Applying",
                  report_.firmware->reason, now_);
  }

  /// A wrong clock spoils the times of the BMC's log, and certificates that it is given. It is
  /// told once it is a minute off and until it is half a minute off, in words that do not grow.
  void set_clock() {
    using namespace std::chrono_literals;
    if (!report_.inspected) return;
    const bool told = status_.conditions.contains("bmc-clock");
    const auto off = report_.clock_off ? std::chrono::abs(*report_.clock_off) : 0s;
    const std::string by = off > 24h ? "a day" : off > 1h ? "an hour" : "half a minute";
    const bool behind = report_.clock_off && *report_.clock_off < 0s;
    set_exception(status_.conditions, "bmc-clock", off > (told ? 30s : 60s), behind ? "Behind" : "Ahead",
                  "the BMC's clock is more than " + by + (behind ? " behind" : " ahead"), now_);
  }

  static std::string_view drift_reason(const std::string& key) {
    return key.starts_with("hardware.") ? "Hardware" : "Firmware";
  }
  std::string drift_message() const {
    std::string text;
    for (const auto& drift : status_.drifts) text += (text.empty() ? "" : ", ") + drift.key;
    return text;
  }

  void set_brakes() {
    const auto& lifecycle = desired_.lifecycle;
    set_exception(status_.conditions, "hands-off", lifecycle.hands_off, "Registry", lifecycle.reason, now_);
    set_exception(status_.conditions, "maintenance", lifecycle.state == LifecycleState::Maintenance, "Registry",
                  lifecycle.reason, now_);
    set_hold();
  }

  /// A person's hold is shown whether or not the BMC answers; ours only if it does.
  void set_hold() {
    const auto earlier = status_.conditions.find("hold");
    if (!report_.local_hold.empty()) {
      set_condition(status_.conditions, "hold", ConditionValue::True, kLocalHold, report_.local_hold, now_);
    } else if (report_.life && !report_.life->held.empty()) {
      set_condition(status_.conditions, "hold", ConditionValue::True, "RunHeld", report_.life->held, now_);
    } else if (read()) {
      set_exception(status_.conditions, "hold", report_.decision.kind == DecisionKind::Hold, "PowerNotObeyed",
                    report_.decision.reason, now_);
    } else if (earlier != status_.conditions.end() && earlier->second.reason == kLocalHold) {
      status_.conditions.erase(earlier);
    }
  }

  void set_ready() {
    if (!read()) {
      if (blocked()) {
        not_ready(reason_of(report_.error->code), report_.error->message);
      } else if (unread()) {
        set_condition(status_.conditions, "ready", ConditionValue::Unknown, "Unreachable", "the BMC could not be read",
                      now_);
      }
      return;
    }
    if (report_.refusal) {
      not_ready(report_.refusal->reason, report_.refusal->message);
    } else if (report_.match.verdict == Verdict::Differs) {
      not_ready("WrongMachine", report_.match.reason);
    } else if (report_.error) {
      not_ready(reason_of(report_.error->code), report_.error->message);
    } else if (report_.life && !report_.life->held.empty()) {
      not_ready("Hold", report_.life->held);
    } else if (report_.life && report_.life->busy) {
      not_ready(report_.life->phase == registry::MachinePhase::Releasing ? "Releasing" : "Installing",
                report_.life->waits);
    } else {
      set_ready_by_decision();
    }
  }

  void set_ready_by_decision() {
    switch (report_.decision.kind) {
      case DecisionKind::Nothing:
        status_.applied_digest = desired_.digest;
        set_condition(status_.conditions, "ready", ConditionValue::True, "Reconciled", "", now_);
        return;
      case DecisionKind::Report:
        not_ready("Drift", report_.decision.reason);
        return;
      case DecisionKind::Act:
      case DecisionKind::Wait:
        not_ready("PowerChanging", report_.decision.reason);
        return;
      case DecisionKind::Hold:
        not_ready("Hold", report_.decision.reason);
        return;
      case DecisionKind::Unknown:
        set_condition(status_.conditions, "ready", ConditionValue::Unknown, "PowerUnknown", report_.decision.reason,
                      now_);
        return;
    }
  }

  void not_ready(std::string_view reason, std::string_view message) {
    set_condition(status_.conditions, "ready", ConditionValue::False, reason, message, now_);
  }

  const MachineFacts& facts_;
  const DesiredMachine& desired_;
  const MachineReport& report_;
  MachineStatus status_;
  const WallTime now_;
};

const registry::Condition* find(const MachineStatus& status, const std::string& name) {
  const auto at = status.conditions.find(name);
  return at == status.conditions.end() ? nullptr : &at->second;
}

/// Whether `name` came to be `value` between the two.
bool became(const std::optional<MachineStatus>& before, const MachineStatus& after, const std::string& name,
            ConditionValue value) {
  const auto* now = find(after, name);
  if (now == nullptr || now->value != value) return false;
  const auto* then = before ? find(*before, name) : nullptr;
  return then == nullptr || then->value != value;
}

}  // namespace

MachineStatus describe(const MachineFacts& facts, const std::optional<MachineStatus>& before, WallTime now) {
  return Description(facts, before.value_or(MachineStatus{}), now).make();
}

MachineStatus describe_unmanaged(const MachineStatus& before, WallTime now) {
  MachineStatus status = before;
  status.phase = registry::MachinePhase::Unmanaged;
  status.power.reset();
  status.drifts.clear();
  status.conditions.clear();
  set_condition(status.conditions, "ready", ConditionValue::False, "Removed",
                "no longer in the registry; nothing is written to it", now);
  return status;
}

std::string headline(const std::optional<MachineStatus>& before, const MachineStatus& after) {
  if (!before) return "enrolled";
  if (before->phase != after.phase) return std::string(registry::to_string(after.phase));
  if (became(before, after, "identity", ConditionValue::False))
    return "another machine answers, nothing is written to it";
  if (became(before, after, "stalled", ConditionValue::True)) return "its file is invalid, the last good version stays";
  if (became(before, after, "hold", ConditionValue::True)) {
    return find(after, "hold")->reason == kLocalHold ? "held by a person at the controller"
                                                     : "held, a person must look";
  }
  if (became(before, after, "reachable", ConditionValue::False)) return "BMC cannot be read";
  if (!after.runs.empty() && (before->runs.empty() || before->runs.front() != after.runs.front())) {
    const auto& run = after.runs.front();
    return run.outcome == registry::RunRecordOutcome::Done
               ? run.action
               : run.action + " " + std::string(registry::to_string(run.outcome));
  }
  if (became(before, after, "drift", ConditionValue::True)) {
    const auto& reason = find(after, "drift")->reason;
    if (reason == "Hardware") return "hardware differs from the registry";
    return reason == "Firmware" ? "firmware settings differ from the registry"
                                : "power differs from the registry, only reported";
  }
  if (became(before, after, "bmc-clock", ConditionValue::True)) return "the BMC's clock is wrong";
  if (became(before, after, "reachable", ConditionValue::True)) return "BMC can be read again";
  if (before->power != after.power && after.power) return "found " + std::string(to_string(*after.power));
  if (became(before, after, "ready", ConditionValue::True)) return "as wanted";
  if (before->hardware != after.hardware) return before->hardware ? "other hardware" : "inspected";
  return "updated";
}

}  // namespace nimbus::controller
