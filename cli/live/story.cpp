// nimbusctl history, trace, drift: what the status branch tells of machines. No server,
// no network.
#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/conversion.hpp"
#include "cli/live/commands.hpp"
#include "cli/live/nimbusd.hpp"
#include "cli/place.hpp"
#include "cli/status_read.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
using registry::GitCommit;
using registry::GitRepository;

/// Of a status branch or a registry, for one question: bounds the work.
constexpr std::size_t kMostCommits = 20'000;

struct Found {
  GitRepository repository;
  ProviderView view;
  MachineView machine;
};

Result<GitRepository> open_registry(Context& context) {
  const auto place = find_place(context.registry_start());
  if (!place) return place.error();
  return open_repository(*place);
}

/// Views of all providers that reported something.
Result<std::vector<ProviderView>> all_views(const GitRepository& repository) {
  const auto providers = list_providers(repository);
  if (!providers) return providers.error();
  std::vector<ProviderView> views;
  const std::string prefix = branch_prefix(repository);
  for (const auto& provider : *providers) {
    auto view = read_provider_status(repository, prefix, provider);
    if (view) views.push_back(std::move(*view));
  }
  return views;
}

/// "m017" or "berlin-1/m017", in the status branches. Errors: NotFound, Invalid (two
/// providers have one of that name).
Result<Found> find_machine(Context& context, const std::string& text) {
  auto name = machine_name(text);
  if (!name) return std::move(name.error());
  const auto slash = text.find('/');
  const std::string provider = slash == std::string::npos ? std::string() : text.substr(0, slash);
  auto repository = open_registry(context);
  if (!repository) return std::move(repository.error());
  auto views = all_views(*repository);
  if (!views) return std::move(views.error());
  std::optional<Found> found;
  for (auto& view : *views) {
    if (!provider.empty() && view.provider != provider) continue;
    for (const auto& machine : view.machines) {
      if (machine.name != *name) continue;
      if (found) return Error{Code::Invalid, "two providers have a machine '" + *name + "': write PROVIDER/MACHINE"};
      MachineView copy = machine;
      auto opened = GitRepository::open(repository->path());
      if (!opened) return std::move(opened.error());
      found.emplace(Found{std::move(*opened), view, std::move(copy)});
      break;
    }
  }
  if (!found) return Error{Code::NotFound, "no controller reported a machine '" + base::printable(text, 200) + "'"};
  return std::move(*found);
}

/// What a status commit's message says of one machine; the subject if it names no other.
std::string said_of(const GitCommit& commit, const std::string& machine) {
  const std::string_view message = commit.message;
  const std::string mark = machine + ": ";
  std::size_t at = 0;
  while (at < message.size()) {
    const auto end = message.find('\n', at);
    const std::string_view line = message.substr(at, end == std::string_view::npos ? end : end - at);
    if (line.starts_with(mark)) return base::printable(line.substr(mark.size()), 300);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return base::printable(message.substr(0, message.find('\n')), 300);
}

std::string trailer(const GitCommit& commit, std::string_view name) {
  const std::string mark = "\n" + std::string(name) + ": ";
  const auto at = commit.message.rfind(mark);
  if (at == std::string::npos) return {};
  const auto from = at + mark.size();
  return base::printable(commit.message.substr(from, commit.message.find('\n', from) - from), 200);
}

std::string person(const registry::GitPerson& who) {
  return base::printable(fmt::format("{} <{}>", who.name, who.email), 300);
}

/// The commit that last changed `path`, going back from `from` along first parents.
Result<std::optional<GitCommit>> last_change(const GitRepository& repository, const std::string& from,
                                             const std::string& path) {
  std::string id = from;
  for (std::size_t i = 0; i < kMostCommits; ++i) {
    auto commit = repository.commit(id);
    if (!commit) return std::move(commit.error());
    const auto here = repository.find(id, path);
    if (!here) return here.error();
    if (!*here) return std::optional<GitCommit>();
    if (commit->parents.empty()) return std::optional<GitCommit>(std::move(*commit));
    const auto before = repository.find(commit->parents.front(), path);
    if (!before) return before.error();
    if (!*before || (*before)->id != (*here)->id) return std::optional<GitCommit>(std::move(*commit));
    id = commit->parents.front();
  }
  return std::optional<GitCommit>();
}

struct Entry {
  GitCommit commit;
  std::string said;
};

/// Status commits that changed the machine's document, newest first.
Result<std::vector<Entry>> story_of(const Found& found, std::size_t most) {
  std::vector<Entry> entries;
  std::string id = found.view.commit;
  for (std::size_t i = 0; i < kMostCommits && entries.size() < most; ++i) {
    auto changed = last_change(found.repository, id, found.machine.path);
    if (!changed) return std::move(changed.error());
    if (!*changed) break;
    const GitCommit& commit = **changed;
    entries.push_back({commit, said_of(commit, found.machine.name)});
    if (commit.parents.empty()) break;
    id = commit.parents.front();
  }
  return entries;
}

struct Step {
  std::string what;
  std::string commit;
  std::string when;
  std::string who;
  std::string subject;
};

Step step_of(std::string what, const GitCommit& commit, std::string subject = {}) {
  if (subject.empty()) subject = base::printable(commit.message.substr(0, commit.message.find('\n')), 300);
  return {std::move(what), commit.id, base::to_rfc3339(commit.author.when), person(commit.author), std::move(subject)};
}

}  // namespace

Exit run_history(Context& context) {
  const auto found = find_machine(context, context.args.text("MACHINE"));
  if (!found) return fail(context, found.error());
  const auto entries = story_of(*found, static_cast<std::size_t>(context.args.number("limit")));
  if (!entries) return fail(context, entries.error());
  using enum Column::When;
  Listing listing{
      .columns = {{"TIME"}, {"WHAT"}, {"REGISTRY"}, {"STATUS COMMIT"}, {"CONTROLLER", Wide}, {"TERM", Wide}}};
  for (const auto& entry : *entries) {
    const std::string time = base::to_rfc3339(entry.commit.author.when);
    const std::string from = trailer(entry.commit, "Nimbus-Registry");
    const std::string controller = trailer(entry.commit, "Nimbus-Controller");
    const std::string term = trailer(entry.commit, "Nimbus-Term");
    listing.rows.push_back(
        {.name = entry.commit.id,
         .cells = {{time}, {entry.said}, {from.substr(0, 12)}, {entry.commit.id.substr(0, 12)}, {controller}, {term}},
         .json = Json::object({{"time", time},
                               {"what", entry.said},
                               {"registry_commit", from},
                               {"status_commit", entry.commit.id},
                               {"controller", controller},
                               {"term", term}})});
  }
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

Exit run_trace(Context& context) {
  const auto found = find_machine(context, context.args.text("MACHINE"));
  if (!found) return fail(context, found.error());
  const auto entries = story_of(*found, 1);
  if (!entries) return fail(context, entries.error());
  std::vector<Step> steps;
  if (!entries->empty()) {
    const Entry& newest = entries->front();
    steps.push_back(step_of("status", newest.commit, newest.said));
    const std::string in_force = trailer(newest.commit, "Nimbus-Registry");
    const auto commit = found->repository.commit(in_force);
    if (commit) {
      steps.push_back(step_of("registry in force", *commit));
      const auto file = last_change(found->repository, in_force, found->machine.path);
      if (file && *file) steps.push_back(step_of("machine's file", **file));
    } else if (!in_force.empty()) {
      context.console.warning("commit " + in_force.substr(0, 12) + " is not in this clone: fetch it first");
    }
  }
  Listing listing{.columns = {{"STEP"}, {"COMMIT"}, {"WHEN"}, {"WHO"}, {"WHAT"}}};
  for (const auto& step : steps) {
    listing.rows.push_back(
        {.name = step.commit,
         .cells = {{step.what}, {step.commit.substr(0, 12)}, {step.when}, {step.who}, {step.subject}},
         .json = Json::object({{"step", step.what},
                               {"commit", step.commit},
                               {"time", step.when},
                               {"who", step.who},
                               {"subject", step.subject}})});
  }
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

namespace {

/// Instances whose hosts are not as declared.
void add_hosts(const ProviderView& view, Listing& listing) {
  for (const auto& instance : view.instances) {
    const auto* drifts = instance.document.find("drift");
    if (drifts == nullptr || drifts->array() == nullptr) continue;
    const std::string since = text_at(instance.document, "condition.configured.since");
    for (const auto& drift : *drifts->array()) {
      if (drift.table() == nullptr) continue;
      const auto& table = *drift.table();
      const std::string key = text_at(table, "key");
      const std::string desired = text_at(table, "desired");
      const std::string observed = text_at(table, "observed");
      listing.rows.push_back({.name = instance.id,
                              .cells = {{instance.id}, {key}, {desired}, {observed}, {since}},
                              .json = Json::object({{"instance", instance.id},
                                                    {"key", key},
                                                    {"desired", desired},
                                                    {"observed", observed},
                                                    {"since", since}})});
    }
  }
}

}  // namespace

Exit run_drift(Context& context) {
  const auto wanted = context.args.get("PROVIDER");
  if (wanted && is_instance_name(std::string(*wanted))) return drift_of_instance(context, std::string(*wanted));
  const auto repository = open_registry(context);
  if (!repository) return fail(context, repository.error());
  const auto views = all_views(*repository);
  if (!views) return fail(context, views.error());
  Listing listing{.columns = {{"MACHINE"}, {"WHAT"}, {"DESIRED"}, {"OBSERVED"}, {"SINCE"}}};
  for (const auto& view : *views) {
    if (wanted && view.provider != *wanted) continue;
    for (const auto& machine : view.machines) {
      const auto* drifts = machine.document.find("drift");
      if (drifts == nullptr || drifts->array() == nullptr) continue;
      const std::string name = machine.provider + "/" + machine.name;
      const std::string since = text_at(machine.document, "condition.drift.since");
      for (const auto& drift : *drifts->array()) {
        if (drift.table() == nullptr) continue;
        const auto& table = *drift.table();
        listing.rows.push_back(
            {.name = name,
             .cells =
                 {{name}, {text_at(table, "key")}, {text_at(table, "desired")}, {text_at(table, "observed")}, {since}},
             .json = Json::object({{"machine", name},
                                   {"key", text_at(table, "key")},
                                   {"desired", text_at(table, "desired")},
                                   {"observed", text_at(table, "observed")},
                                   {"since", since}})});
      }
    }
  }
  for (const auto& view : *views) {
    if (!wanted || view.provider == *wanted) add_hosts(view, listing);
  }
  const bool any = !listing.rows.empty();
  context.console.out(render(listing, context.format(), context.console));
  return any && context.args.flag("exit-code") ? Exit::Changes : Exit::Ok;
}

}  // namespace nimbus::cli
