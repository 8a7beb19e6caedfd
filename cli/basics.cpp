// The small commands: completion, version, help; and what all commands share.
#include <algorithm>

#include <fmt/core.h>

#include "base/args/complete.hpp"
#include "base/text/text.hpp"
#include "cli/context.hpp"
#include "cli/place.hpp"
#include "cli/settings.hpp"
#include "cli/version.hpp"

namespace nimbus::cli {

std::string Context::registry_start() const {
  if (const auto given = args.get("registry")) return *given;
  const auto settings = read_settings(settings_path(environment));
  if (!settings) {
    console.warning(settings.error().text());
    return ".";
  }
  const auto found = settings->find("registry");
  if (found == settings->end()) return ".";
  // The registry that one stands in wins over the usual one.
  return find_place(".") ? "." : found->second;
}

Exit fail(Context& context, const Error& error) {
  context.console.error(error.text());
  if (error.code == Code::NotFound) return Exit::NotFound;
  return error.code == Code::Conflict ? Exit::Conflict : Exit::Error;
}

Exit run_completion(Context& context) {
  const auto script = base::completion_script(context.table, context.args.text("SHELL"));
  context.console.out(script.value_or(std::string()));
  return Exit::Ok;
}

Exit run_version(Context& context) {
  const base::Json json = base::Json::object({{"program", "nimbusctl"}, {"version", kVersion}, {"registry_format", 1}});
  if (context.format() == Format::Table || context.format() == Format::Name) {
    context.console.out(fmt::format("nimbusctl {}\n", kVersion));
  } else {
    context.console.out(render_value(json, context.format()));
  }
  return Exit::Ok;
}

Exit run_help(Context& context) {
  const auto words = context.args.all("WORD");
  if (words.empty()) {
    std::string out = base::help_text(context.table, {}) + "\nTopics:\n";
    for (const auto& topic : context.table.topics) out += fmt::format("  {:<14}{}\n", topic.name, topic.summary);
    context.console.out(out + "\n'nimbusctl help TOPIC' tells more about a topic.\n");
    return Exit::Ok;
  }
  if (words.size() == 1) {
    const auto topic = std::ranges::find(context.table.topics, words.front(), &base::Topic::name);
    if (topic != context.table.topics.end()) {
      context.console.out(base::topic_text(*topic));
      return Exit::Ok;
    }
  }
  if (base::find_command(context.table, words) != nullptr) {
    context.console.out(base::help_text(context.table, words));
    return Exit::Ok;
  }
  std::vector<std::string> names;
  for (const auto& command : context.table.root.commands) names.push_back(command.name);
  for (const auto& topic : context.table.topics) names.push_back(topic.name);
  const auto meant = base::did_you_mean(words.front(), names);
  return static_cast<Exit>(
      base::finish(base::usage_error(context.table, {"help"},
                                     fmt::format("no command or topic '{}'{}", base::printable(words.front(), 100),
                                                 meant ? "; did you mean '" + *meant + "'?" : ""))));
}

}  // namespace nimbus::cli
