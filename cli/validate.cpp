// nimbusctl validate.
#include <map>
#include <memory>

#include "cli/context.hpp"
#include "cli/loaded.hpp"
#include "cli/problem_report.hpp"

namespace nimbus::cli {

Exit run_validate(Context& context) {
  const std::string folder = context.args.get("DIR").value_or(context.registry_start());
  auto loaded = load_registry(folder, context.args.text("rev"));
  if (!loaded) return fail(context, loaded.error());
  const Report report{.problems = loaded->result.problems,
                      .files = loaded->files(),
                      .text_of = [&](const std::string& file) { return loaded->text_of(file); }};
  const auto format = parse_report_format(context.args.text("format")).value_or(ReportFormat::Human);
  context.console.out(render(report, format, context.console));
  context.console.say(summary(report));
  return report.errors() > 0 ? Exit::Invalid : Exit::Ok;
}

}  // namespace nimbus::cli
