#include "controller/status/board.hpp"

#include <utility>

#include "controller/status/describe.hpp"

namespace nimbus::controller {
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
  const auto earlier = before(path);
  publish_machine(path, earlier, describe(facts, earlier, clock_.wall()));
}

std::optional<registry::MachineStatus> StatusBoard::before(const std::string& path) {
  if (const auto known = documents_.find(path); known != documents_.end()) return known->second;
  // Machine names are unique per provider: the same name elsewhere is a file that
  // moved (another rack), and what is known of the machine moves along.
  const std::string name = machine_of(path);
  for (auto known = documents_.begin(); known != documents_.end(); ++known) {
    if (machine_of(known->first) != name) continue;
    auto node = documents_.extract(known);
    outlet_.moved_away(node.key());
    return std::move(node.mapped());
  }
  return std::nullopt;
}

void StatusBoard::accepted(std::shared_ptr<const AcceptedRegistry> registry) {
  const std::lock_guard lock(mutex_);
  registry_ = std::move(registry);
  if (!seeded_) return;
  publish_removed();
  publish_controller();
}

void StatusBoard::seed(const std::map<std::string, std::string>& documents) {
  const std::lock_guard lock(mutex_);
  seeded_ = true;
  for (const auto& [path, text] : documents) {
    if (!path.starts_with(machines_folder_)) continue;
    // A document that we cannot read is replaced by the next look.
    if (auto status = registry::parse_machine_status(text, path)) documents_.insert_or_assign(path, std::move(*status));
  }
  publish_removed();
  publish_controller();
}

PublishedRestart StatusBoard::published_restart(const std::string& machine) {
  const std::lock_guard lock(mutex_);
  if (!seeded_) return {.known = false, .instance = {}, .done = 0};
  for (const auto& [path, status] : documents_) {
    if (machine_of(path) != machine) continue;
    if (!status.restart) return {};
    return {.known = true, .instance = status.instance, .done = *status.restart};
  }
  return {};
}

void StatusBoard::publish_machine(const std::string& path, const std::optional<registry::MachineStatus>& before,
                                  registry::MachineStatus status) {
  const auto known = documents_.find(path);
  if (known != documents_.end() && known->second == status) return;
  outlet_.machine(path, registry::to_text(status), headline(before, status));
  documents_.insert_or_assign(path, std::move(status));
}

void StatusBoard::publish_removed() {
  if (!registry_) return;
  for (const auto& [path, status] : documents_) {
    const std::string name = machine_of(path);
    const auto machine = registry_->machines.find(name);
    if (status.phase == registry::MachinePhase::Unmanaged || registry_->unusable.contains(name)) continue;
    if (machine != registry_->machines.end()) continue;  // here, or moved: the next look tells
    publish_machine(path, status, describe_unmanaged(status, clock_.wall()));
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
