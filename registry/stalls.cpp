#include "registry/stalls.hpp"

#include <algorithm>

namespace nimbus::registry {
namespace {

/// Both sides of such a problem are suspect, whichever was there first.
bool concerns_both(ProblemCode code) { return code == ProblemCode::Duplicate || code == ProblemCode::CidrOverlap; }

}  // namespace

Stalls::Stalls(const Snapshot& loaded) : loaded_(loaded) {
  for (const auto& problem : loaded.problems) {
    if (problem.severity != Severity::Error) continue;
    if (refused_by_.empty() && (problem.file == "registry.toml" || problem.file.starts_with("policy/")))
      refused_by_ = problem.file;
    bad_.insert(problem.file);
    if (concerns_both(problem.code) && !problem.related.empty()) bad_.insert(problem.related);
  }
  if (bad_.empty()) return;
  for (const auto& entry : loaded.machines) machines_.emplace(entry->id(), entry.get());
}

std::vector<Problem> Stalls::against(const Entry<Instance>& entry) const {
  if (none()) return {};
  auto files = dependencies(entry, loaded_);
  if (!entry.value.requirements.machine.empty()) {
    const auto machine = machines_.find(entry.value.provider + "/" + entry.value.requirements.machine);
    if (machine != machines_.end()) {
      // Requirements could not be held against a machine that nobody could read.
      for (auto& file : dependencies(*machine->second, loaded_)) {
        if (std::ranges::find(files, file) == files.end()) files.push_back(std::move(file));
      }
    }
  }
  return errors_of(files);
}

std::vector<Problem> Stalls::errors_of(const std::vector<std::string>& files) const {
  std::vector<Problem> out;
  for (const auto& file : files) {
    if (!bad_.contains(file)) continue;
    for (const auto& problem : loaded_.problems) {
      if (problem.severity != Severity::Error) continue;
      if (problem.file == file || (concerns_both(problem.code) && problem.related == file)) out.push_back(problem);
    }
  }
  return out;
}

}  // namespace nimbus::registry
