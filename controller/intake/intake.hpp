// The intake: from a commit of the registry to what is in force for this provider.
//
// A broken object stalls alone on its last accepted version. So that a restart still
// knows that version, what is in force is kept in the mirror as refs/nimbus/in-force:
// the accepted commit itself, or, while something is stalled, a commit on top of it
// with the accepted versions of the stalled files. If the mirror is lost, a broken
// object is simply not known: nothing is done to it.
//
// A commit with which more machines leave than the policy in force allows is held as
// a whole until its plan is approved: until then only its brakes count.
//
// Thread rule: one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "controller/fleet/accepted.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"
#include "registry/accept.hpp"
#include "registry/git/commit_builder.hpp"
#include "registry/git/repository.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::controller {

class Intake {
 public:
  static constexpr const char* kInForce = "refs/nimbus/in-force";
  /// What was in force before that: its limits still bound what the newer one asks for.
  static constexpr const char* kEarlier = "refs/nimbus/in-force-before";

  /// `mirror` and `clock` must outlive this.
  Intake(registry::GitRepository& mirror, const Clock& clock, std::string provider)
      : mirror_(mirror), clock_(clock), provider_(std::move(provider)) {}

  /// Errors: when the commit, or the mirror, cannot be read or written at all; faults
  /// in files are problems of the result.
  Result<std::shared_ptr<const AcceptedRegistry>> take(const std::string& commit);

  /// For a commit that must not be taken over (a rewritten history): only its brakes
  /// count; `why` becomes a problem. Errors as take().
  Result<std::shared_ptr<const AcceptedRegistry>> take_brakes(const std::string& commit, const std::string& why);

 private:
  /// Why a commit waits for a person.
  struct Hold {
    std::string code, message, plan;
  };

  Result<> load(const std::string& commit);
  Result<> recall_limits();
  std::optional<Hold> hold_of(const registry::Acceptance& acceptance) const;
  Policy policy_of(const registry::Snapshot& effective) const;
  Result<> recall();
  Result<> remember_earlier();
  Result<> remember(const std::string& commit);
  Result<registry::FileChanges> stalled_files() const;
  std::shared_ptr<const AcceptedRegistry> describe(const registry::Acceptance& acceptance, const std::string& commit,
                                                   const std::optional<Hold>& hold);
  MachineTable machines_of(const registry::Snapshot& effective) const;

  registry::GitRepository& mirror_;
  const Clock& clock_;
  const std::string provider_;
  bool recalled_ = false;
  std::shared_ptr<const registry::Snapshot> loaded_;  // the newest commit, for the next load
  std::shared_ptr<const registry::Snapshot> in_force_;
  std::shared_ptr<const AcceptedRegistry> described_;  // the last one, for the next
  std::string accepted_commit_;
  std::optional<Limits> earlier_limits_;  // of the commit accepted before; nothing: none
};

}  // namespace nimbus::controller
