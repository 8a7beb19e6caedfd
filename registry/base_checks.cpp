#include "registry/base_checks.hpp"

#include <fmt/core.h>

#include "registry/cross_checks.hpp"

namespace nimbus::registry {

std::vector<Problem> check_against_base(const Snapshot& base, const Snapshot& head, const TreeSource& head_source) {
  std::vector<Problem> problems;
  CrossReport report(head, head_source, problems);
  for (const auto& entry : base.instances) {
    const auto& before = entry->value;
    const auto* now = find_instance(head, entry->tenant, entry->name);
    if (now == nullptr) {
      if (before.is_protected) {
        report.add(
            ProblemCode::Protected, entry->path, {},
            fmt::format("'{}' is protected and cannot be released: set protected = false in a commit of its own first",
                        entry->id()));
      }
      continue;
    }
    const auto& after = now->value;
    const bool free = !before.is_protected && !after.is_protected;
    if (free || has_errors(now->problems)) continue;
    if (after.reinstall > before.reinstall) {
      report.add(ProblemCode::Protected, now->path, "reinstall",
                 "the instance is protected and cannot be installed again: set protected = false in a commit of its "
                 "own first");
    }
    if (after.provider != before.provider) {
      report.add(ProblemCode::Protected, now->path, "provider",
                 "the instance is protected and cannot be moved: set protected = false in a commit of its own first");
    }
  }
  sort_problems(problems);
  return problems;
}

}  // namespace nimbus::registry
