// LifeStep: one step of one machine's life. Sees, asks the decisions, acts once.
#pragma once

#include <string>

#include "boot/protocol/plan.hpp"
#include "controller/install/lifecycle.hpp"
#include "reconcilers/install/proof.hpp"

namespace nimbus::controller {

class LifeStep {
 public:
  LifeStep(Lifecycle& life, const LifeInput& input, const Wishes& wishes, LifeRecord record);
  LifeFacts take();

  static RunRecordOfLife new_run(const LifecycleTools& tools, const std::string& machine, reconcilers::RunKind kind,
                                 const std::string& commit);

 private:
  void note_protection();
  bool removed_protected() const;
  bool abandoned() const;
  void call_off();
  bool drops_claim();
  void without_run();
  std::string failure() const;
  Observed<PowerState> power_now();
  void replace_if_failed();
  void switch_off();
  void displace(const std::string& why);
  void keep_aside();
  bool unprotect_published() const;
  void begin(reconcilers::RunKind kind);
  void follow_clock();
  void advance();
  reconcilers::RunView look();
  bool destroys() const;
  std::string limits() const;
  Result<> admit();
  Result<> power_on_turn();
  void hear(reconcilers::RunView& view);
  void note_disks(const boot::Inventory& inventory);
  void note_erasure(const boot::Report& last, reconcilers::RunView& view);
  void miss_unseen(const boot::Inventory& inventory);
  void note_absent(const std::string& disk);
  void miss_disks(reconcilers::RunView& view);
  bool intent_acknowledged() const;
  bool contradicted() const;
  reconcilers::ProofVerdict proof(bool pushed) const;
  Result<> send(PowerAction action, const Call& call);
  Result<> switch_power(PowerAction action);
  Result<> note_overdue(const reconcilers::RunStep& step);
  Result<> perform(const reconcilers::RunStep& step);
  Result<> arm();
  void arm_again();
  Result<> offer(bool boots);
  Result<> boot();
  Result<> boot_served();
  Result<> again(const std::string& why);
  Result<std::vector<std::string>> sources_of(const ImageDisk& image) const;
  std::string image_refusal();
  void note_image(bool missing);
  Result<> add_sources(const ImageDisk& image, boot::InstallPlan& plan) const;
  Result<> make_plan();
  Result<> guarded(const std::function<Result<>(const Call&)>& act);
  void enter(reconcilers::RunPhase phase);
  void hold(const std::string& why, bool by_machine);
  void record_console();
  void renew();
  bool note_baseline();
  Result<> return_machine();
  Result<> finish();
  Result<> keep();
  Result<> keep_locked();
  LifeFacts facts();
  registry::InstanceStatus instance_status() const;
  registry::RunRecord run_record() const;
  const InstanceWish* wish() const;
  bool reinstalls() const;
  bool installed_here() const;

  Lifecycle& life_;
  const LifecycleTools& tools_;
  const LifeInput& input_;
  const Wishes& wishes_;
  const std::string machine_;
  LifeRecord record_;
  std::string waits_;
  std::string cached_;  // where nimbus-boot has the image; empty: not, or not asked
  std::string held_;    // without a run, or besides why a run is held
  bool device_failed_ = false;
  std::string quarantine_;  // erased, and not fit to be offered
};

}  // namespace nimbus::controller
