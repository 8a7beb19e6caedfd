#include "controller/intake/intake.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "registry/git/commit_builder.hpp"
#include "registry/git/commit_source.hpp"
#include "registry/load.hpp"
#include "registry/plan/plan.hpp"

namespace nimbus::controller {
namespace {

constexpr const char* kStalledSubject = "In force, with stalled objects";

AcceptedRegistry::State state_of(registry::AcceptState state) {
  switch (state) {
    case registry::AcceptState::Accepted:
      return AcceptedRegistry::State::Accepted;
    case registry::AcceptState::Partly:
      return AcceptedRegistry::State::Partly;
    case registry::AcceptState::Refused:
      return AcceptedRegistry::State::Refused;
    case registry::AcceptState::Held:
      return AcceptedRegistry::State::Held;
  }
  return AcceptedRegistry::State::Refused;
}

bool puts_in_force(registry::AcceptState state) {
  return state == registry::AcceptState::Accepted || state == registry::AcceptState::Partly;
}

Limits limits_of(const registry::Snapshot& snapshot) { return snapshot.limits ? snapshot.limits->value : Limits{}; }

std::vector<Approval> approvals_of(const registry::Snapshot& snapshot) {
  std::vector<Approval> approvals;
  for (const auto& entry : snapshot.approvals) approvals.push_back(entry->value);
  return approvals;
}

std::string why_stalled(const registry::MachineEntry& entry) {
  if (!entry.stalled) return {};
  if (entry.problems.empty()) return "a newer version is not valid";
  const auto& problem = entry.problems.front();
  return fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
}

/// Makes the file of a stalled object what is in force of it.
template <class T>
Result<> put_back(const registry::GitRepository& mirror, const registry::Entries<T>& entries,
                  registry::FileChanges& changes) {
  for (const auto& entry : entries) {
    if (!entry->stalled) continue;
    auto text = mirror.read_blob(entry->blob, registry::TreeSource::kMaxFile);
    if (!text) return std::move(text.error()).with("while reading the accepted version of " + entry->path);
    changes[entry->path] = std::move(*text);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const AcceptedRegistry>> Intake::take(const std::string& commit) {
  if (auto loaded = load(commit); !loaded) return std::move(loaded.error());
  registry::Acceptance acceptance = registry::accept(in_force_, *loaded_);
  const auto hold = hold_of(acceptance);
  if (hold) acceptance = registry::hold_back(in_force_, *loaded_);
  const auto before = std::exchange(in_force_, acceptance.effective);
  if (puts_in_force(acceptance.state)) {
    if (before && commit != accepted_commit_) {
      earlier_limits_ = limits_of(*before);
      if (auto kept = remember_earlier(); !kept) return std::move(kept.error()).with("while keeping the policy so far");
    }
    accepted_commit_ = commit;
    if (auto kept = remember(commit); !kept) return std::move(kept.error()).with("while keeping what is in force");
  }
  return describe(acceptance, commit, hold);
}

Result<std::shared_ptr<const AcceptedRegistry>> Intake::take_brakes(const std::string& commit, const std::string& why) {
  if (auto loaded = load(commit); !loaded) return std::move(loaded.error());
  const auto acceptance = registry::hold_back(in_force_, *loaded_);
  in_force_ = acceptance.effective;
  return describe(acceptance, commit, Hold{.code = "history-rewritten", .message = why, .plan = {}});
}

Result<> Intake::load(const std::string& commit) {
  if (auto recalled = recall(); !recalled) return recalled;
  const registry::CommitSource source(mirror_, commit);
  auto loaded = registry::load(source, loaded_.get());
  if (!loaded) return std::move(loaded.error()).with("while reading the registry");
  loaded_ = loaded->snapshot;
  return {};
}

/// Whether so many machines leave at once that a person has to approve it. By the
/// policy in force, not by the commit's own; its approvals count.
std::optional<Intake::Hold> Intake::hold_of(const registry::Acceptance& acceptance) const {
  if (!in_force_ || !puts_in_force(acceptance.state)) return std::nullopt;
  std::int64_t before = 0;
  std::int64_t now = 0;
  for (const auto& entry : in_force_->machines) before += entry->provider == provider_ ? 1 : 0;
  for (const auto& entry : acceptance.effective->machines) now += entry->provider == provider_ ? 1 : 0;
  for (const auto& machine : acceptance.unusable_machines) now += machine.provider == provider_ ? 1 : 0;
  // Cheap for the usual commit; machines that come hide those that leave, so any
  // change of the set is looked at closely.
  if (now >= before && acceptance.effective->machines.size() == in_force_->machines.size() &&
      std::ranges::equal(acceptance.effective->machines, in_force_->machines, {}, &registry::MachineEntry::path,
                         &registry::MachineEntry::path)) {
    return std::nullopt;
  }
  const registry::Plan plan = registry::make_plan(*in_force_, *loaded_);
  for (const auto& limit : plan.limits) {
    if (limit.provider != provider_ || limit.rule != registry::kRemovalRule) continue;
    if (limit.kind != registry::LimitVerdict::Kind::Holds) continue;
    if (registry::is_approved(approvals_of(*acceptance.effective), plan.digest, clock_.wall())) return std::nullopt;
    return Hold{.code = "held",
                .message = fmt::format("{} of {} machines leave with this commit and {} may ({}); nothing of it is in "
                                       "force until somebody approves: nimbusctl approve {}",
                                       limit.asked, before, limit.allowed, limit.rule, plan.digest),
                .plan = plan.digest};
  }
  return std::nullopt;
}

/// After a start: what was in force when the program ended.
Result<> Intake::recall() {
  if (recalled_) return {};
  auto tip = mirror_.resolve(kInForce);
  if (!tip) return std::move(tip.error()).with("while reading the mirror");
  recalled_ = true;
  if (!*tip) return {};
  auto kept = mirror_.commit(**tip);
  if (!kept) return std::move(kept.error()).with("while reading what was in force");
  const bool on_top = kept->message.starts_with(kStalledSubject) && kept->parents.size() == 1;
  accepted_commit_ = on_top ? kept->parents.front() : kept->id;
  const registry::CommitSource source(mirror_, **tip);
  auto loaded = registry::load(source);
  if (!loaded) return std::move(loaded.error()).with("while reading what was in force");
  loaded_ = loaded->snapshot;
  in_force_ = registry::accept(nullptr, *loaded_).effective;
  return recall_limits();
}

/// The limits of the commit accepted before.
Result<> Intake::recall_limits() {
  auto tip = mirror_.resolve(kEarlier);
  if (!tip) return std::move(tip.error()).with("while reading the mirror");
  if (!*tip) return {};
  const registry::CommitSource source(mirror_, **tip);
  auto loaded = registry::load(source);
  if (!loaded) return std::move(loaded.error()).with("while reading the policy of the commit before");
  earlier_limits_ = limits_of(*loaded->snapshot);
  return {};
}

/// What is in force now is about to be what was.
Result<> Intake::remember_earlier() {
  auto now = mirror_.resolve(kInForce);
  if (!now) return std::move(now.error());
  auto earlier = mirror_.resolve(kEarlier);
  if (!earlier) return std::move(earlier.error());
  if (!*now || *now == *earlier) return {};
  return mirror_.move_reference(kEarlier, **now, *earlier);
}

Result<> Intake::remember(const std::string& commit) {
  auto before = mirror_.resolve(kInForce);
  if (!before) return std::move(before.error());
  auto changes = stalled_files();
  if (!changes) return std::move(changes.error());
  std::string keep = commit;
  if (!changes->empty()) {
    const registry::GitPerson self{.name = "nimbusd", .email = "nimbusd@localhost", .when = clock_.wall()};
    auto written = registry::write_commit(mirror_, {.base = commit,
                                                    .parents = {commit},
                                                    .changes = std::move(*changes),
                                                    .author = self,
                                                    .committer = self,
                                                    .message = std::string(kStalledSubject) + "\n"});
    if (!written) return std::move(written.error());
    if (*written) keep = **written;
  }
  if (*before == keep) return {};
  return mirror_.move_reference(kInForce, keep, *before);
}

/// The accepted versions of stalled files.
Result<registry::FileChanges> Intake::stalled_files() const {
  registry::FileChanges changes;
  for (const auto& put :
       {put_back(mirror_, in_force_->providers, changes), put_back(mirror_, in_force_->classes, changes),
        put_back(mirror_, in_force_->networks, changes), put_back(mirror_, in_force_->images, changes),
        put_back(mirror_, in_force_->profiles, changes), put_back(mirror_, in_force_->machines, changes),
        put_back(mirror_, in_force_->instances, changes)}) {
    if (!put) return put.error();
  }
  return changes;
}

Policy Intake::policy_of(const registry::Snapshot& effective) const {
  Policy policy;
  policy.limits.push_back(limits_of(effective));
  if (earlier_limits_ && *earlier_limits_ != policy.limits.front()) policy.limits.push_back(*earlier_limits_);
  policy.approvals = approvals_of(effective);
  if (const auto* own = registry::find_provider(effective, provider_))
    policy.disruption = own->value.provider.disruption;
  return policy;
}

/// Most machines of most commits are those of the commit before, in the same files.
MachineTable Intake::machines_of(const registry::Snapshot& effective) const {
  const auto own = [this](const registry::MachineEntry& entry) { return entry.provider == provider_; };
  // Shares the entry: the value lives as long as somebody uses it.
  const auto described = [](const registry::EntryPtr<DesiredMachine>& entry) {
    return AcceptedMachine{std::shared_ptr<const DesiredMachine>(entry, &entry->value), why_stalled(*entry), nullptr};
  };
  const registry::Snapshot* before = described_ ? described_->in_force.get() : nullptr;
  const auto same_file = [](const auto& a, const auto& b) { return a == b || a->path == b->path; };
  if (before != nullptr && std::ranges::equal(effective.machines, before->machines, same_file)) {
    MachineTable machines = described_->machines;
    for (auto& [name, machine] : machines) machine.instance = nullptr;
    for (std::size_t i = 0; i < effective.machines.size(); ++i) {
      const auto& entry = effective.machines[i];
      if (entry != before->machines[i] && own(*entry)) machines[entry->name] = described(entry);
    }
    return machines;
  }
  MachineTable::Rows rows;
  rows.reserve(effective.machines.size());
  for (const auto& entry : effective.machines) {
    if (own(*entry)) rows.emplace_back(entry->name, described(entry));
  }
  return MachineTable::of(std::move(rows));
}

std::shared_ptr<const AcceptedRegistry> Intake::describe(const registry::Acceptance& acceptance,
                                                         const std::string& commit, const std::optional<Hold>& hold) {
  auto out = std::make_shared<AcceptedRegistry>();
  out->state = state_of(acceptance.state);
  out->observed_commit = commit;
  out->accepted_commit = accepted_commit_;
  if (hold) {
    out->held_plan = hold->plan;
    out->problems.push_back({hold->code, {}, 0, 0, hold->message});
  }
  if (acceptance.effective->settings) out->status = acceptance.effective->settings->value.status;
  out->policy = policy_of(*acceptance.effective);
  out->in_force = acceptance.effective;
  for (const auto& problem : acceptance.problems) {
    if (problem.severity != registry::Severity::Error) continue;
    out->problems.push_back({std::string(registry::to_string(problem.code)), problem.file,
                             static_cast<int>(problem.line), static_cast<int>(problem.column), problem.message});
  }
  out->machines = machines_of(*acceptance.effective);
  for (const auto& entry : acceptance.effective->instances) {
    const auto& instance = entry->value;
    if (!instance.adopt || instance.provider != provider_) continue;
    const auto machine = out->machines.find(instance.requirements.machine);
    if (machine == out->machines.end() || machine->second.instance) continue;
    machine->second.instance = std::shared_ptr<const Instance>(entry, &instance);
  }
  for (const auto& machine : acceptance.unusable_machines) {
    if (machine.provider == provider_) out->unusable.insert(machine.machine);
  }
  described_ = out;
  return out;
}

}  // namespace nimbus::controller
