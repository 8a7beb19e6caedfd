// The audit log: who had what done to which device, and what came of it, as a hash
// chain (base/chain) whose head the status branch keeps.
//
// It is a journal in front of the journal: an intent is a line on disk before a write may
// be sent, a result is a line when the outcome is known. If the line cannot be written,
// the write does not happen. Lines name a commit, its author and a reason; they hold no
// secret. Thread rule: safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/chain/chain.hpp"
#include "controller/machine/run.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::controller {

/// Something that people did at the controller, or that happened to it.
struct AuditNote {
  std::string type;  // "hold", "resume", "reconcile", "start", "term", "deposed", "settings-intent", "settings-result"
  std::string machine;  // empty: none in particular
  std::string by;
  std::string reason;
};

class AuditedRunLog final : public RunLog {
 public:
  /// `author` tells who wrote a registry commit; empty if that is not known.
  /// All references must outlive this.
  AuditedRunLog(RunLog& journal, base::ChainLog& chain, const Clock& clock,
                std::function<std::string(const std::string& commit)> author)
      : journal_(journal), chain_(chain), clock_(clock), author_(std::move(author)) {}

  /// A run that a crash left open: its result will name the machine all the same.
  void remember(const MachineId& machine, const Run& run);

  Result<std::int64_t> begin(const MachineId& machine, const Run& run) override;
  Result<> finish(std::int64_t id, RunOutcome outcome, const std::string& detail, WallTime at) override;
  Result<std::vector<Run>> last_runs(const MachineId& machine, std::size_t most) override;

  /// Errors: those of the chain. What happened, happened all the same.
  Result<> note(const AuditNote& note);

 private:
  struct Open {
    MachineId machine;
    PowerAction action = PowerAction::On;
    std::string commit;
  };
  RunLog& journal_;
  base::ChainLog& chain_;
  const Clock& clock_;
  const std::function<std::string(const std::string&)> author_;
  std::mutex mutex_;  // of open_
  std::map<std::int64_t, Open> open_;
};

}  // namespace nimbus::controller
