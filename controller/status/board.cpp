#include "controller/status/board.hpp"

#include <utility>

#include "controller/status/describe.hpp"

namespace nimbus::controller {

using registry::MachineStatus;

namespace {

registry::RegistryState state_of(AcceptedRegistry::State state) {
  switch (state) {
    case AcceptedRegistry::State::Accepted:
      return registry::RegistryState::Accepted;
    case AcceptedRegistry::State::Partly:
      return registry::RegistryState::Partly;
    case AcceptedRegistry::State::Refused:
      return registry::RegistryState::Refused;
    case AcceptedRegistry::State::Held:
      return registry::RegistryState::Held;
  }
  return registry::RegistryState::Refused;
}

/// "providers/p/machines/[group/]m017.toml" -> "m017"
std::string machine_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  return file.ends_with(".toml") ? file.substr(0, file.size() - 5) : std::string();
}

}  // namespace

StatusBoard::StatusBoard(const Clock& clock, const std::string& provider, Outlet outlet)
    : clock_(clock), machines_folder_("providers/" + provider + "/machines/"), outlet_(std::move(outlet)) {}

void StatusBoard::seen(const MachineFacts& facts) {
  const std::lock_guard lock(mutex_);
  const bool before_the_term = facts.report.refusal && facts.report.refusal->reason == kNoTerm;
  if (seeded_ && !before_the_term) tell(facts);
}

void StatusBoard::tell(const MachineFacts& facts) {
  const std::string& path = facts.machine.desired->path;
  const std::string name = machine_of(path);
  // A pass that ends after its machine left the registry must not bring it back.
  if (registry_ && !registry_->machines.contains(name)) return;
  const auto known = documents_.find(name);
  if (known == documents_.end()) {
    MachineStatus status = describe(facts, std::nullopt, clock_.wall());
    outlet_.machine(path, registry::to_text(status), headline(std::nullopt, status));
    documents_[name] = {path, std::move(status)};
    return;
  }
  Document& document = known->second;
  const std::optional<MachineStatus> earlier = document.status;
  MachineStatus status = describe(facts, earlier, clock_.wall());
  if (document.path == path) return publish_machine(document, earlier, std::move(status));
  // The file moved (another rack), and what is known of the machine moves along.
  outlet_.moved_away(document.path);
  outlet_.machine(path, registry::to_text(status), headline(earlier, status));
  document = {path, std::move(status)};
}

void StatusBoard::accepted(std::shared_ptr<const AcceptedRegistry> registry) {
  const std::lock_guard lock(mutex_);
  const auto before = std::exchange(registry_, std::move(registry));
  if (!seeded_) return;
  const bool same =
      before && before->machines.has_names_of(registry_->machines) && before->unusable == registry_->unusable;
  if (!same) publish_removed();
  publish_controller();
}

void StatusBoard::seed(const std::map<std::string, std::string>& documents) {
  const std::lock_guard lock(mutex_);
  seeded_ = true;
  for (const auto& [path, text] : documents) {
    if (!path.starts_with(machines_folder_)) continue;
    // A document that we cannot read is replaced by the next look.
    if (auto status = registry::parse_machine_status(text, path))
      documents_[machine_of(path)] = {path, std::move(*status)};
  }
  publish_removed();
  publish_controller();
}

PublishedRestart StatusBoard::published_restart(const std::string& machine) {
  const std::lock_guard lock(mutex_);
  if (!seeded_) return {.known = false, .instance = {}, .done = 0};
  const auto known = documents_.find(machine);
  if (known == documents_.end() || !known->second.status.restart) return {};
  return {.known = true, .instance = known->second.status.instance, .done = *known->second.status.restart};
}

void StatusBoard::publish_machine(Document& known, const std::optional<MachineStatus>& before, MachineStatus status) {
  if (known.status == status) return;
  outlet_.machine(known.path, registry::to_text(status), headline(before, status));
  known.status = std::move(status);
}

void StatusBoard::publish_removed() {
  if (!registry_) return;
  for (auto& [name, document] : documents_) {
    if (document.status.phase == registry::MachinePhase::Unmanaged || registry_->unusable.contains(name)) continue;
    if (registry_->machines.contains(name)) continue;  // here, or moved: the next look tells
    const MachineStatus earlier = document.status;
    publish_machine(document, earlier, describe_unmanaged(earlier, clock_.wall()));
  }
}

void StatusBoard::publish_controller() {
  if (!registry_) return;
  registry::ControllerStatus status;
  status.accepted_commit = registry_->accepted_commit;
  status.observed_commit = registry_->observed_commit;
  status.state = state_of(registry_->state);
  status.held_plan = registry_->held_plan;
  for (const auto& problem : registry_->problems) {
    status.problems.push_back({problem.file, problem.line, problem.column, problem.code, problem.message});
  }
  outlet_.controller(status);
}

}  // namespace nimbus::controller
