// Placement: which machine an instance gets. Pure and deterministic: whoever asks with
// the same facts gets the same answer, and for every machine that was not chosen, why.
//
// nimbusd asks with its own machines before it claims one; nimbusctl asks with the
// machines of all providers, as their status branches tell, to choose a provider.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"
#include "core/desired/policy.hpp"

namespace nimbus::reconcilers {

struct Candidate {
  const DesiredMachine* machine = nullptr;
  std::string claimed_by;  // instance; empty: free
  bool admitted = true;    // the provider admits the tenant
  bool healthy = true;     // BMC answers, identity matches
  std::string unhealthy;   // why not
  bool available = false;  // erased by us, as status shows
  /// Why its controller cannot boot it from the network; empty: it can, as far as is known.
  std::string unbootable = {};
};

/// Another instance of the registry. Null machine: it has none yet.
struct OtherInstance {
  const Instance* instance = nullptr;
  const DesiredMachine* machine = nullptr;
};

/// What an instance finds around it, beside machines.
struct Surroundings {
  struct Usage {
    std::int64_t instances = 0, cpu_cores = 0, memory_gib = 0;
    friend bool operator==(const Usage&, const Usage&) = default;
  };
  struct Neighbour {
    std::string instance, provider, rack;
    friend bool operator==(const Neighbour&, const Neighbour&) = default;
  };
  Tenant::Quota quota;                 // of the tenant; absent keys: no limit
  Usage used;                          // by its other instances
  std::vector<std::string> providers;  // that the tenant may use, or "*"
  std::vector<Neighbour> group;        // placed instances of the same tenant and group, if that matters
  std::optional<Arch> image_arch;      // of the instance's image
};

/// `others` may hold the instance itself; `tenant` null: no limits. A placed instance
/// counts with its machine, one that waits with what it asks for.
Surroundings surroundings_of(const Instance& instance, const std::vector<OtherInstance>& others, const Tenant* tenant,
                             std::optional<Arch> image_arch);

struct NotChosen {
  std::string machine;
  std::string why;
  std::string provider = {};
  friend bool operator==(const NotChosen&, const NotChosen&) = default;
};

struct Placement {
  std::string machine;            // empty: none
  std::vector<NotChosen> others;  // by provider and name
  std::string provider = {};      // of the machine
  friend bool operator==(const Placement&, const Placement&) = default;
};

/// Why the instance may not have this machine; empty: it may.
std::string why_not(const Instance& instance, const Candidate& candidate, const Surroundings& around);

/// The machine of place_instance(), without the reasons: for who places many. Null: none fits.
const Candidate* choose_machine(const Instance& instance, const std::vector<Candidate>& candidates,
                                const Surroundings& around);

/// Least waste first: fewest cores too many, then least memory, then least disk, then by
/// provider and name.
Placement place_instance(const Instance& instance, const std::vector<Candidate>& candidates,
                         const Surroundings& around);

}  // namespace nimbus::reconcilers
