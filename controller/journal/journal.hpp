// The journal: what was intended and what came of it, so that a crash at any moment
// is followed by looking, never by repeating. One SQLite file of one process.
//
// Thread rule: safe from any thread. Errors: those of base::sqlite, and Unsupported
// (a newer program wrote the file).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.hpp"
#include "controller/machine/run.hpp"
#include "core/names.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

struct PendingRun {
  MachineId machine;
  Run run;
};

class Journal final : public RunLog, public FactLog {
 public:
  /// Runs that are kept for each machine; older ones go, except open ones.
  static constexpr std::size_t kRunsKept = 50;

  /// Opens or makes the file. A damaged one is Corrupt: what it knew is unknown then.
  static Result<std::unique_ptr<Journal>> open(const std::string& path);

  /// Id, outcome and end of `run` are not looked at.
  Result<std::int64_t> begin(const MachineId& machine, const Run& run) override;
  /// Errors: also NotFound (no such run), Conflict (finished before), Invalid (Pending).
  Result<> finish(std::int64_t id, RunOutcome outcome, const std::string& detail, WallTime at) override;
  Result<std::vector<Run>> last_runs(const MachineId& machine, std::size_t most) override;

  /// Runs without an outcome, oldest first: at start, what a crash left behind.
  Result<std::vector<PendingRun>> pending();

  /// Small facts about the controller ("accepted-commit", "term"). Durable on return.
  Result<> remember(const std::string& key, const std::string& value) override;
  Result<std::optional<std::string>> recall(const std::string& key) override;
  /// Facts whose key begins with `prefix`.
  Result<std::map<std::string, std::string>> recall_all(const std::string& prefix);

  /// When runs of this action began at a provider since then, ascending.
  Result<std::vector<WallTime>> started_since(const std::string& provider, PowerAction action, WallTime since);

  /// A destructive action (install, erase) begins; what the budget over time counts.
  Result<> note_destructive(const MachineId& machine, const std::string& what, WallTime at);
  /// When such actions began at a provider since then, ascending.
  Result<std::vector<WallTime>> destructive_since(const std::string& provider, WallTime since);

 private:
  explicit Journal(base::sqlite::Database database) : database_(std::move(database)) {}
  Result<> set_up();
  Result<std::vector<WallTime>> times(const std::string& query, const std::vector<base::sqlite::Value>& values);

  std::mutex mutex_;
  base::sqlite::Database database_;
};

}  // namespace nimbus::controller
