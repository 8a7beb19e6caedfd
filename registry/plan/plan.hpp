// The plan: what the difference between two versions of a registry means for each
// machine and instance (docs/reference/registry.md, "What a commit means"). Pure and
// deterministic: the same inputs give the same plan and the same digest.
//
// Thread rule: plain values; safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/power.hpp"
#include "core/time.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

/// What happens to hardware or host. In the order of weight: the last one that
/// applies is an item's worst.
enum class Effect : std::uint8_t {
  None,         // nothing happens
  Reported,     // shown to people, nothing is done
  Recorded,     // kept for the next reinstall
  Move,         // another file, the same machine: nothing happens to it
  InPlace,      // settings of a running host or of Nimbus, no interruption
  Unmanaged,    // no more writes; never erased
  ObserveOnly,  // no writes until the identity matches
  Power,        // a power action
  RootCode,     // configuration that runs as root on a host
  Unknown,      // cannot be told: nothing was observed
  Reboot,
  PowerOff,            // of something that runs
  CredentialExposure,  // credentials go to another address, or another trust holds
  Install,
  Reinstall,  // DATA LOSS: the system disk
  Release,    // DATA LOSS: all disks
};
/// "in-place", "credential-exposure", …
std::string_view to_string(Effect effect) noexcept;

enum class DataLoss : std::uint8_t { No, Possible, Yes };

/// One row of the table: a key that changed, and what follows from it.
struct Change {
  Effect effect = Effect::None;
  DataLoss data_loss = DataLoss::No;
  std::string key;       // "bios.ProcVirtualization"; empty: the object as a whole
  std::string from, to;  // as text; empty where absent. Never a secret: files hold none
  std::string reason;    // a sentence for people
  /// Why it will not happen as things stand ("protected", a broken file); empty: it will.
  std::string blocked;
  friend bool operator==(const Change&, const Change&) = default;
};

struct PlanItem {
  enum class Kind : std::uint8_t { Added, Changed, Removed };
  FileKind object = FileKind::Machine;  // Machine, Instance, or another kind for what concerns no hardware
  Kind kind = Kind::Changed;
  std::string id;        // "berlin-1/m017", "acme/web-1"
  std::string path;      // of the newer version, or of the removed one
  std::string provider;  // whose controller acts
  std::vector<Change> changes;
  std::vector<std::string> files;  // changed files that it follows from, sorted

  Effect worst() const noexcept;
  DataLoss data_loss() const noexcept;  // of changes that are not blocked
  /// Of those that are: what would be lost if nothing stood in the way.
  DataLoss blocked_data_loss() const noexcept;
  friend bool operator==(const PlanItem&, const PlanItem&) = default;
};

/// A limit of the base's policy and what the plan asks of it, per provider.
struct LimitVerdict {
  enum class Kind : std::uint8_t {
    Within,
    Queues,  // more than at the same time: the rest waits its turn
    Holds,   // more than allowed: held until approved
  };
  Kind kind = Kind::Within;
  std::string provider;
  std::string rule;  // "destructive.count", "removal.percent", "disruption.machines_rebooting", …
  std::int64_t asked = 0;
  std::int64_t allowed = 0;
  friend bool operator==(const LimitVerdict&, const LimitVerdict&) = default;
};

struct PlanTotals {
  std::size_t items = 0, machines = 0, instances = 0;
  std::size_t in_place = 0, power = 0, reboots = 0, power_offs = 0, installs = 0, reinstalls = 0, releases = 0,
              exposures = 0, root_code = 0, unknown = 0, blocked = 0;
  std::size_t data_loss = 0;  // items that destroy data
  friend bool operator==(const PlanTotals&, const PlanTotals&) = default;
};

struct Plan {
  std::vector<PlanItem> items;  // most severe first, then by id; items without changes are left out
  std::vector<LimitVerdict> limits;
  PlanTotals totals;
  /// SHA-256 (hex) over what may have to be approved: the rows that destroy data and
  /// the machines that leave; over all rows if there are none of these. Approvals are
  /// never part of it. So an approval holds for the plan that a person saw, also when
  /// harmless changes join it, and is void when anything grave does.
  std::string digest;
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// What the status branch says; absent: not observed.
struct MachineFacts {
  std::optional<PowerState> power;
  std::string instance;  // "acme/web-1"; empty: none is placed
};
struct InstanceFacts {
  std::string machine;                    // name; empty: not placed
  std::optional<std::int64_t> reinstall;  // counter of what is installed
  bool unprotected = false;               // published as unprotected before
};
struct PlanFacts {
  std::map<std::string, MachineFacts, std::less<>> machines;    // by "berlin-1/m017"
  std::map<std::string, InstanceFacts, std::less<>> instances;  // by "acme/web-1"
};

/// `base`: what is in force or the branch's start; `head`: what would be. Objects
/// whose file has errors in `head` are blocked.
Plan make_plan(const Snapshot& base, const Snapshot& head, const PlanFacts& facts = {});

/// The limit that holds a commit back as a whole; the others hold single actions.
inline constexpr std::string_view kRemovalRule = "removal.percent";
/// How many of `machines` may leave with one commit: the percentage, at least one.
std::int64_t most_removed(std::int64_t machines, const Limits& limits) noexcept;

/// Whether one of `approvals` is for the plan of this digest and has not expired.
bool is_approved(const std::vector<Approval>& approvals, std::string_view digest, WallTime now) noexcept;

/// One line: "3 machines: 1 reboot, 1 reinstall (DATA LOSS) …; nothing" if empty.
std::string summary(const Plan& plan);

}  // namespace nimbus::registry
