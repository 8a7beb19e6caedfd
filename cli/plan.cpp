// nimbusctl plan and nimbusctl approve.
#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"
#include "cli/context.hpp"
#include "cli/loaded.hpp"
#include "cli/plan_facts.hpp"
#include "cli/plan_hosts.hpp"
#include "cli/plan_report.hpp"
#include "cli/status_read.hpp"
#include "registry/git/commit_source.hpp"

namespace nimbus::cli {
namespace {

/// Providers of either version of the registry, each once.
std::vector<std::string> providers_of(const registry::Snapshot& base, const registry::Snapshot& head) {
  std::vector<std::string> out;
  for (const auto* snapshot : {&base, &head}) {
    for (const auto& provider : snapshot->providers) out.push_back(provider->provider);
  }
  std::ranges::sort(out);
  // Not std::ranges::unique: clang 14 cannot compile GCC 12's.
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

/// What the status branches say: those named by --status, or all that this clone has.
Result<registry::PlanFacts> read_facts(Context& context, const registry::GitRepository& repository,
                                       const registry::Snapshot& base, const registry::Snapshot& head,
                                       std::vector<StatusUsed>& used) {
  registry::PlanFacts facts;
  const auto named = context.args.all("status");
  if (named == std::vector<std::string>{"none"}) return facts;
  const std::string prefix = branch_prefix(repository);
  for (const auto& provider : providers_of(base, head)) {
    const auto mine = std::ranges::find_if(
        named, [&](const std::string& ref) { return ref == provider || ref.ends_with("/" + provider); });
    if (!named.empty() && mine == named.end()) continue;
    auto view = mine != named.end() && *mine != provider ? read_status_at(repository, *mine, provider)
                                                         : read_provider_status(repository, prefix, provider);
    if (!view && view.error().code == Code::NotFound && named.empty()) continue;
    if (!view) return std::move(view.error());
    for (const auto& broken : view->unreadable) context.console.warning("unreadable status document " + broken);
    add_facts(*view, facts);
    used.push_back({provider, view->commit, view->when});
  }
  if (!named.empty() && used.size() != named.size()) {
    return Error{Code::NotFound, "--status names a branch whose last part is no provider of this registry"};
  }
  return facts;
}

/// One version of the registry, and where its files can be read.
struct Version {
  registry::LoadResult result;
  std::unique_ptr<registry::TreeSource> source;
  PlanSide side() const { return {*result.snapshot, *source}; }
};

Result<Version> version_of(const registry::GitRepository& repository, const registry::ObjectId& commit) {
  auto source = std::make_unique<registry::CommitSource>(repository, commit);
  auto result = registry::load(*source);
  if (!result) return std::move(result.error());
  return Version{std::move(*result), std::move(source)};
}

/// The version that would be: --head, or the files on disk.
Result<Version> load_head(const Place& place, const registry::GitRepository& repository, const std::string& revision) {
  if (revision.empty() && !place.folder.empty()) {
    auto loaded = load_registry(place.folder, {});
    if (!loaded) return std::move(loaded.error());
    return Version{std::move(loaded->result), std::move(loaded->source)};
  }
  auto commit = resolve_revision(repository, revision.empty() ? "HEAD" : revision);
  if (!commit) return std::move(commit.error());
  return version_of(repository, *commit);
}

std::size_t count_errors(const std::vector<registry::Problem>& problems) {
  return static_cast<std::size_t>(
      std::ranges::count(problems, registry::Severity::Error, &registry::Problem::severity));
}

}  // namespace

Exit run_plan(Context& context) {
  auto place = find_place(context.registry_start());
  if (!place) return fail(context, place.error());
  auto repository = open_repository(*place);
  if (!repository) return fail(context, repository.error());
  const std::string head_name = context.args.text("head");
  const bool on_disk = head_name.empty() && !place->folder.empty();
  const std::string base_name =
      context.args.get("base").value_or(on_disk ? "HEAD" : (head_name.empty() ? "HEAD~1" : head_name + "~1"));
  auto base_commit = resolve_revision(*repository, base_name);
  if (!base_commit) return fail(context, base_commit.error().with("as the plan's base"));
  auto base = version_of(*repository, *base_commit);
  if (!base) return fail(context, base.error());
  auto head = load_head(*place, *repository, head_name);
  if (!head) return fail(context, head.error());

  std::vector<StatusUsed> used;
  auto facts = read_facts(context, *repository, *base->result.snapshot, *head->result.snapshot, used);
  if (!facts) return fail(context, facts.error());
  const registry::Plan plan = registry::make_plan(*base->result.snapshot, *head->result.snapshot, *facts);
  std::size_t hosts_left_out = 0;
  auto hosts = plan_hosts(base->side(), head->side(), *facts, hosts_left_out);
  const PlanReport report{.plan = plan,
                          .base = base_name,
                          .head = on_disk ? "the files on disk" : (head_name.empty() ? "HEAD" : head_name),
                          .status = std::move(used),
                          .head_errors = count_errors(head->result.problems),
                          .now = context.clock.wall(),
                          .hosts = std::move(hosts),
                          .hosts_left_out = hosts_left_out};
  const std::string format = context.args.text("format");
  if (format == "json") {
    context.console.out(plan_as_json(report));
  } else if (format == "markdown") {
    context.console.out(plan_as_markdown(report));
  } else {
    context.console.out(plan_for_people(report, context.console));
  }
  if (report.head_errors > 0) {
    context.console.warning(fmt::format("{} error{} in {}; 'nimbusctl validate' names {}", report.head_errors,
                                        report.head_errors == 1 ? "" : "s", report.head,
                                        report.head_errors == 1 ? "it" : "them"));
  }
  return context.args.flag("exit-code") && !plan.items.empty() ? Exit::Changes : Exit::Ok;
}

Exit run_approve(Context& context) {
  constexpr unsigned kFile = 0644, kFolder = 0755;
  constexpr std::size_t kDigest = 64;
  const std::string digest = context.args.text("DIGEST");
  const bool hex = std::ranges::all_of(digest, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (digest.size() != kDigest || !hex) {
    return static_cast<Exit>(base::finish(base::usage_error(
        context.table, {"approve"}, "DIGEST is the 64 hexadecimal digits that 'nimbusctl plan' prints")));
  }
  const auto reason = context.args.get("reason");
  if (!reason || base::trim(*reason).empty() || base::printable(*reason, reason->size() + 1) != *reason) {
    return static_cast<Exit>(
        base::finish(base::usage_error(context.table, {"approve"}, "--reason says why, in one line of text")));
  }
  const auto lasts = base::parse_duration(context.args.text("expires"));
  constexpr auto kLongest = std::chrono::hours(24 * 90);
  if (!lasts || *lasts > kLongest) {
    return static_cast<Exit>(
        base::finish(base::usage_error(context.table, {"approve"}, "an approval holds at most 90d")));
  }
  auto place = find_place(context.registry_start());
  if (!place) return fail(context, place.error());
  if (place->folder.empty())
    return fail(context, {Code::Invalid, "a bare repository has no files on disk: approve in a checkout, and commit"});

  base::toml::Table table;
  table.set("reason", *reason);
  const auto expires = std::chrono::floor<std::chrono::seconds>(context.clock.wall() + *lasts);
  table.set("expires", base::toml::DateTime::from(expires));
  const std::string folder = place->folder + "/policy/approvals";
  const std::string name = "policy/approvals/" + digest + ".toml";
  if (base::read_file(place->folder + "/" + name, base::toml::kMaxText)) {
    return fail(context, {Code::Conflict, name + " exists"});
  }
  if (auto made = base::make_folders(folder, kFolder); !made) return fail(context, made.error());
  if (auto written = base::write_file_atomically(place->folder + "/" + name, base::toml::write(table), kFile);
      !written) {
    return fail(context, written.error());
  }
  context.console.out(name + "\n");
  context.console.hint("Commit it and have it merged: an approval counts once it is in the accepted commit.\n");
  return Exit::Ok;
}

}  // namespace nimbus::cli
