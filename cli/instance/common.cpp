#include "cli/instance/common.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "cli/plan_report.hpp"
#include "cli/settings.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

PushTo push_to(const Context& context) {
  const std::string where = context.args.text("push");
  return where == "branch" ? PushTo::Branch : where == "none" ? PushTo::Nowhere : PushTo::Direct;
}

void print_plan(Context& context, const Opened& opened, const registry::LoadResult& after) {
  const registry::Plan plan =
      registry::make_plan(*opened.loaded.result.snapshot, *after.snapshot, opened.fleet.plan_facts());
  std::vector<StatusUsed> used;
  for (const auto& view : opened.fleet.views) used.push_back({view.provider, view.commit, view.when});
  context.console.out(plan_for_people({.plan = plan,
                                       .base = "the files on disk",
                                       .head = "with this change",
                                       .status = std::move(used),
                                       .now = context.clock.wall()},
                                      context.console));
}

/// Whether a person types the name; on no terminal only --yes counts.
Result<bool> confirmed(Context& context, const Opened& opened, const InstanceChange& change) {
  if (change.asks == InstanceChange::Asks::No || context.args.flag("yes")) return true;
  if (isatty(STDIN_FILENO) == 0) return Error{Code::Invalid, change.danger + "; --yes says that this is meant"};
  context.console.hint(change.danger + ".\nType the name (" + opened.name.id() + ") to go on: ");
  std::string line;
  for (int c = std::fgetc(stdin); c != EOF && c != '\n' && line.size() < 200; c = std::fgetc(stdin))
    line += static_cast<char>(c);
  return base::trim(line) == opened.name.id();
}

Result<> write_to_disk(const Loaded& loaded, const FileChange& change) {
  constexpr unsigned kFolder = 0755;
  const std::string path = loaded.place.folder + "/" + change.path;
  if (!change.text) {
    if (::unlink(path.c_str()) != 0) return Error{Code::Internal, "cannot remove " + change.path};
    return {};
  }
  if (auto made = base::make_folders(path.substr(0, path.rfind('/')), kFolder); !made) return made;
  return base::write_file_atomically(path, *change.text, kRegistryFileMode);
}

void tell(Context& context, const Published& published) {
  const std::string commit = published.commit.substr(0, 12);
  if (published.branch.empty()) {
    context.console.say("committed as " + commit + "; not pushed");
  } else if (published.link.empty()) {
    context.console.say("pushed " + commit + " to " + published.branch);
  } else {
    context.console.say("pushed " + commit + " to " + published.branch + "; make a pull request of it:");
    context.console.out(published.link + "\n");
  }
}

}  // namespace

Exit usage(Context& context, std::string_view message) {
  return static_cast<Exit>(base::finish(base::usage_error(context.table, context.args.command(), message)));
}

bool has_flag(const Context& context, std::string_view name) {
  const auto* command = base::find_command(context.table, context.args.command());
  return command != nullptr && std::ranges::find(command->flags, name, &base::Flag::name) != command->flags.end();
}

Result<InstanceName> instance_name(const Context& context, const std::string& text) {
  const auto slash = text.find('/');
  InstanceName out;
  out.name = slash == std::string::npos ? text : text.substr(slash + 1);
  if (slash != std::string::npos) {
    out.tenant = text.substr(0, slash);
  } else {
    const auto settings = read_settings(settings_path(context.environment));
    if (settings && settings->contains("tenant")) out.tenant = settings->at("tenant");
    if (out.tenant.empty())
      return Error{Code::Invalid, "whose? write TENANT/" + base::printable(text, 100) +
                                      ", or name yours once with 'nimbusctl config set tenant TENANT'"};
  }
  if (!is_dns_label(out.tenant) || !is_dns_label(out.name))
    return Error{Code::Invalid,
                 "'" + base::printable(text, 100) +
                     "' is no instance's name: TENANT/NAME, of lower-case letters, digits and inner dashes"};
  return out;
}

void fetch_status(Context& context, const Loaded& loaded) {
  if (loaded.place.git_folder.empty()) return;
  const Publisher publisher(loaded.place.folder.empty() ? loaded.place.git_folder : loaded.place.folder);
  if (!publisher.has_remote()) return;
  const auto repository = open_repository(loaded.place);
  if (!repository) return;
  if (auto fetched = publisher.fetch_status(branch_prefix(*repository)); !fetched)
    context.console.warning("status may be old: " + fetched.error().message);
}

Result<Opened> open_instance(Context& context, const std::string& text) {
  auto name = instance_name(context, text);
  if (!name) return std::move(name.error());
  auto loaded = load_registry(context.registry_start(), {});
  if (!loaded) return std::move(loaded.error());
  if (!context.args.flag("no-fetch")) fetch_status(context, *loaded);
  auto fleet = read_fleet(*loaded);
  if (!fleet) return std::move(fleet.error());
  Opened out{.loaded = std::move(*loaded), .name = std::move(*name), .fleet = std::move(*fleet)};
  out.entry = registry::find_instance(*out.loaded.result.snapshot, out.name.tenant, out.name.name);
  if (out.entry != nullptr) out.provider = out.entry->value.provider;
  return out;
}

Error no_such_instance(const Opened& opened) {
  std::vector<std::string> all;
  for (const auto& entry : opened.loaded.result.snapshot->instances) all.push_back(entry->id());
  const auto meant = base::did_you_mean(opened.name.id(), all);
  return {Code::NotFound, "no instance '" + opened.name.id() + "'" + (meant ? "; did you mean '" + *meant + "'?" : "")};
}

ChangeDone apply_change(Context& context, const Opened& opened, const InstanceChange& change) {
  const auto failed = [&](const Error& error) { return ChangeDone{fail(context, error), std::nullopt}; };
  if (opened.loaded.place.folder.empty())
    return failed({Code::Invalid, "a bare repository has no files on disk: work in a checkout"});
  const auto after = load_edited(opened.loaded, change.file);
  if (!after) return failed(after.error());
  if (const auto errors = new_errors(opened.loaded, *after); !errors.empty()) return {refuse(context, errors), {}};
  print_plan(context, opened, *after);
  if (context.args.flag("dry-run")) return {Exit::Ok, {}};

  const Publisher publisher(opened.loaded.place.folder);
  PushTo to = push_to(context);
  const bool commits = !opened.loaded.place.git_folder.empty();
  if (commits) {
    if (auto clean = publisher.check_clean(change.file.path); !clean) return failed(clean.error());
    if (to != PushTo::Nowhere && !publisher.has_remote()) {
      if (to == PushTo::Branch) return failed({Code::Invalid, "there is no remote 'origin' to push a branch to"});
      to = PushTo::Nowhere;
    }
  }
  const auto sure = confirmed(context, opened, change);
  if (!sure) return {usage(context, sure.error().message), {}};
  if (!*sure) {
    context.console.say("nothing was changed");
    return {Exit::Error, {}};
  }
  if (!commits || to != PushTo::Branch) {
    if (auto written = write_to_disk(opened.loaded, change.file); !written) return failed(written.error());
  }
  if (!commits) {
    context.console.say(change.file.path + (change.file.text ? ": written" : ": removed") +
                        "; the folder is in no Git repository");
    return {Exit::Ok, {}};
  }
  const auto published =
      publisher.publish(change.file, change.subject, to,
                        fmt::format("nimbusctl/{}-{}-{}", opened.name.tenant, opened.name.name,
                                    context.clock.wall().time_since_epoch().count() / 1'000'000'000));
  if (!published) return failed(published.error());
  tell(context, *published);
  return {Exit::Ok, *published};
}

}  // namespace nimbus::cli
