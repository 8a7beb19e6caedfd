// A run: one write to a device, from intent to the effect that was seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/names.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

enum class RunOutcome : std::uint8_t {
  Pending,  // intended; sent or not, the effect has not been seen yet
  Done,     // the effect was seen
  Failed,   // refused, or without effect
  Unknown,  // given up before it could be told
};
std::string_view to_string(RunOutcome outcome) noexcept;

struct Run {
  std::int64_t id = 0;
  PowerAction action = PowerAction::On;
  std::string reason;
  std::string commit;  // registry commit in force
  std::string digest;  // desired digest of the machine
  WallTime started{};
  std::optional<WallTime> finished;
  RunOutcome outcome = RunOutcome::Pending;
  std::string detail;
};

/// Where intents and outcomes are kept so that a crash cannot lose them.
/// Thread rule: safe from any thread.
class RunLog {
 public:
  virtual ~RunLog() = default;
  /// Durable on return: only then may the write be sent. Fills in and returns the id.
  virtual Result<std::int64_t> begin(const MachineId& machine, const Run& run) = 0;
  virtual Result<> finish(std::int64_t id, RunOutcome outcome, const std::string& detail, WallTime at) = 0;
  /// The newest runs of a machine, newest first.
  virtual Result<std::vector<Run>> last_runs(const MachineId& machine, std::size_t most) = 0;
};

/// Small facts that outlive the process. Thread rule: safe from any thread.
class FactLog {
 public:
  virtual ~FactLog() = default;
  /// Durable on return.
  virtual Result<> remember(const std::string& key, const std::string& value) = 0;
  virtual Result<std::optional<std::string>> recall(const std::string& key) = 0;
};

}  // namespace nimbus::controller
