// nimbusctl instance list, describe, logs.
#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/conversion.hpp"
#include "cli/instance/commands.hpp"
#include "cli/instance/common.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
namespace toml = base::toml;

Style style_of_phase(const std::string& phase) {
  if (phase == "running") return Style::Good;
  if (phase == "failed") return Style::Bad;
  return phase == "stopped" ? Style::Plain : Style::Warning;
}

std::string first_address(const toml::Table& document) {
  const auto* list = document.find("addresses");
  if (list == nullptr || list->array() == nullptr || list->array()->empty()) return {};
  const auto* text = list->array()->front().string();
  return text == nullptr ? std::string() : *text;
}

Json instance_json(const registry::InstanceEntry& entry, const toml::Table* document) {
  const auto& instance = entry.value;
  return Json::object({{"tenant", instance.tenant},
                       {"name", instance.name},
                       {"path", entry.path},
                       {"provider", instance.provider},
                       {"image", instance.image},
                       {"protected", instance.is_protected},
                       {"status", document == nullptr ? Json() : to_json(*document)}});
}

Row row_of(const registry::InstanceEntry& entry, const Fleet& fleet) {
  const auto* document = fleet.document(entry.id());
  const auto text = [&](std::string_view key) { return document == nullptr ? std::string() : text_at(*document, key); };
  const std::string phase = document == nullptr ? "unknown" : text("phase");
  const auto dash = [](std::string value) { return value.empty() ? std::string("-") : value; };
  return {.name = entry.id(),
          .cells = {{entry.id()},
                    {phase, style_of_phase(phase)},
                    {dash(entry.value.provider)},
                    {dash(text("machine"))},
                    {dash(document == nullptr ? "" : first_address(*document))},
                    {dash(entry.value.image)},
                    {dash(text("message"))}},
          .json = instance_json(entry, document)};
}

struct Line {
  registry::GitCommit commit;
  std::string phase, machine, message;
};

/// What the status commits tell of the instance, newest first: those that changed its
/// document. Errors: those of Git.
Result<std::vector<Line>> story_of(const registry::GitRepository& repository, const std::string& from,
                                   const std::string& path, std::size_t most) {
  constexpr std::size_t kMostCommits = 20'000;
  const auto read = [&](const std::string& commit) -> Result<std::optional<std::pair<std::string, toml::Table>>> {
    const auto item = repository.find(commit, path);
    if (!item) return item.error();
    if (!*item) return std::optional<std::pair<std::string, toml::Table>>();
    auto document = read_document(repository, **item);
    return std::optional(std::pair((*item)->id, document ? std::move(*document) : toml::Table{}));
  };
  std::vector<Line> out;
  std::string id = from;
  for (std::size_t i = 0; i < kMostCommits && out.size() < most; ++i) {
    auto commit = repository.commit(id);
    if (!commit) return std::move(commit.error());
    const auto here = read(id);
    if (!here) return here.error();
    const bool last = commit->parents.empty();
    std::string before;
    if (!last) {
      const auto item = repository.find(commit->parents.front(), path);
      if (!item) return item.error();
      if (*item) before = (*item)->id;
    }
    const std::string now = *here ? (*here)->first : std::string();
    if (now != before && *here) {
      const auto& document = (*here)->second;
      out.push_back({*commit, text_at(document, "phase"), text_at(document, "machine"), text_at(document, "message")});
    }
    if (last) break;
    id = commit->parents.front();
  }
  return out;
}

}  // namespace

Exit run_instance_list(Context& context) {
  auto loaded = load_registry(context.registry_start(), {});
  if (!loaded) return fail(context, loaded.error());
  if (!context.args.flag("no-fetch")) fetch_status(context, *loaded);
  const auto fleet = read_fleet(*loaded);
  if (!fleet) return fail(context, fleet.error());
  const auto tenant = context.args.get("tenant");
  Listing listing{
      .columns = {
          {"INSTANCE"}, {"PHASE"}, {"PROVIDER"}, {"MACHINE"}, {"ADDRESS"}, {"IMAGE", Column::When::Wide}, {"MESSAGE"}}};
  for (const auto& entry : loaded->result.snapshot->instances) {
    if (!tenant || entry->tenant == *tenant) listing.rows.push_back(row_of(*entry, *fleet));
  }
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

Exit run_instance_describe(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  const auto* document = opened->fleet.document(opened->name.id());
  if (opened->entry == nullptr && document == nullptr) return fail(context, no_such_instance(*opened));
  Json out = opened->entry != nullptr
                 ? instance_json(*opened->entry, document)
                 : Json::object(
                       {{"tenant", opened->name.tenant}, {"name", opened->name.name}, {"status", to_json(*document)}});
  context.console.out(render_value(out, context.format()));
  if (opened->entry == nullptr) context.console.hint("Its file is gone from the registry.\n");
  if (document == nullptr) context.console.hint("Its controller has not told of it yet.\n");
  return Exit::Ok;
}

Exit run_instance_logs(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id();
  Listing listing{.columns = {{"TIME"}, {"PHASE"}, {"MACHINE"}, {"MESSAGE"}, {"STATUS COMMIT", Column::When::Wide}}};
  for (const auto& view : opened->fleet.views) {
    if (opened->entry != nullptr && view.provider != opened->entry->value.provider) continue;
    const auto repository = open_repository(opened->loaded.place);
    if (!repository) return fail(context, repository.error());
    const auto lines = story_of(*repository, view.commit, opened->name.path(),
                                static_cast<std::size_t>(std::max<std::int64_t>(context.args.number("limit"), 0)));
    if (!lines) return fail(context, lines.error());
    for (const auto& line : *lines) {
      const std::string time = base::to_rfc3339(line.commit.author.when);
      listing.rows.push_back({.name = line.commit.id,
                              .cells = {{time},
                                        {line.phase},
                                        {line.machine.empty() ? "-" : line.machine},
                                        {line.message},
                                        {line.commit.id.substr(0, 12)}},
                              .json = Json::object({{"time", time},
                                                    {"phase", line.phase},
                                                    {"machine", line.machine},
                                                    {"message", line.message},
                                                    {"status_commit", line.commit.id}})});
    }
  }
  if (listing.rows.empty()) return fail(context, {Code::NotFound, "nobody reported an instance '" + id + "'"});
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

}  // namespace nimbus::cli
