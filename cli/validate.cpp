// nimbusctl validate.
#include <vector>

#include "cli/context.hpp"
#include "cli/loaded.hpp"
#include "cli/problem_report.hpp"
#include "registry/base_checks.hpp"

namespace nimbus::cli {

namespace {

/// What is wrong with `loaded` as the next version after `base`.
Result<std::vector<registry::Problem>> problems_against(const Loaded& loaded, const std::string& base) {
  auto repository = open_repository(loaded.place);
  if (!repository) return std::move(repository.error());
  auto commit = resolve_revision(*repository, base);
  if (!commit) return std::move(commit.error());
  auto before = load_commit(*repository, *commit);
  if (!before) return std::move(before.error());
  return registry::check_against_base(*before->snapshot, *loaded.result.snapshot, *loaded.source);
}

}  // namespace

Exit run_validate(Context& context) {
  const std::string folder = context.args.get("DIR").value_or(context.registry_start());
  auto result = load_registry(folder, context.args.text("rev"));
  if (!result) return fail(context, result.error());
  // Never freed: the program ends here, and taking 10,000 machines apart would be a tenth of its time.
  static const Loaded* const loaded = new Loaded(std::move(*result));
  std::vector<registry::Problem> problems = loaded->result.problems;
  if (const auto base_name = context.args.get("base")) {
    auto against = problems_against(*loaded, *base_name);
    if (!against) return fail(context, against.error().with("as the version before"));
    problems.insert(problems.end(), against->begin(), against->end());
    registry::sort_problems(problems);
  }
  const Report report{.problems = problems, .files = loaded->files(), .text_of = [&](const std::string& file) {
                        return loaded->text_of(file);
                      }};
  const auto format = parse_report_format(context.args.text("format")).value_or(ReportFormat::Human);
  context.console.out(render(report, format, context.console));
  context.console.say(summary(report));
  return report.errors() > 0 ? Exit::Invalid : Exit::Ok;
}

}  // namespace nimbus::cli
