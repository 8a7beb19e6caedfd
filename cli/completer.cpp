#include "cli/completer.hpp"

#include <cstdlib>

#include "cli/context.hpp"
#include "cli/kinds.hpp"
#include "cli/loaded.hpp"
#include "cli/place.hpp"
#include "cli/status_read.hpp"
#include "cli/topics.hpp"
#include "registry/schema/documentation.hpp"

namespace nimbus::cli {
namespace {

using base::Candidate;

/// Enough to choose from; a <Tab> must stay quick in a large registry.
constexpr std::size_t kMostCandidates = 2000;

std::vector<Candidate> help_words() {
  std::vector<Candidate> out;
  for (const auto& command : command_table().root.commands) {
    if (command.shown == base::Shown::Yes) out.push_back({command.name, command.summary});
  }
  for (const auto& topic : topics()) out.push_back({topic.name, topic.summary});
  return out;
}

std::vector<Candidate> registry_names(bool machines) {
  std::vector<Candidate> out;
  const char* start = std::getenv("NIMBUS_REGISTRY");
  const auto place = find_place(start != nullptr && *start != '\0' ? start : ".");
  if (!place) return out;
  const auto repository = open_repository(*place);
  if (!repository) return out;
  const auto head = repository->resolve("HEAD");
  if (!head || !*head) return out;
  const auto items = repository->list(**head, {.items = 2'000'000});
  if (!items) return out;
  for (const auto& item : *items) {
    if (out.size() == kMostCandidates) break;
    constexpr std::string_view kProviders = "providers/";
    const auto slash = item.path.find('/', kProviders.size());
    if (!item.path.starts_with(kProviders) || slash == std::string::npos || !item.path.ends_with(".toml")) continue;
    const std::string provider = item.path.substr(kProviders.size(), slash - kProviders.size());
    const std::string rest = item.path.substr(slash + 1);
    if (rest == "provider.toml") out.push_back({provider, "provider"});
    if (machines && rest.starts_with("machines/")) {
      const auto last = rest.rfind('/');
      out.push_back({provider + "/" + rest.substr(last + 1, rest.size() - last - 6), "machine"});
    }
  }
  return out;
}

std::vector<Candidate> instances() {
  std::vector<Candidate> out;
  const char* start = std::getenv("NIMBUS_REGISTRY");
  const auto loaded = load_registry(start != nullptr && *start != '\0' ? start : ".", {});
  if (!loaded) return out;
  for (const auto& entry : loaded->result.snapshot->instances) {
    if (out.size() == kMostCandidates) break;
    out.push_back({entry->id(), entry->value.image});
  }
  return out;
}

std::vector<Candidate> kinds_and_keys() {
  std::vector<Candidate> out;
  for (const auto kind : schema_kinds()) {
    const auto about = registry::documentation(kind);
    const std::string name(registry::to_string(kind));
    out.push_back({name, about.doc});
    for (const auto& key : about.keys) out.push_back({name + "." + key.path, key.doc});
  }
  return out;
}

}  // namespace

std::vector<Candidate> completer_values(std::string_view kind) {
  if (kind == "help") return help_words();
  if (kind == "provider") return registry_names(false);
  if (kind == "provider-machine") return registry_names(true);
  if (kind == "instance") return instances();
  if (kind == "kind-key") return kinds_and_keys();
  if (kind == "revision") return {{"HEAD"}, {"main"}, {"origin/main"}};
  return {};
}

}  // namespace nimbus::cli
