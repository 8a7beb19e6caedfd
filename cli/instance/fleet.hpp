// The machines and instances of a registry with what the status branches of the clone
// say of them: what placement is asked with. Thread rule: plain values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/loaded.hpp"
#include "cli/status_read.hpp"
#include "reconcilers/placement/place.hpp"
#include "registry/plan/plan.hpp"

namespace nimbus::cli {

struct Fleet {
  std::vector<ProviderView> views;  // of providers that reported something
  const ProviderView* view(const std::string& provider) const;
  /// The instance's status document; null: none yet.
  const base::toml::Table* document(const std::string& id) const;
  registry::PlanFacts plan_facts() const;
};

/// What the clone has. A registry without a repository has none. Errors: those of Git.
Result<Fleet> read_fleet(const Loaded& loaded);

/// Limits beside the instance's own requirements.
struct Choice {
  std::vector<std::string> providers;  // empty: any
  std::vector<std::string> regions;    // empty: any
};

struct Answer {
  reconcilers::Placement placement;
  std::string on;                       // "berlin-1/m017": where the instance is already
  std::vector<std::string> unreported;  // providers that fit otherwise, and told nothing
};

/// Where the instance would go. Instances that wait already get their machines first.
Answer ask_placement(const registry::Snapshot& snapshot, const Fleet& fleet, const Instance& instance,
                     const Choice& choice);

}  // namespace nimbus::cli
