// Permit: the leave to write to one disk. The functions that write take one, and the
// only way to get one is through the checks (registry format, "Proof before
// destruction", 3): so no code path reaches a disk without them.
//
// Checked here, against what the machine itself says now: the plan's run and nonce
// are those that the machine was booted with; the firmware's identity is the declared
// one; the machine has the NIC that the plan names; exactly one disk is meant; and the
// disk's own testimony does not contradict the proof.
//
// Thread rule: pure.
#pragma once

#include <string>
#include <vector>

#include "boot/protocol/plan.hpp"
#include "core/result.hpp"
#include "installer/disks.hpp"

namespace nimbus::installer {

/// What the disk says of itself.
struct DiskWitness {
  bool head_blank = false;  // the first MiB holds zeros only: no partition table, no boot sector
  std::string marker;       // what the marker of an earlier install says ("run instance"), or empty
  friend bool operator==(const DiskWitness&, const DiskWitness&) = default;
};

/// What the machine says.
struct MachineFacts {
  Identity identity;              // DMI
  std::vector<std::string> macs;  // lower case, with colons
  std::string run, nonce;         // as the machine was booted with
  std::vector<DiskFacts> disks;
};

struct EraseLeave;

class Permit {
 public:
  const DiskFacts& disk() const noexcept { return disk_; }

 private:
  friend Result<Permit> permit_install(const boot::InstallPlan&, const MachineFacts&, const DiskFacts&,
                                       const DiskWitness&);
  friend Result<EraseLeave> permit_erase(const boot::InstallPlan&, const MachineFacts&);
  explicit Permit(DiskFacts disk) : disk_(std::move(disk)) {}
  DiskFacts disk_;
};

/// Errors: Untrusted (run, nonce, identity, NIC), Conflict (the disk contradicts the
/// proof; it is another disk than the plan's), Invalid (a plan that does not install).
Result<Permit> permit_install(const boot::InstallPlan& plan, const MachineFacts& machine, const DiskFacts& disk,
                              const DiskWitness& witness);

struct EraseLeave {
  std::vector<Permit> permits;
  std::vector<LeftOut> left_out;  // not to be erased; none of them may be forgotten
};

/// For every disk that is erased on release. Errors: as above; Conflict (the disk that was installed is
/// not there, so the others may be somebody else's); NotFound (no disk at all).
Result<EraseLeave> permit_erase(const boot::InstallPlan& plan, const MachineFacts& machine);

}  // namespace nimbus::installer
