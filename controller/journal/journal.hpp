// The journal: what was intended and what came of it, so that a crash at any moment
// is followed by looking, never by repeating. One SQLite file of one process.
//
// Thread rule: safe from any thread. Errors: those of base::sqlite, and Unsupported
// (a newer program wrote the file).
#pragma once

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

class Journal final : public RunLog {
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
  Result<> remember(const std::string& key, const std::string& value);
  Result<std::optional<std::string>> recall(const std::string& key);

 private:
  explicit Journal(base::sqlite::Database database) : database_(std::move(database)) {}
  Result<> set_up();

  std::mutex mutex_;
  base::sqlite::Database database_;
};

}  // namespace nimbus::controller
