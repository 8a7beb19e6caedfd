// What goes on with a machine besides its power: claims, installs, releases. The pass
// asks, with the BMC in hand and the identity at its disposal; who answers is
// controller/install.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/machine/guard.hpp"
#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"
#include "core/observed.hpp"
#include "core/ports/bmc.hpp"
#include "registry/status/machine_status.hpp"

namespace nimbus::controller {

/// For status.
struct LifeFacts {
  registry::MachinePhase phase = registry::MachinePhase::Enrolled;
  std::optional<registry::MachineClaim> claim;
  std::optional<registry::InstalledRecord> installed;
  std::vector<registry::EraseRecord> erases;
  std::vector<registry::CheckRecord> checks;
  std::optional<registry::RamdiskRecord> seen;  // by the installer, the last time
  std::optional<registry::RunRecord> run;       // under way, or the last one
  bool busy = false;                            // a run is under way: power is its business
  bool outdated = false;                        // the machine's file is another by now: nothing is told of it
  std::string waits;                            // what the run waits for
  std::string held;                             // why a person must look; empty: nobody need
  std::shared_ptr<const Instance> instance;     // that is installed here; null: none
  std::string address, host_key;                // of what runs here; empty: nothing, or not known
  std::optional<WallTime> look_again;
};

struct LifeInput {
  const DesiredMachine& desired;
  const std::string& commit;
  Bmc& bmc;
  const Observed<PowerState>& power;
  const IdentityMatch& match;  // of this session
  /// Why the power reconciler has given the machine up; empty: it has not.
  const std::string& given_up;
  /// Reads the identity anew and asks the guard: just before each write.
  std::function<std::optional<Refusal>()> guard;
  const Call& call;
};

class MachineLife {
 public:
  virtual ~MachineLife() = default;
  /// One step; at most one write to the device. Nothing: this machine has no life beyond
  /// its power. Thread rule: safe from any thread, one call at a time per machine.
  virtual std::optional<LifeFacts> step(const LifeInput& input) = 0;
  /// The BMC could not be read in this pass, and why.
  virtual void unread(const DesiredMachine& desired, const std::string& why) = 0;
};

}  // namespace nimbus::controller
