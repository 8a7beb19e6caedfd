// What a commit means for what is in force (docs/reference/registry.md, "What a
// commit means"). Pure.
//
// - A commit whose registry.toml or policy/ has an error is refused as a whole.
// - Any other bad file stalls its own object, and what refers to it, on the last
//   accepted version; the rest proceeds. What is new and bad does not exist yet.
// - Brakes come first: hands_off, maintenance and protected take effect from the
//   newest commit seen, even one that is refused, if that file parses.
//
// Thread rule: safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "registry/snapshot.hpp"

namespace nimbus::registry {

enum class AcceptState : std::uint8_t { Accepted, Partly, Refused, Held };
/// "accepted" | "partly" | "refused" | "held", as status documents say it.
std::string_view to_string(AcceptState state) noexcept;

struct Acceptance {
  AcceptState state = AcceptState::Refused;
  /// What is in force now; never null. Refused, Held: `previous` with newer brakes, or
  /// nothing at all if there was no previous.
  std::shared_ptr<const Snapshot> effective;
  std::vector<Problem> problems;  // of the newest commit, sorted
  /// Objects whose file is there but of which no version was ever accepted: they are
  /// not in force, and not gone either.
  std::vector<MachineId> unusable_machines;
  std::vector<std::string> unusable_instances;  // "acme/web-1"
};

/// `previous`: what is in force so far, null at the first commit. `loaded`: the
/// newest commit, from load().
Acceptance accept(std::shared_ptr<const Snapshot> previous, const Snapshot& loaded);

/// A commit that waits for a person (a plan that must be approved, a rewritten
/// history): nothing of it counts but its brakes. The state is Held.
Acceptance hold_back(std::shared_ptr<const Snapshot> previous, const Snapshot& loaded);

}  // namespace nimbus::registry
