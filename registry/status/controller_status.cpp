#include "registry/status/controller_status.hpp"

#include <algorithm>
#include <utility>

#include "base/toml/write.hpp"
#include "registry/status/document.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Array;
using base::toml::Table;
using base::toml::TableReader;

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kLargestTerm = INT64_MAX;

Table problem_table(const StatusProblem& problem) {
  Table table;
  table.set("code", bounded_text(problem.code, kShortTextBytes));
  table.set("column", problem.column);
  table.set("file", bounded_text(problem.file, kShortTextBytes));
  table.set("line", problem.line);
  table.set("message", bounded_text(problem.message, kShortTextBytes));
  return table;
}

Array problem_tables(const std::vector<StatusProblem>& problems) {
  Array array;
  const bool fits = problems.size() <= ControllerStatus::kProblems;
  const std::size_t shown = fits ? problems.size() : ControllerStatus::kProblems - 1;
  for (std::size_t i = 0; i < shown; ++i) array.emplace_back(problem_table(problems[i]));
  if (!fits) {
    const auto more = std::to_string(problems.size() - shown) + " more problems";
    array.emplace_back(problem_table({.code = "more", .message = more}));
  }
  return array;
}

void read_registry(TableReader& top, ControllerStatus& status) {
  auto registry = top.require("registry").table("registry");
  if (!registry) return;
  status.accepted_commit = read_text(*registry, "accepted_commit");
  status.observed_commit = read_text(*registry, "observed_commit");
  status.state =
      read_word(*registry, "state",
                {RegistryState::Accepted, RegistryState::Partly, RegistryState::Refused, RegistryState::Held});
  status.held_plan = read_optional_text(*registry, "held_plan");
  for (auto& table : registry->tables("problem")) {
    StatusProblem problem;
    problem.code = read_text(table, "code");
    problem.column = table.require("column").integer("column", 0).value_or(0);
    problem.file = read_text(table, "file");
    problem.line = table.require("line").integer("line", 0).value_or(0);
    problem.message = read_text(table, "message");
    status.problems.push_back(std::move(problem));
    table.finish();
  }
  registry->finish();
}

}  // namespace

std::string_view to_string(RegistryState state) noexcept {
  switch (state) {
    case RegistryState::Accepted:
      return "accepted";
    case RegistryState::Partly:
      return "partly";
    case RegistryState::Refused:
      return "refused";
    case RegistryState::Held:
      return "held";
  }
  return "";
}

std::string to_text(const ControllerStatus& status) {
  Table controller;
  controller.set("id", bounded_text(status.id));
  controller.set("term", static_cast<std::int64_t>(status.term));
  Table registry;
  registry.set("accepted_commit", bounded_text(status.accepted_commit));
  registry.set("observed_commit", bounded_text(status.observed_commit));
  registry.set("state", to_string(status.state));
  set_text(registry, "held_plan", status.held_plan);
  auto problems = problem_tables(status.problems);
  if (!problems.empty()) registry.set("problem", std::move(problems));
  Table top;
  top.set("format", kFormat);
  top.set("controller", std::move(controller));
  top.set("registry", std::move(registry));
  if (status.audit.records > 0) {
    Table audit;
    audit.set("head", status.audit.head);
    audit.set("records", static_cast<std::int64_t>(status.audit.records));
    top.set("audit", std::move(audit));
  }
  return base::toml::write(top);
}

Result<ControllerStatus> parse_controller_status(std::string_view text) {
  const auto file = kControllerStatusPath;
  auto document = parse_document(text, file);
  if (!document) return std::move(document.error());
  std::vector<base::toml::Fault> faults;
  TableReader top(*document, "", faults);
  const auto format = top.require("format").integer("format");
  if (format && *format != kFormat) {
    return Error{Code::Unsupported, "the status branch has format " + std::to_string(*format) +
                                        ", this program knows format " + std::to_string(kFormat)};
  }
  ControllerStatus status;
  if (auto controller = top.require("controller").table("controller")) {
    status.id = read_text(*controller, "id");
    status.term =
        static_cast<std::uint64_t>(controller->require("term").integer("term", 1, kLargestTerm - 1).value_or(1));
    controller->finish();
  }
  read_registry(top, status);
  if (auto audit = top.table("audit")) {
    status.audit.head = read_text(*audit, "head");
    status.audit.records =
        static_cast<std::uint64_t>(audit->require("records").integer("records", 1, INT64_MAX).value_or(1));
    audit->finish();
  }
  top.finish();
  if (auto fault = first_fault(faults, file)) return std::move(*fault);
  return status;
}

}  // namespace nimbus::registry
