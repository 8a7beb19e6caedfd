// A plan in the forms that people and pipelines read. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"
#include "cli/plan_hosts.hpp"
#include "core/time.hpp"
#include "registry/plan/plan.hpp"

namespace nimbus::cli {

/// The observed state that the plan used, of one provider.
struct StatusUsed {
  std::string provider;
  std::string commit;
  WallTime when{};
};

struct PlanReport {
  const registry::Plan& plan;
  std::string base, head;          // as shown: revisions, or "the files on disk"
  std::vector<StatusUsed> status;  // empty: nothing was observed
  std::size_t head_errors = 0;     // of validation
  WallTime now{};
  std::vector<HostPlan> hosts = {};  // whose configuration changes
  std::size_t hosts_left_out = 0;
};

/// For a terminal; foreign text escaped.
std::string plan_for_people(const PlanReport& report, const Console& console);
std::string plan_as_json(const PlanReport& report);
/// For a comment on a pull request: data loss first, at most kMostMarkdown bytes, and
/// whatever comes from files cannot be markup, a mention, a link or a command.
std::string plan_as_markdown(const PlanReport& report);
/// Forges take comments of 65,536 characters (GitHub) and more.
inline constexpr std::size_t kMostMarkdown = 60'000;

/// Foreign text inside of Markdown, as code that is nothing but text.
std::string markdown_code(std::string_view text, std::size_t limit = 200);

}  // namespace nimbus::cli
