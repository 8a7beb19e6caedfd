// What a step sees: the forge's word, the installer's, and whether that is a proof.
#include <algorithm>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "controller/install/life_step.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;
using reconcilers::Told;
using reconcilers::WriteProof;

Told told_of(const boot::Heard& heard) {
  if (!heard.last) return heard.script_served ? Told::AskedForScript : Told::Nothing;
  switch (heard.last->stage) {
    case boot::Stage::CheckedIn:
      return Told::CheckedIn;
    case boot::Stage::Writing:
    case boot::Stage::Written:
    case boot::Stage::Erasing:
      return Told::Working;
    case boot::Stage::Installed:
    case boot::Stage::Erased:
      return Told::Finished;
    case boot::Stage::Failed:
      return Told::Failed;
  }
  return Told::Nothing;
}

/// What stays the same while nobody opens the machine or its cabling, cut and printable.
registry::RamdiskRecord seen_of(const boot::Inventory& inventory) {
  const auto text = [](const std::string& foreign) { return base::printable(foreign, 120); };
  registry::RamdiskRecord out;
  out.tpm = text(inventory.tpm);
  out.cpus = inventory.cpus;
  out.memory_bytes = inventory.memory_bytes;
  for (const auto& one : inventory.disks) {
    if (out.disks.size() == registry::RamdiskRecord::kDisks) break;
    out.disks.push_back({text(one.id), text(one.serial), one.bytes});
  }
  for (const auto& mac : inventory.macs) {
    if (out.macs.size() == registry::RamdiskRecord::kMacs) break;
    out.macs.push_back(text(mac));
  }
  for (const auto& one : inventory.neighbours) {
    if (out.neighbours.size() == registry::RamdiskRecord::kNeighbours) break;
    out.neighbours.push_back({text(one.nic), text(one.system), text(one.chassis), text(one.port)});
  }
  for (const auto& one : inventory.pci) {
    if (out.pci.size() == registry::RamdiskRecord::kPci) break;
    out.pci.push_back({text(one.address), text(one.kind), text(one.id)});
  }
  return out;
}

}  // namespace

bool LifeStep::intent_acknowledged() const {
  const auto text = tools_.acknowledged(input_.desired.path);
  if (!text) return false;
  const auto status = registry::parse_machine_status(*text, input_.desired.path);
  return status && status->claim && status->claim->instance == record_.instance &&
         status->claim->nonce_sha256 == base::sha256_hex(record_.run->nonce);
}

/// Whether what the forge shows of this machine's disks is other than what the journal
/// knows: somebody put the status branch back, or wrote to it.
bool LifeStep::contradicted() const {
  const auto text = tools_.acknowledged(input_.desired.path);
  if (!text) return false;  // then the intent is missing as well
  const auto status = registry::parse_machine_status(*text, input_.desired.path);
  if (!status || status->installed.has_value() != record_.installed.has_value()) return true;
  if (status->installed && status->installed->nonce_sha256 != record_.installed->nonce_sha256) return true;
  const auto told = std::min(record_.erases.size(), registry::MachineStatus::kErases);  // of very many disks not all
  return !std::equal(status->erases.begin(), status->erases.end(), record_.erases.begin(),
                     record_.erases.begin() + static_cast<std::ptrdiff_t>(told),
                     [](const auto& a, const auto& b) { return a.disk == b.disk && a.verified == b.verified; });
}

reconcilers::ProofVerdict LifeStep::proof(bool pushed) const {
  const bool erased = !record_.erases.empty() && std::all_of(record_.erases.begin(), record_.erases.end(),
                                                             [](const auto& e) { return e.verified; });
  reconcilers::WriteReason reason = reconcilers::WriteReason::Install;
  const bool erases = record_.run->state.kind == RunKind::Erase;
  // What never got installed is erased on the proof that its install had.
  if (erases && installed_here()) reason = reconcilers::WriteReason::Release;
  if (reinstalls()) reason = reconcilers::WriteReason::Reinstall;
  auto verdict =
      reconcilers::judge_write({.reason = reason,
                                .identity = input_.match.verdict,
                                .intent_pushed = pushed,
                                .claim_is_ours = !record_.instance.empty(),
                                .erase_record = erased,
                                .owner_consents = input_.desired.lifecycle.existing_data == ExistingData::Erase,
                                .installed_here = installed_here(),
                                .installed_other = record_.installed && !installed_here(),
                                .journal_contradicts = contradicted()});
  if (erases && verdict.proof != WriteProof::None) verdict.proof = WriteProof::Release;
  return verdict;
}

reconcilers::RunView LifeStep::look() {
  const auto& run = *record_.run;
  reconcilers::RunView view{.power = input_.power, .refusal = {}, .message = {}};
  view.intent_pushed = run.state.phase != RunPhase::Intent || intent_acknowledged();
  if (run.state.phase == RunPhase::Prepare) {
    view.refusal = proof(true).missing;
    const auto* wanted = wish();
    if (run.state.kind == RunKind::Install && wanted == nullptr) view.refusal = "the instance is no longer wanted";
    if (wanted != nullptr && !wanted->problem.empty()) view.refusal = wanted->problem;
    if (view.refusal.empty() && !run.admitted) {
      const std::lock_guard lock(life_.mutex_);
      view.refusal = limits();
    }
  }
  // Asked for while the forge takes the intent; needed before anything is done to the machine.
  if (run.state.phase == RunPhase::Intent) static_cast<void>(image_refusal());
  if (run.state.phase == RunPhase::Prepare) {
    if (view.refusal.empty()) view.image = image_refusal();
    note_image(!view.image.empty());
  }
  if (run.state.phase == RunPhase::Booting || run.state.phase == RunPhase::Working) hear(view);
  if (run.state.phase == RunPhase::Handover) {
    if (auto answer = tools_.ssh(record_.address, run.host_key, input_.call)) view.ssh = *answer;
  }
  return view;
}

void LifeStep::note_image(bool missing) {
  auto& since = record_.run->state.image_since;
  if (missing == (since != WallTime{})) return;
  since = missing ? tools_.clock.wall() : WallTime{};
  static_cast<void>(keep());  // at worst the deadline begins later
}

void LifeStep::hear(reconcilers::RunView& view) {
  const auto& network = input_.desired.boot.network;
  auto* const served_by = life_.boot_of(network);
  if (served_by == nullptr) {
    waits_ = Lifecycle::unserved(network);
    return;
  }
  if (record_.run->state.phase == RunPhase::Booting && Lifecycle::braked(input_.desired)) {
    waits_ = "the installer is not served: hands_off, or not in service";
    return;
  }
  const auto heard = served_by->heard(input_.desired.mac, input_.call);
  if (!heard) {
    waits_ = heard.error().text();
    return;
  }
  auto& run = *record_.run;
  if (!*heard || (*heard)->run != run.id || (*heard)->nonce != run.nonce) {
    life_.distrust(network);
    return;
  }
  view.told = told_of(**heard);
  view.restarted = (*heard)->restarted;
  view.silent = (*heard)->silent;
  if (!(*heard)->last) return;
  const auto& last = *(*heard)->last;
  view.message = base::printable(last.message, 400);
  if (last.all_bytes > 0 && view.told == Told::Working) {
    waits_ = std::to_string(last.done_bytes * 100 / last.all_bytes / 10 * 10) + " % written";
  }
  if (!last.disk.empty()) run.disk = last.disk;  // for good: a later attempt writes to no other
  run.host_key = base::printable(last.host_key, 400);
  if (!last.inventory.disks.empty()) record_.seen = seen_of(last.inventory);
  if (run.state.kind == RunKind::Install) note_disks(last.inventory);
  const bool over = view.told == Told::Finished || view.told == Told::Failed;
  if (over && run.state.kind == RunKind::Erase) note_erasure(last, view);
}

/// What became of each disk. An installer that failed before it looked at any tells of
/// none, and what is known stays; one that is done has a verified record for each.
void LifeStep::note_erasure(const boot::Report& last, reconcilers::RunView& view) {
  const auto& erased = last.erased;
  if (erased.empty() && view.told == Told::Failed) return miss_unseen(last.inventory);
  record_.erases.clear();
  std::string failed;
  for (const auto& erase : erased) {
    record_.erases.push_back({base::printable(erase.disk, 200), base::printable(erase.level, 50),
                              base::printable(erase.method, 200), erase.verified, tools_.clock.wall()});
    if (!erase.verified) failed += (failed.empty() ? "" : ", ") + record_.erases.back().disk;
  }
  miss_disks(view);
  if (view.told == Told::Failed || (!erased.empty() && failed.empty())) return;
  view.told = Told::Failed;
  view.message = "it says that it is done, and " + (erased.empty() ? "names no disk" : "not with " + failed);
}

/// What one instance may have written to: all that was there at any of its installs.
void LifeStep::note_disks(const boot::Inventory& inventory) {
  for (const auto& disk : inventory.disks) {
    std::string id = base::printable(disk.id, 200);
    const bool known = std::find(record_.disks.begin(), record_.disks.end(), id) != record_.disks.end();
    if (!known && record_.disks.size() < kMostDisks) record_.disks.push_back(std::move(id));
  }
}

/// Nothing was erased. What is missing by the installer's own word is told all the same.
void LifeStep::miss_unseen(const boot::Inventory& inventory) {
  if (inventory.disks.empty()) return;
  for (const auto& disk : record_.disks) {
    const auto is_it = [&](const auto& one) { return one == disk; };
    const bool seen = std::any_of(inventory.disks.begin(), inventory.disks.end(),
                                  [&](const auto& one) { return is_it(base::printable(one.id, 200)); });
    const bool told =
        std::any_of(record_.erases.begin(), record_.erases.end(), [&](const auto& erase) { return is_it(erase.disk); });
    if (!seen && !told) note_absent(disk);
  }
}

void LifeStep::note_absent(const std::string& disk) {
  record_.erases.push_back(
      {disk, std::string(name_of(wishes_.provider.release.erase)), std::string(kAbsent), false, tools_.clock.wall()});
}

/// A disk that was there at the install and is not now still has its data: the machine is
/// not offered before a person has looked.
void LifeStep::miss_disks(reconcilers::RunView& view) {
  std::string missing;
  for (const auto& disk : record_.disks) {
    const bool told = std::any_of(record_.erases.begin(), record_.erases.end(),
                                  [&](const auto& erase) { return erase.disk == disk; });
    if (told) continue;
    missing += (missing.empty() ? "" : ", ") + disk;
    note_absent(disk);
  }
  if (missing.empty() || view.told == Told::Failed) return;
  view.told = Told::Failed;
  view.message = "not there to be erased: " + missing + "; put it back, or take it away for good, and then maintenance";
}

}  // namespace nimbus::controller
