// What the commands about instances share. Internal to cli/instance.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/edited.hpp"
#include "cli/instance/fleet.hpp"
#include "cli/instance/publish.hpp"

namespace nimbus::cli {

/// "acme/web-1", or "web-1" of the tenant of the settings. Errors: Invalid.
struct InstanceName {
  std::string tenant, name;
  std::string id() const { return tenant + "/" + name; }
  std::string path() const { return "tenants/" + tenant + "/instances/" + name + ".toml"; }
};
Result<InstanceName> instance_name(const Context& context, const std::string& text);

/// A registry in a checkout, and an instance of it.
struct Opened {
  Loaded loaded;
  InstanceName name;
  const registry::InstanceEntry* entry = nullptr;  // null: no such file
  Fleet fleet;
  std::string provider = {};  // of the instance
};
/// Fetches the status branches first unless --no-fetch says not to. Errors: Invalid (a
/// bare repository), those of reading.
Result<Opened> open_instance(Context& context, const std::string& text);
Error no_such_instance(const Opened& opened);

/// Brings the status branches, with a warning where that fails.
void fetch_status(Context& context, const Loaded& loaded);

/// A change of one instance's file, from the check to the push.
struct InstanceChange {
  FileChange file;
  std::string subject;                                         // of the commit
  enum class Asks : std::uint8_t { No, Yes } asks = Asks::No;  // a person confirms
  std::string danger = {};                                     // what is lost
};
struct ChangeDone {
  Exit exit = Exit::Ok;
  std::optional<Published> published;  // nothing: nobody was told
};
/// Validates, prints the plan, asks, writes, commits and pushes, as the flags say.
ChangeDone apply_change(Context& context, const Opened& opened, const InstanceChange& change);

/// What is waited for, as the status branch shows it.
struct Goal {
  std::string word;  // "running"
  std::function<bool(const Fleet& fleet)> reached;
};
Goal phase_goal(const std::string& id, const std::string& phase);
/// Tells each step once, until the goal, a failure or --timeout.
Exit follow(Context& context, const Opened& opened, const Goal& goal);
/// The document of the machine that the instance has; null: it has none.
const base::toml::Table* machine_of(const Fleet& fleet, const std::string& id);

/// An instance's keys from the command line's flags, over `instance`. Errors: Invalid.
Result<> read_requirements(const Context& context, Instance& instance);
Choice choice_of(const Context& context);
/// "acme/web-1 goes to berlin-1/m017", or that nothing fits, with why for every machine.
void print_answer(Context& context, const Instance& instance, const Answer& answer);

/// Whether the command that runs has the flag at all.
bool has_flag(const Context& context, std::string_view name);

Exit usage(Context& context, std::string_view message);

}  // namespace nimbus::cli
