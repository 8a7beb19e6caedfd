// One pass over one machine: observe, decide, guard, journal, act, observe again.
//
// Level-triggered and idempotent: it knows what is wanted and what is seen, not why
// it was called. It never waits for a machine to boot; a long wait is a time to look
// again. Thread rule: one pass at a time per machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "controller/machine/breaker.hpp"
#include "controller/machine/disruption.hpp"
#include "controller/machine/firmware_step.hpp"
#include "controller/machine/guard.hpp"
#include "controller/machine/identify.hpp"
#include "controller/machine/inspect.hpp"
#include "controller/machine/life.hpp"
#include "controller/machine/power_runs.hpp"
#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"
#include "core/drift.hpp"
#include "core/observed.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"
#include "reconcilers/power/decide.hpp"
#include "reconcilers/power/restart.hpp"

namespace nimbus::controller {

/// What a pass works with, shared by all machines.
struct PassTools {
  const Clock& clock;
  /// Makes the Bmc for an endpoint; errors as BmcDriver::attach.
  std::function<Result<std::unique_ptr<Bmc>>(const BmcEndpoint&)> attach;
  /// Asked just before each write.
  std::function<Authority()> authority;
  /// Why a person at the controller holds this machine; empty text: nobody does. Asked
  /// at the start of each pass, for status, and just before each write.
  std::function<std::string(const std::string& machine)> local_hold = [](const std::string&) { return std::string(); };
  /// Asked just before each write, last of all: whether a newer commit wants something else
  /// than the machine of this pass. A brake pulled while a pass is under way stops it.
  std::function<std::optional<Refusal>()> superseded = [] { return std::optional<Refusal>(); };
  InspectionPace* inspections = nullptr;  // null: nothing is inspected
  /// A line in the audit log: before and after each write of firmware settings.
  std::function<Result<>(const std::string& what, const std::string& machine, const std::string& detail)> note =
      [](const std::string&, const std::string&, const std::string&) -> Result<> { return {}; };
  MachineLife* life = nullptr;  // claims, installs, releases; null: nothing but power
  /// Called, from any thread, when a BMC hints that something changed; empty: hints are not listened to.
  std::function<void(const std::string& machine)> hinted = {};
  reconcilers::PowerPolicy power;
  std::chrono::milliseconds deadline = std::chrono::seconds(30);  // of one pass
  DisruptionTools disruption = {};
};

/// A power state that was read in a batch, for the next pass to begin with.
struct PolledPower {
  static constexpr std::chrono::seconds kFresh{2};  // older ones are asked for again

  /// An error: it was not asked, refused, or did not answer as soon as the others; it is asked alone.
  Result<PowerState> state;
  MonoTime at;
};

/// What a machine's next pass must know of the earlier ones.
struct MachineMemory {
  explicit MachineMemory(PowerRuns power_runs) : runs(std::move(power_runs)) {}

  PowerRuns runs;
  std::unique_ptr<Bmc> bmc;
  BmcEndpoint endpoint;  // that `bmc` was made for
  IdentityMemory identity;
  std::optional<WallTime> transition_since;
  std::optional<reconcilers::RestartProgress> restart;  // nothing: not loaded yet
  std::shared_ptr<const Instance> placed;               // by the life of this machine, as of the last pass
  std::optional<PolledPower> polled;                    // used once
  std::string given_up;  // why its power was given up in the last pass; empty: it was not
  BmcBreaker breaker;    // counts passes in a row in which the BMC could not be read

  InspectionMemory inspection;
  FirmwareMemory firmware;
};

/// What one pass found: all that status, metrics and the next look need.
struct MachineReport {
  Observed<PowerState> power = Observed<PowerState>::unknown("not looked at yet");
  Identity identity;
  IdentityMatch match;
  reconcilers::PowerDecision decision;
  std::optional<LifeFacts> life;
  std::string local_hold;          // a person at the controller holds this machine
  std::optional<Refusal> refusal;  // why a decided write did not happen
  bool put_off = false;            // the BMC was not prompt: look again in the slow lane; no verdict
  std::optional<Error> error;      // why something could not be read or written
  std::optional<reconcilers::RestartProgress> restart;       // of the instance on it; nothing: not known
  bool inspected = false;                                    // since the start; then `drifts` is complete
  std::optional<std::chrono::seconds> clock_off;             // of the BMC's clock, at the last inspection
  std::shared_ptr<const registry::HardwareRecord> hardware;  // null: not told
  std::vector<Drift> drifts;                                 // of hardware and firmware settings, if inspected
  std::optional<reconcilers::FirmwareDecision> firmware;     // nothing: not judged
  std::optional<PowerAction> sent;                           // a write that reached, or may have reached, the device
};

struct PassWish {
  const DesiredMachine& desired;
  const std::string& commit;           // accepted registry commit
  const Instance* instance = nullptr;  // on the machine; null: none
  const Policy* policy = nullptr;      // null: nothing is bounded
};

MachineReport run_pass(const PassWish& wish, MachineMemory& memory, const PassTools& tools, std::stop_token stop);

}  // namespace nimbus::controller
