// nimbusctl status: what the providers' controllers reported, from the status
// branches in a local clone. No network, no server.
#include <algorithm>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/age.hpp"
#include "cli/context.hpp"
#include "cli/conversion.hpp"
#include "cli/live/commands.hpp"
#include "cli/place.hpp"
#include "cli/status_read.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
namespace toml = base::toml;

Style registry_style(const std::string& state) {
  if (state == "accepted") return Style::Good;
  return state == "refused" ? Style::Bad : Style::Warning;
}

std::string why(const Health& health) {
  if (health.message.empty()) return health.reason;
  return health.reason.empty() ? health.message : health.reason + ": " + health.message;
}

const toml::Array* problems_of(const ProviderView& view) {
  const toml::Value* registry = view.controller.find("registry");
  const toml::Table* table = registry == nullptr ? nullptr : registry->table();
  const toml::Value* problems = table == nullptr ? nullptr : table->find("problem");
  return problems == nullptr ? nullptr : problems->array();
}

Json machine_json(const MachineView& machine) {
  return Json::object({{"provider", machine.provider},
                       {"name", machine.name},
                       {"path", machine.path},
                       {"health", to_string(machine.health.level)},
                       {"reason", machine.health.reason},
                       {"message", machine.health.message},
                       {"status", to_json(machine.document)}});
}

struct Counts {
  std::size_t ok = 0, attention = 0, trouble = 0, unknown = 0;
};
Counts count(const ProviderView& view) {
  Counts counts;
  for (const auto& machine : view.machines) {
    switch (machine.health.level) {
      case Health::Level::Ok:
        ++counts.ok;
        break;
      case Health::Level::Attention:
        ++counts.attention;
        break;
      case Health::Level::Trouble:
        ++counts.trouble;
        break;
      case Health::Level::Unknown:
        ++counts.unknown;
        break;
    }
  }
  return counts;
}

Listing providers_listing(const std::vector<ProviderView>& views, WallTime now) {
  using enum Column::When;
  Listing out{.columns = {{"PROVIDER", Always},
                          {"MACHINES", Always},
                          {"OK", Always},
                          {"ATTENTION", Always},
                          {"TROUBLE", Always},
                          {"UNKNOWN", Always},
                          {"REGISTRY", Always},
                          {"TERM", Always},
                          {"UPDATED", Always},
                          {"CONTROLLER", Column::When::Wide},
                          {"COMMIT", Column::When::Wide}}};
  for (const auto& view : views) {
    const Counts counts = count(view);
    const std::string state = text_at(view.controller, "registry.state");
    const auto number = [](std::size_t n, Style style) { return Cell{std::to_string(n), n == 0 ? Style::Dim : style}; };
    Json machines = Json::array();
    for (const auto& machine : view.machines) machines.push(machine_json(machine));
    out.rows.push_back({.name = view.provider,
                        .cells = {{view.provider},
                                  {std::to_string(view.machines.size())},
                                  number(counts.ok, Style::Good),
                                  number(counts.attention, Style::Warning),
                                  number(counts.trouble, Style::Bad),
                                  number(counts.unknown, Style::Warning),
                                  {state.empty() ? "-" : state, registry_style(state)},
                                  {text_at(view.controller, "controller.term")},
                                  {age_text(view.when, now) + " ago"},
                                  {text_at(view.controller, "controller.id")},
                                  {view.commit.substr(0, 12)}},
                        .json = Json::object({{"provider", view.provider},
                                              {"reference", view.reference},
                                              {"commit", view.commit},
                                              {"updated", base::to_rfc3339(view.when)},
                                              {"subject", view.subject},
                                              {"controller", to_json(view.controller)},
                                              {"machines", machines}})});
  }
  return out;
}

Listing machines_listing(const std::vector<const MachineView*>& machines) {
  using enum Column::When;
  Listing out{.columns = {{"MACHINE", Always},
                          {"HEALTH", Always},
                          {"PHASE", Always},
                          {"POWER", Always},
                          {"INSTANCE", Always},
                          {"SERIAL", Column::When::Wide},
                          {"SINCE", Column::When::Wide},
                          {"WHY", Always}}};
  for (const auto* machine : machines) {
    const auto said = [&](std::string_view path) {
      const std::string text = text_at(machine->document, path);
      return Cell{text.empty() ? "-" : text};
    };
    out.rows.push_back({.name = machine->provider + "/" + machine->name,
                        .cells = {{machine->provider + "/" + machine->name},
                                  {std::string(to_string(machine->health.level)), style_of(machine->health.level)},
                                  said("phase"),
                                  said("power"),
                                  said("instance"),
                                  said("identity.serial"),
                                  said("condition.ready.since"),
                                  {why(machine->health)}},
                        .json = machine_json(*machine)});
  }
  return out;
}

void show_registry_problems(Context& context, const ProviderView& view) {
  const auto* problems = problems_of(view);
  if (problems == nullptr || problems->empty()) return;
  Listing listing{.columns = {{"REGISTRY PROBLEM"}, {"WHAT"}}};
  for (const auto& problem : *problems) {
    const auto* table = problem.table();
    if (table == nullptr) continue;
    listing.rows.push_back({.cells = {{fmt::format("{}:{}:{}", text_at(*table, "file"), text_at(*table, "line"),
                                                   text_at(*table, "column")),
                                       Style::Bad},
                                      {fmt::format("{} [{}]", text_at(*table, "message"), text_at(*table, "code"))}}});
  }
  context.console.out("\n" + render(listing, Format::Table, context.console));
}

void warn_unreadable(Context& context, const ProviderView& view) {
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < view.unreadable.size() && i < kShown; ++i) {
    context.console.warning("unreadable status document " + view.unreadable[i]);
  }
  if (view.unreadable.size() > kShown) {
    context.console.warning(fmt::format("and {} more", view.unreadable.size() - kShown));
  }
}

bool for_people(Format format) { return format == Format::Table || format == Format::Wide; }

Exit show_all(Context& context, const registry::GitRepository& repository, const std::string& prefix) {
  auto providers = list_providers(repository);
  if (!providers) return fail(context, providers.error());
  if (providers->empty()) context.console.say("the registry has no provider yet");
  std::vector<ProviderView> views;
  for (const auto& provider : *providers) {
    auto view = read_provider_status(repository, prefix, provider);
    if (!view && view.error().code == Code::NotFound) {
      context.console.say(view.error().message);
      continue;
    }
    if (!view) return fail(context, view.error());
    warn_unreadable(context, *view);
    views.push_back(std::move(*view));
  }
  if (!providers->empty() && views.empty()) return Exit::NotFound;
  context.console.out(render(providers_listing(views, context.clock.wall()), context.format(), context.console));
  if (!for_people(context.format())) return Exit::Ok;
  std::vector<const MachineView*> troubled;
  for (const auto& view : views) {
    for (const auto& machine : view.machines) {
      if (machine.health.level != Health::Level::Ok) troubled.push_back(&machine);
    }
  }
  if (!troubled.empty()) {
    context.console.out("\n" + render(machines_listing(troubled), context.format(), context.console));
  }
  for (const auto& view : views) show_registry_problems(context, view);
  return Exit::Ok;
}

Exit show_provider(Context& context, const ProviderView& view) {
  std::vector<const MachineView*> machines;
  for (const auto& machine : view.machines) machines.push_back(&machine);
  if (for_people(context.format())) {
    const std::string state = text_at(view.controller, "registry.state");
    context.console.out(fmt::format(
        "{}  registry {}  controller {}  term {}  updated {} ago\n\n",
        context.console.paint(Style::Bold, view.provider),
        context.console.paint(registry_style(state), base::printable(state.empty() ? "unknown" : state, 40)),
        base::printable(text_at(view.controller, "controller.id"), 100),
        base::printable(text_at(view.controller, "controller.term"), 40), age_text(view.when, context.clock.wall())));
  }
  context.console.out(render(machines_listing(machines), context.format(), context.console));
  if (for_people(context.format())) show_registry_problems(context, view);
  return Exit::Ok;
}

/// Everything about one machine: the head, its conditions, drift and runs.
void show_machine_for_people(Context& context, const MachineView& machine) {
  auto& console = context.console;
  Listing head{.columns = {{"MACHINE"}, {machine.provider + "/" + machine.name}}};
  const auto add = [&](const char* title, const std::string& text, Style style = Style::Plain) {
    if (!text.empty()) head.rows.push_back({.cells = {{title, Style::Dim}, {text, style}}});
  };
  add("health", std::string(to_string(machine.health.level)), style_of(machine.health.level));
  add("why", why(machine.health));
  for (const char* key :
       {"phase", "power", "instance", "identity.serial", "identity.uuid", "identity.bmc_guid", "claim.instance",
        "claim.since", "installed.disk", "installed.image_sha256", "desired_digest", "applied_digest"}) {
    add(key, text_at(machine.document, key));
  }
  add("file", machine.path);
  console.out(render(head, Format::Table, console));

  const auto section = [&](const char* key, const std::vector<std::pair<const char*, const char*>>& fields) {
    const toml::Value* value = machine.document.find(key);
    const toml::Array* items = value == nullptr ? nullptr : value->array();
    if (items == nullptr || items->empty()) return;
    Listing listing;
    for (const auto& field : fields) listing.columns.push_back({field.first});
    for (const auto& item : *items) {
      if (item.table() == nullptr) continue;
      auto& row = listing.rows.emplace_back();
      for (const auto& field : fields) row.cells.push_back({text_at(*item.table(), field.second)});
    }
    console.out("\n" + render(listing, Format::Table, console));
  };
  const toml::Value* conditions = machine.document.find("condition");
  if (conditions != nullptr && conditions->table() != nullptr) {
    Listing listing{.columns = {{"CONDITION"}, {"STATUS"}, {"SINCE"}, {"REASON"}, {"MESSAGE"}}};
    for (const auto& member : conditions->table()->members()) {
      if (member.value.table() == nullptr) continue;
      const auto& condition = *member.value.table();
      listing.rows.push_back({.cells = {{member.key},
                                        {text_at(condition, "status")},
                                        {text_at(condition, "since")},
                                        {text_at(condition, "reason")},
                                        {text_at(condition, "message")}}});
    }
    console.out("\n" + render(listing, Format::Table, console));
  }
  section("drift", {{"DRIFT", "key"}, {"DESIRED", "desired"}, {"OBSERVED", "observed"}});
  section("run", {{"RUN", "action"},
                  {"STARTED", "started"},
                  {"FINISHED", "finished"},
                  {"OUTCOME", "outcome"},
                  {"COMMIT", "commit"},
                  {"MESSAGE", "message"}});
  section(
      "erased",
      {{"ERASED DISK", "disk"}, {"LEVEL", "level"}, {"METHOD", "method"}, {"VERIFIED", "verified"}, {"WHEN", "when"}});
}

Exit show_machine(Context& context, const ProviderView& view, const std::string& name) {
  const auto found = std::ranges::find(view.machines, name, &MachineView::name);
  if (found == view.machines.end()) {
    std::vector<std::string> names;
    for (const auto& machine : view.machines) names.push_back(machine.name);
    const auto meant = base::did_you_mean(name, names);
    return fail(context, {Code::NotFound, fmt::format("no status of machine '{}' at provider '{}'{}", name,
                                                      view.provider, meant ? "; did you mean '" + *meant + "'?" : "")});
  }
  if (for_people(context.format())) {
    show_machine_for_people(context, *found);
  } else if (context.format() == Format::Name) {
    context.console.out(found->provider + "/" + found->name + "\n");
  } else {
    context.console.out(render_value(machine_json(*found), context.format()));
  }
  return Exit::Ok;
}

}  // namespace

Exit run_status(Context& context) {
  if (context.args.flag("live")) {
    const std::string live = context.args.text("PROVIDER[/MACHINE]");
    return live.find('/') == std::string::npos ? show_live_status(context) : explain_machine(context, live);
  }
  auto place = find_place(context.registry_start());
  if (!place) return fail(context, place.error());
  auto repository = open_repository(*place);
  if (!repository) return fail(context, repository.error());
  const std::string prefix = branch_prefix(*repository);
  const std::string what = context.args.text("PROVIDER[/MACHINE]");
  if (what.empty()) return show_all(context, *repository, prefix);

  const auto slash = what.find('/');
  const std::string provider = what.substr(0, slash);
  const std::string machine = slash == std::string::npos ? std::string() : what.substr(slash + 1);
  if (!is_dns_label(provider) || (slash != std::string::npos && !is_dns_label(machine))) {
    return static_cast<Exit>(
        base::finish(base::usage_error(context.table, {"status"}, "name a provider, or PROVIDER/MACHINE")));
  }
  auto view = read_provider_status(*repository, prefix, provider);
  if (!view) return fail(context, view.error());
  warn_unreadable(context, *view);
  return machine.empty() ? show_provider(context, *view) : show_machine(context, *view, machine);
}

}  // namespace nimbus::cli
