// The power cycle that an instance asks for by raising `restart`: what is known of it,
// and its next step, kept in the journal before anything is sent.
//
// Thread rule: one thread at a time per machine.
#pragma once

#include <optional>
#include <string>

#include "controller/machine/disruption.hpp"
#include "core/desired/instance.hpp"
#include "core/names.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "reconcilers/power/restart.hpp"

namespace nimbus::controller {

class RestartStep {
 public:
  /// `progress`: of the passes before; nothing: not loaded yet.
  RestartStep(const MachineId& machine, const DisruptionTools& tools,
              std::optional<reconcilers::RestartProgress>& progress)
      : machine_(machine), tools_(tools), progress_(progress) {}

  /// The journal's word, or that of the status branch where it knows more: a journal
  /// that was lost, or is an older copy, must not bring an answered request back. Until
  /// the branch was read back nothing is loaded. Errors: of the journal, Corrupt.
  Result<> load();

  /// What the instance wants of the power now, a cycle under way included.
  WantedPower wanted(const Instance& instance) const;

  /// What would come next. Only after load() has loaded something.
  reconcilers::RestartDecision next(const Instance& instance, PowerState state) const;

  /// Keeps a step, before anything of it is sent. Errors: of the journal.
  Result<> keep(const reconcilers::RestartProgress& progress);

 private:
  std::string key() const { return "restart/" + machine_.text(); }

  const MachineId& machine_;
  const DisruptionTools& tools_;
  std::optional<reconcilers::RestartProgress>& progress_;
};

}  // namespace nimbus::controller
