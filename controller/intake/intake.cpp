#include "controller/intake/intake.hpp"

#include <utility>

#include <fmt/core.h>

#include "registry/git/commit_builder.hpp"
#include "registry/git/commit_source.hpp"
#include "registry/load.hpp"

namespace nimbus::controller {
namespace {

constexpr const char* kStalledSubject = "In force, with stalled objects";

AcceptedRegistry::State state_of(registry::AcceptState state) {
  switch (state) {
    case registry::AcceptState::Accepted: return AcceptedRegistry::State::Accepted;
    case registry::AcceptState::Partly: return AcceptedRegistry::State::Partly;
    case registry::AcceptState::Refused: return AcceptedRegistry::State::Refused;
  }
  return AcceptedRegistry::State::Refused;
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
  if (auto recalled = recall(); !recalled) return std::move(recalled.error());
  const registry::CommitSource source(mirror_, commit);
  auto loaded = registry::load(source, loaded_.get());
  if (!loaded) return std::move(loaded.error()).with("while reading the registry");
  loaded_ = loaded->snapshot;
  const registry::Acceptance acceptance = registry::accept(in_force_, *loaded_);
  in_force_ = acceptance.effective;
  if (acceptance.state != registry::AcceptState::Refused) {
    accepted_commit_ = commit;
    if (auto kept = remember(commit); !kept) return std::move(kept.error()).with("while keeping what is in force");
  }
  return describe(acceptance, commit);
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
  return {};
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
  for (const auto& put : {put_back(mirror_, in_force_->providers, changes), put_back(mirror_, in_force_->classes, changes),
                          put_back(mirror_, in_force_->networks, changes), put_back(mirror_, in_force_->images, changes),
                          put_back(mirror_, in_force_->profiles, changes), put_back(mirror_, in_force_->machines, changes),
                          put_back(mirror_, in_force_->instances, changes)}) {
    if (!put) return put.error();
  }
  return changes;
}

std::shared_ptr<const AcceptedRegistry> Intake::describe(const registry::Acceptance& acceptance,
                                                         const std::string& commit) const {
  auto out = std::make_shared<AcceptedRegistry>();
  out->state = state_of(acceptance.state);
  out->observed_commit = commit;
  out->accepted_commit = accepted_commit_;
  for (const auto& problem : acceptance.problems) {
    if (problem.severity != registry::Severity::Error) continue;
    out->problems.push_back({std::string(registry::to_string(problem.code)), problem.file,
                             static_cast<int>(problem.line), static_cast<int>(problem.column), problem.message});
  }
  for (const auto& entry : acceptance.effective->machines) {
    if (entry->provider != provider_) continue;
    // Shares the entry: the value lives as long as somebody uses it.
    out->machines[entry->name] = {std::shared_ptr<const DesiredMachine>(entry, &entry->value), why_stalled(*entry)};
  }
  for (const auto& machine : acceptance.unusable_machines) {
    if (machine.provider == provider_) out->unusable.insert(machine.machine);
  }
  return out;
}

}  // namespace nimbus::controller
