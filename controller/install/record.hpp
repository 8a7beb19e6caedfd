// What the journal keeps of one machine's life: the claim, the run, what is installed.
// Durable before anything is done on its strength.
//
// Thread rule: plain values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "boot/protocol/report.hpp"
#include "controller/install/handback.hpp"
#include "core/result.hpp"
#include "reconcilers/install/decide.hpp"
#include "registry/status/machine_status.hpp"

namespace nimbus::controller {

/// Of a run that is known from status only.
/// The method in the record of a disk that was not there to be erased.
inline constexpr std::string_view kAbsent = "absent";
inline constexpr std::size_t kMostDisks = 256;  // of one machine

inline constexpr const char* kLostNonce = "lost";

struct RunRecordOfLife {
  reconcilers::RunState state;
  std::string id;      // "berlin-1/m017/<started>"
  std::string nonce;   // of this attempt
  std::string plan;    // sealed, once it was made; empty: not yet
  std::string key;     // hex of the public key that it is sealed with
  std::string commit;  // registry commit in force when the run began
  std::string image_sha256;
  WallTime started{};
  std::optional<std::int64_t> reinstall;  // of the instance, as the plan was made; nothing: not yet
  int failures = 0;                       // device errors in a row
  std::string error;                      // the last one
  std::string host_key;                   // as the installer reported it
  std::string disk;                       // that was written
  std::vector<std::string> console;       // the last lines before it was held
  bool serviced = false;                  // held, and the machine has been in maintenance since
  bool admitted = false;                  // within the limits, and counted against them; then it acts
};

struct LifeRecord {
  std::string instance;  // "acme/web-1"; empty: free
  WallTime claimed{};
  std::string address;             // on the provisioning network
  bool unprotected = false;        // protected = false was in force while the instance's file was there …
  std::string unprotected_commit;  // … since this commit
  /// Why the instance was given another machine; empty: it was not. What is here stays as
  /// it is, and the machine off, until a person has looked.
  std::string displaced;
  bool serviced = false;  // displaced, and in maintenance since
  /// The installer may have been booted for the run, or for one before it that came to no
  /// end: what is on the disks is not certain.
  bool begun = false;
  std::optional<RunRecordOfLife> run;
  std::optional<registry::InstalledRecord> installed;
  std::string installed_for;  // which instance that is
  std::string host_key;       // of what is installed
  std::vector<registry::EraseRecord> erases;
  /// Disks that the machine showed when the instance was installed, by id: each needs a
  /// record before the machine is available again.
  std::vector<std::string> disks;
  std::optional<Baseline> baseline;  // as it was before the first write for the instance
  std::vector<registry::CheckRecord> checks;
  std::optional<registry::RamdiskRecord> seen;  // by the installer, the last time
  std::optional<registry::RunRecord> last_run;
  std::vector<WallTime> destroyed;  // when releases and reinstalls began to destroy, the last few
};

/// Claimed for an install of which nothing can have been written yet.
bool untouched(const LifeRecord& record);
/// As if the claim had never been; what is known of the disks stays.
void drop_claim(LifeRecord& record);

/// Counts against the policy's limits.
void note_destruction(LifeRecord& record, WallTime now);

std::string to_json(const LifeRecord& record);
/// Errors: Corrupt.
Result<LifeRecord> parse_life(std::string_view json);

}  // namespace nimbus::controller
