// What a status branch says about one machine: the document at the machine's path
// (registry format, "Status branch"). Values, their canonical text, and back.
//
// Foreign text (from a BMC, from people) is made printable and cut, lists are cut at
// their bounds; parse(text(x)) is x for everything within the bounds. Equal states
// have equal bytes. Thread rule: plain values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/identity.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "registry/status/condition.hpp"
#include "registry/status/drift_record.hpp"
#include "registry/status/hardware_record.hpp"
#include "registry/status/ramdisk_record.hpp"

namespace nimbus::registry {

/// Life only; trouble is a condition.
enum class MachinePhase : std::uint8_t {
  Enrolled,
  Inspecting,
  Occupied,
  Available,
  Installing,
  Active,
  Releasing,
  Quarantined,
  Unmanaged,
};
std::string_view to_string(MachinePhase phase) noexcept;

/// Which instance holds the machine; pushed before the first destructive step.
struct MachineClaim {
  std::string instance;  // "acme/web-1"
  WallTime since{};
  std::string nonce_sha256;  // of the run that may write next; empty: none may
  bool left = false;         // the machine failed it, and it has another one; what is here stays its own
  friend bool operator==(const MachineClaim&, const MachineClaim&) = default;
};

/// What Nimbus installed; kept in every phase until erased.
struct InstalledRecord {
  std::string disk;
  std::string image_sha256;
  std::string nonce_sha256;
  std::int64_t reinstall = 0;
  friend bool operator==(const InstalledRecord&, const InstalledRecord&) = default;
};

struct EraseRecord {
  std::string disk;
  std::string level;
  std::string method;
  bool verified = false;
  WallTime when{};
  friend bool operator==(const EraseRecord&, const EraseRecord&) = default;
};

/// Something that was looked at before the machine was offered again.
struct CheckRecord {
  std::string what;    // "virtual-media", "boot-override", "accounts", "firmware"
  std::string result;  // "done", "same", "differs", "accepted", "failed", "not-offered", "unknown"
  std::string detail;  // usually empty
  friend bool operator==(const CheckRecord&, const CheckRecord&) = default;
};

enum class RunRecordOutcome : std::uint8_t { Pending, Done, Failed, Unknown };
std::string_view to_string(RunRecordOutcome outcome) noexcept;

struct RunRecord {
  std::string action;  // "power-on", "install"
  std::string commit;  // registry commit in force
  WallTime started{};
  std::optional<WallTime> finished;
  RunRecordOutcome outcome = RunRecordOutcome::Pending;
  std::string message;  // why it failed; usually empty
  friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

struct MachineStatus {
  static constexpr std::size_t kRuns = 10;
  static constexpr std::size_t kDrifts = 50;
  static constexpr std::size_t kErases = 100;
  static constexpr std::size_t kChecks = 10;

  MachinePhase phase = MachinePhase::Enrolled;
  std::string applied_digest;  // of all files that define the machine, as last brought about; empty: never
  std::string desired_digest;
  std::string instance;                 // "acme/web-1"; empty: none
  std::optional<std::int64_t> restart;  // its restart counter, as answered
  std::optional<PowerState> power;      // nothing: not known
  std::optional<MachineClaim> claim;
  Conditions conditions;
  Identity identity;                       // as read from the machine
  std::optional<HardwareRecord> hardware;  // as inspected; nothing: not yet
  std::optional<RamdiskRecord> ramdisk;    // as the installer saw it the last time
  std::optional<InstalledRecord> installed;
  std::vector<DriftRecord> drifts;
  std::vector<EraseRecord> erases;
  std::vector<CheckRecord> checks;  // of the last release
  std::vector<RunRecord> runs;      // newest first

  friend bool operator==(const MachineStatus&, const MachineStatus&) = default;
};

std::string to_text(const MachineStatus& status);

/// Strict: an unknown key or a missing one is an error with file, line and column.
/// Errors: Invalid.
Result<MachineStatus> parse_machine_status(std::string_view text, std::string_view file);

}  // namespace nimbus::registry
