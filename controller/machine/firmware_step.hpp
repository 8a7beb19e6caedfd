// Brings managed firmware settings about: stages them, then restarts the machine, each
// only where reconcilers/firmware says so and the guard agrees.
//
// A restart is a cycle of its own (reconcilers/power/restart): what was done of it is kept
// in the journal before the step is taken, so that a crash is followed by the rest of it.
// Thread rule: one thread at a time per machine.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "controller/guard/budget.hpp"
#include "controller/guard/window.hpp"
#include "controller/machine/guard.hpp"
#include "controller/machine/inspect.hpp"
#include "controller/machine/run.hpp"
#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"
#include "reconcilers/firmware/decide.hpp"
#include "reconcilers/power/restart.hpp"

namespace nimbus::controller {

struct FirmwareMemory {
  std::optional<reconcilers::RestartProgress> cycle;  // nothing: not loaded yet; its instance is a file's digest
  std::string refused_digest, refused;                // the BMC does not take what this file wants
  bool under_way() const { return cycle && cycle->phase != reconcilers::RestartProgress::Phase::Idle; }
};

struct FirmwareTools {
  const Clock& clock;
  FactLog& facts;
  RebootBudget* reboots = nullptr;
  ZoneOffset zones;
  /// A line in the audit log before and after a write of settings; an error prevents it.
  std::function<Result<>(const std::string& what, const std::string& machine, const std::string& detail)> note;
};

class FirmwareStep {
 public:
  FirmwareStep(const DesiredMachine& desired, const FirmwareTools& tools, FirmwareMemory& memory)
      : desired_(desired), tools_(tools), memory_(memory) {}

  /// Reads the journal the first time.
  Result<> load();

  /// A cycle that is under way, after the power was read. Returns what it wants of the
  /// power; nothing: none is under way, or it has just ended.
  Result<std::optional<WantedPower>> continue_cycle(PowerState state, InspectionMemory& inspection);

  struct Occasion {
    Bmc& bmc;
    InspectionMemory& inspection;  // with fresh settings
    const Instance* instance;      // on the machine; null: it is free
    const Policy* policy;          // null: nothing is bounded
    PowerState power;
    /// Reads the identity anew and asks the guard: just before each write.
    std::function<std::optional<Refusal>()> guard;
    const Call& call;
  };
  /// At most one write. The decision, with what came of it in its reason.
  Result<reconcilers::FirmwareDecision> improve(const Occasion& occasion);

 private:
  std::string key() const { return "firmware/" + desired_.id.text(); }
  int restarts() const;
  std::string closed(const Occasion& occasion) const;
  Result<> stage(const Occasion& occasion, reconcilers::FirmwareDecision& decision);
  Result<WriteOutcome> write(BmcSettings& settings, const reconcilers::FirmwareDecision& decision, const Call& call);
  Result<> begin(const Occasion& occasion, reconcilers::FirmwareDecision& decision);
  Result<> keep(const reconcilers::RestartProgress& progress);

  const DesiredMachine& desired_;
  const FirmwareTools& tools_;
  FirmwareMemory& memory_;
};

}  // namespace nimbus::controller
