// The power runs of one machine: what the journal knows of earlier actions, in the
// form that the power decision asks for. Loaded once from the journal, so that a
// restart remembers what was sent. Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "controller/machine/run.hpp"
#include "core/names.hpp"
#include "reconcilers/power/decide.hpp"

namespace nimbus::controller {

class PowerRuns {
 public:
  PowerRuns(MachineId machine, RunLog& log) : machine_(std::move(machine)), log_(log) {}

  /// Reads the journal the first time; later calls do nothing.
  Result<> load();

  /// What decide_power wants to know. `wanted` and `digest` are the present wish.
  reconcilers::PowerHistory history(WantedPower wanted, const std::string& digest,
                                    const reconcilers::PowerPolicy& policy, WallTime now) const;

  /// The power was just read: the run that it proves done is closed; one whose
  /// goal is no longer wanted is given up.
  Result<> observed(PowerState state, WantedPower wanted, WallTime now);

  /// Intent: durable on return. An older open run is closed as without effect.
  Result<> begin(PowerAction action, const std::string& reason, const std::string& commit, const std::string& digest,
                 WallTime now);
  enum class Attempt {
    Counts,     // the BMC said no: so many of them, and a person must look
    NeverSent,  // the connection was lost before: says nothing about the machine
  };
  /// The open run came to nothing. After a restart of the program every one counts.
  Result<> fail(const std::string& detail, Attempt attempt, WallTime now);

  /// Newest first, at most kKept.
  const std::vector<Run>& recent() const noexcept { return runs_; }

  static constexpr std::size_t kKept = 10;

 private:
  Run* open() noexcept;
  const Run* open() const noexcept;
  Result<> close(RunOutcome outcome, const std::string& detail, WallTime now);

  MachineId machine_;
  RunLog& log_;
  std::vector<Run> runs_;
  std::set<std::int64_t> never_sent_;  // ids of those among them
  bool loaded_ = false;
};

}  // namespace nimbus::controller
