#include "cli/instance/fleet.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "cli/plan_facts.hpp"
#include "registry/stalls.hpp"

namespace nimbus::cli {
namespace {

using reconcilers::Candidate;

bool holds(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

const MachineView* machine_view(const ProviderView* view, const std::string& name) {
  if (view == nullptr) return nullptr;
  const auto at = std::ranges::lower_bound(view->machines, name, {}, &MachineView::name);
  return at != view->machines.end() && at->name == name ? &*at : nullptr;
}

/// What status says of one machine, as placement takes it.
void observe(Candidate& candidate, const ProviderView* view) {
  const auto* seen = machine_view(view, candidate.machine->id.machine);
  candidate.healthy = false;
  if (view == nullptr) {
    candidate.unhealthy = "its provider has told nothing that this clone knows of";
  } else if (seen == nullptr) {
    candidate.unhealthy = "not observed yet";
  } else {
    candidate.claimed_by = text_at(seen->document, "claim.instance");
    if (is_left(seen->document)) candidate.claimed_by += ", whom it failed";
    if (candidate.claimed_by.empty()) candidate.claimed_by = text_at(seen->document, "instance");
    candidate.available = text_at(seen->document, "phase") == "available";
    const auto& health = seen->health;
    const bool stopped = text_at(seen->document, "condition.hold.status") == "true" ||
                         text_at(seen->document, "condition.maintenance.status") == "true";
    candidate.healthy = (health.level == Health::Level::Ok || health.level == Health::Level::Attention) && !stopped;
    candidate.unhealthy = health.message.empty() ? health.reason : health.reason + ": " + health.message;
    if (candidate.unhealthy.empty()) candidate.unhealthy = "not observed";
  }
}

class Asker {
 public:
  Asker(const registry::Snapshot& snapshot, const Fleet& fleet, const Instance& instance, const Choice& choice)
      : snapshot_(snapshot), fleet_(fleet), instance_(instance), choice_(choice) {}

  Answer run() {
    for (const auto& entry : snapshot_.machines) {
      auto& candidate = candidates_.emplace_back(Candidate{.machine = &entry->value});
      observe(candidate, fleet_.view(entry->provider));
      machines_[entry->id()] = &entry->value;
      if (!stalls_.against(*entry).empty()) {
        candidate.healthy = false;
        candidate.unhealthy = "its file, or one that it refers to, has errors";
      }
    }
    gather_instances();
    serve_those_who_wait();
    const std::string id = instance_.id();
    for (auto& candidate : candidates_) {
      if (candidate.claimed_by != id) continue;
      answer_.on = candidate.machine->id.provider + "/" + candidate.machine->id.machine;
      candidate.claimed_by.clear();
      candidate.available = true;
    }
    std::vector<Candidate> chosen;
    for (const auto& candidate : candidates_) {
      if (is_asked(candidate.machine->id.provider)) chosen.push_back(candidate);
    }
    answer_.placement = place(instance_, std::move(chosen));
    for (const auto& entry : snapshot_.providers) {
      if (is_asked(entry->provider) && admits(entry->provider, instance_.tenant) &&
          fleet_.view(entry->provider) == nullptr)
        answer_.unreported.push_back(entry->provider);
    }
    return std::move(answer_);
  }

 private:
  bool is_asked(const std::string& provider) const {
    if (!choice_.providers.empty() && !holds(choice_.providers, provider)) return false;
    if (choice_.regions.empty()) return true;
    const auto* entry = registry::find_provider(snapshot_, provider);
    return entry != nullptr && holds(choice_.regions, entry->value.provider.region);
  }

  bool admits(const std::string& provider, const std::string& tenant) const {
    const auto* entry = registry::find_provider(snapshot_, provider);
    if (entry == nullptr) return false;
    const auto& tenants = entry->value.provider.tenants;
    return holds(tenants, "*") || holds(tenants, tenant);
  }

  void gather_instances() {
    for (const auto& entry : snapshot_.instances) {
      const auto* document = fleet_.document(entry->id());
      const std::string machine = document == nullptr ? std::string() : text_at(*document, "machine");
      const auto at = machines_.find(entry->value.provider + "/" + machine);
      others_.push_back({&entry->value, at == machines_.end() ? nullptr : at->second});
    }
  }

  reconcilers::Placement place(const Instance& instance, std::vector<Candidate> candidates) const {
    for (auto& candidate : candidates) candidate.admitted = admits(candidate.machine->id.provider, instance.tenant);
    const auto* tenant = registry::find_tenant(snapshot_, instance.tenant);
    const auto* image = registry::find_image(snapshot_, instance.tenant, instance.provider, instance.image);
    return reconcilers::place_instance(
        instance, candidates,
        reconcilers::surroundings_of(instance, others_, tenant == nullptr ? nullptr : &tenant->value,
                                     image == nullptr ? std::nullopt : std::optional(image->value.arch)));
  }

  /// Whether its controller would place it at all.
  bool is_installable(const Instance& instance) const {
    const auto* entry = registry::find_instance(snapshot_, instance.tenant, instance.name);
    const auto* image = registry::find_image(snapshot_, instance.tenant, instance.provider, instance.image);
    return !instance.adopt && entry != nullptr && stalls_.against(*entry).empty() && image != nullptr &&
           image->value.installer == Installer::DiskImage;
  }

  void serve_those_who_wait() {
    for (auto& other : others_) {
      const Instance& waits = *other.instance;
      if (other.machine != nullptr || waits.id() == instance_.id() || !is_installable(waits)) continue;
      std::vector<Candidate> its;
      for (const auto& candidate : candidates_) {
        if (candidate.machine->id.provider == waits.provider) its.push_back(candidate);
      }
      const auto placement = place(waits, std::move(its));
      if (placement.machine.empty()) continue;
      for (auto& candidate : candidates_) {
        const auto& id = candidate.machine->id;
        if (id.provider != placement.provider || id.machine != placement.machine) continue;
        candidate.claimed_by = waits.id() + ", which waits for it";
        other.machine = candidate.machine;
      }
    }
  }

  const registry::Snapshot& snapshot_;
  const registry::Stalls stalls_{snapshot_};
  const Fleet& fleet_;
  const Instance& instance_;
  const Choice& choice_;
  std::vector<Candidate> candidates_;
  std::map<std::string, const DesiredMachine*> machines_;
  std::vector<reconcilers::OtherInstance> others_;
  Answer answer_;
};

}  // namespace

const ProviderView* Fleet::view(const std::string& provider) const {
  const auto at = std::ranges::find(views, provider, &ProviderView::provider);
  return at == views.end() ? nullptr : &*at;
}

const base::toml::Table* Fleet::document(const std::string& id) const {
  for (const auto& view : views) {
    const auto at = std::ranges::find(view.instances, id, &InstanceView::id);
    if (at != view.instances.end()) return &at->document;
  }
  return nullptr;
}

registry::PlanFacts Fleet::plan_facts() const {
  registry::PlanFacts facts;
  for (const auto& view : views) add_facts(view, facts);
  return facts;
}

Result<Fleet> read_fleet(const Loaded& loaded) {
  Fleet fleet;
  if (loaded.place.git_folder.empty()) return fleet;
  auto repository = open_repository(loaded.place);
  if (!repository) return std::move(repository.error());
  const std::string prefix = branch_prefix(*repository);
  for (const auto& entry : loaded.result.snapshot->providers) {
    auto view = read_provider_status(*repository, prefix, entry->provider);
    if (view) {
      fleet.views.push_back(std::move(*view));
    } else if (view.error().code != Code::NotFound) {
      return std::move(view.error());
    }
  }
  return fleet;
}

Answer ask_placement(const registry::Snapshot& snapshot, const Fleet& fleet, const Instance& instance,
                     const Choice& choice) {
  return Asker(snapshot, fleet, instance, choice).run();
}

}  // namespace nimbus::cli
