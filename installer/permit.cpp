#include "installer/permit.hpp"

#include <algorithm>

namespace nimbus::installer {
namespace {

/// Steps common to both: is this the machine, and the boot, that the plan is for?
Result<> check_machine(const boot::InstallPlan& plan, const MachineFacts& machine) {
  if (plan.run.empty() || plan.run != machine.run) {
    return Error{Code::Untrusted, "the plan is of run " + plan.run + ", this boot is of run " + machine.run};
  }
  if (plan.nonce.size() < 32 || plan.nonce != machine.nonce) {
    return Error{Code::Untrusted, "the plan's nonce is not the one that this machine was booted with"};
  }
  const auto match = match_identity(plan.identity, machine.identity);
  if (match.verdict != IdentityMatch::Verdict::Matches) {
    return Error{Code::Untrusted, "this is not the declared machine, or it cannot be told: " + match.reason};
  }
  if (std::find(machine.macs.begin(), machine.macs.end(), plan.mac) == machine.macs.end()) {
    return Error{Code::Untrusted, "this machine has no NIC with the address " + plan.mac};
  }
  return {};
}

/// Does the disk contradict what the controller believes? `marker` is "run instance".
Result<> check_witness(const boot::InstallPlan& plan, const DiskFacts& disk, const DiskWitness& witness) {
  switch (plan.proof) {
    case boot::Proof::None:
      return Error{Code::Invalid, "the plan gives no proof that " + disk.id + " may be written"};
    case boot::Proof::ErasedByUs:
      if (std::find(plan.erased.begin(), plan.erased.end(), disk.id) == plan.erased.end()) {
        return Error{Code::Conflict, disk.id + " was not among the disks that were erased here"};
      }
      if (witness.head_blank) return {};
      return Error{Code::Conflict, disk.id + " is said to be erased, but it has a partition table or other data"};
    case boot::Proof::OwnerConsents:
      return {};
    case boot::Proof::SameInstance:
      if (plan.disk.empty()) return Error{Code::Invalid, "the plan does not name the disk of " + plan.instance};
      // Blank: an earlier attempt of the reinstall was cut off.
      if (witness.head_blank || witness.marker.ends_with(" " + plan.instance)) return {};
      return Error{Code::Conflict, disk.id + " is not marked as the system disk of " + plan.instance};
    case boot::Proof::Release:
      return Error{Code::Invalid, "a release installs nothing"};
  }
  return Error{Code::Invalid, "unknown proof"};
}

}  // namespace

Result<Permit> permit_install(const boot::InstallPlan& plan, const MachineFacts& machine, const DiskFacts& disk,
                              const DiskWitness& witness) {
  if (plan.action != boot::PlanAction::Install) return Error{Code::Invalid, "the plan does not install"};
  if (auto checked = check_machine(plan, machine); !checked) return std::move(checked.error());
  auto chosen = choose_root_disk(plan.root_disk, plan.disk, machine.disks, plan.image_bytes);
  if (!chosen) return std::move(chosen.error());
  if (*chosen != disk) return Error{Code::Conflict, "another disk than " + disk.id + " matches now: " + chosen->id};
  if (witness.marker == plan.run + " " + plan.instance) {
    return Error{Code::Conflict, "this run has installed " + disk.id + " already"};
  }
  if (auto checked = check_witness(plan, disk, witness); !checked) return std::move(checked.error());
  return Permit(disk);
}

Result<EraseLeave> permit_erase(const boot::InstallPlan& plan, const MachineFacts& machine) {
  if (plan.action != boot::PlanAction::Erase) return Error{Code::Invalid, "the plan does not erase"};
  if (plan.proof != boot::Proof::Release) return Error{Code::Invalid, "the plan gives no proof that disks may go"};
  if (auto checked = check_machine(plan, machine); !checked) return std::move(checked.error());
  const bool there =
      std::any_of(machine.disks.begin(), machine.disks.end(), [&](const auto& disk) { return disk.id == plan.disk; });
  if (!plan.disk.empty() && !there) {
    return Error{Code::Conflict, "the system disk that was installed, " + plan.disk +
                                     ", is not there: nothing is erased before a person has looked"};
  }
  auto [disks, left_out] = to_erase(machine.disks);
  EraseLeave leave{.permits = {}, .left_out = std::move(left_out)};
  for (auto& disk : disks) leave.permits.push_back(Permit(std::move(disk)));
  if (leave.permits.empty() && leave.left_out.empty()) {
    return Error{Code::NotFound, "the machine shows no disk that could be erased"};
  }
  return leave;
}

}  // namespace nimbus::installer
