#include "controller/install/lifecycle.hpp"

#include <algorithm>
#include <set>

#include "base/log/log.hpp"
#include "controller/install/address.hpp"
#include "controller/install/life_step.hpp"

namespace nimbus::controller {
namespace {

constexpr std::chrono::minutes kSilence{5};  // of a BMC, until its instance's status tells
using registry::InstancePhase;
using registry::InstanceStatus;

std::string path_of(const std::string& id) {
  const auto slash = id.find('/');
  return "tenants/" + id.substr(0, slash) + "/instances/" + id.substr(slash + 1) + ".toml";
}

}  // namespace

Lifecycle::Lifecycle(LifecycleTools tools) : tools_(std::move(tools)), records_(tools_.store, tools_.provider) {
  for (const auto& [network, service] : tools_.boots) posts_[network].service = service;
}

Result<bool> Lifecycle::accept(const AcceptedRegistry& registry, Wishes wishes) {
  const std::lock_guard lock(mutex_);
  if (auto opened = records_.open(); !opened) return std::move(opened.error());
  if (auto assigned = assign(registry); !assigned) return std::move(assigned.error());
  std::set<std::string> keys;
  for (const auto& [name, slot] : slots_) keys.insert(slot.key);
  if (auto dropped = records_.drop_untouched(keys); !dropped) return std::move(dropped.error());
  absent_ = records_.absent(keys);
  const bool changed = wishes.instances != wishes_->instances;
  for (const auto& [id, wish] : wishes_->instances) {
    if (wish.instance.is_protected && !wishes.instances.contains(id)) removed_protected_.insert(id);
  }
  std::erase_if(removed_protected_, [&](const auto& id) { return wishes.instances.contains(id); });
  wishes_ = std::make_shared<const Wishes>(std::move(wishes));
  placement_due_ = true;
  policy_ = registry.policy;
  accepted_ = true;
  for (auto& [name, post] : posts_) post.due = true;
  if (auto kept = keep_protection(); !kept) return std::move(kept.error());
  return changed;
}

/// As its file says, or said when it went.
bool Lifecycle::is_protected(const std::string& instance) const {
  const auto wish = wishes_->instances.find(instance);
  return wish != wishes_->instances.end() ? wish->second.instance.is_protected : removed_protected_.contains(instance);
}

/// At once: there may be no pass, and no process of now, before its file goes.
Result<> Lifecycle::keep_protection() {
  for (auto& [name, slot] : slots_) {
    if (!slot.record.unprotected || !slot.record.displaced.empty() || !is_protected(slot.record.instance)) continue;
    LifeRecord record = slot.record;
    record.unprotected = false;
    record.unprotected_commit.clear();
    if (auto kept = keep(name, record); !kept) return kept;
    slot.record = std::move(record);
  }
  return {};
}

/// Gives each machine its record: that of the same hardware, whatever its file was called.
Result<> Lifecycle::assign(const AcceptedRegistry& registry) {
  std::map<std::string, std::string> keys;  // of machines that are new, or other hardware than before
  for (const auto& [name, machine] : registry.machines) {
    const auto slot = slots_.find(name);
    const bool same =
        slot != slots_.end() && slot->second.known && slot->second.desired->identity == machine.desired->identity;
    if (!same) keys[name];
  }
  if (!keys.empty()) {
    LifeRecords::Declared declared;
    for (const auto& [name, machine] : registry.machines) declared[name] = machine.desired->identity;
    for (auto& [name, key] : keys) key = records_.find(name, declared);
    for (const auto& [name, key] : keys) {
      if (key.empty()) continue;
      if (auto given = records_.give(key, name, declared.at(name)); !given) return given;
    }
  }
  for (const auto& [name, machine] : registry.machines) {
    Slot& slot = slots_[name];
    slot.desired = machine.desired;
    slot.adopted = machine.instance ? machine.instance->id() : std::string();
    const auto key = keys.find(name);
    if (key == keys.end() || (slot.known && !key->second.empty() && key->second == slot.key)) continue;
    slot.key = key->second;
    slot.known = !slot.key.empty();
    slot.record = slot.known ? records_.get(slot.key) : LifeRecord{};
    slot.healthy = false;
    slot.unhealthy = "not looked at yet";
  }
  std::erase_if(slots_, [&](const auto& item) {
    if (registry.machines.contains(item.first)) return false;
    if (item.second.record.run) run_left_ = true;
    return true;
  });
  return {};
}

void Lifecycle::seed(const std::map<std::string, std::string>& documents) {
  auto claims = claims_in(documents);
  const std::lock_guard lock(mutex_);
  told_claims_ = std::move(claims);
  documents_ = documents;
  seeded_ = true;
  placement_due_ = true;
}

Result<> Lifecycle::keep(const std::string& machine, const LifeRecord& record) {
  const auto found = slots_.find(machine);
  if (found == slots_.end()) return Error{Code::Conflict, machine + " is no longer in the registry"};
  Slot& slot = found->second;
  auto kept = records_.keep(slot.key, machine, slot.desired->identity, record);
  if (!kept) return std::move(kept.error());
  slot.key = std::move(*kept);
  return {};
}

/// What status said of this machine: by its path, or of the same hardware under another
/// name. Nothing: no word of it.
const std::pair<const std::string, std::string>* Lifecycle::document_of(const DesiredMachine& desired) const {
  const auto identity_in = [](const auto& document) {
    const auto status = registry::parse_machine_status(document.second, document.first);
    return status ? status->identity : Identity{};
  };
  const auto own = documents_.find(desired.path);
  if (own != documents_.end() &&
      match_identity(desired.identity, identity_in(*own)).verdict != IdentityMatch::Verdict::Differs) {
    return &*own;
  }
  const std::string folder = "providers/" + tools_.provider + "/machines/";
  for (auto at = documents_.lower_bound(folder); at != documents_.end() && at->first.starts_with(folder); ++at) {
    if (match_identity(desired.identity, identity_in(*at)).verdict == IdentityMatch::Verdict::Matches) return &*at;
  }
  if (own == documents_.end()) return nullptr;
  const Identity before = identity_in(*own);
  const bool elsewhere = std::any_of(slots_.begin(), slots_.end(), [&](const auto& item) {
    return match_identity(item.second.desired->identity, before).verdict == IdentityMatch::Verdict::Matches;
  });
  return elsewhere ? nullptr : &*own;  // its identity was edited
}

std::optional<InstanceStatus> Lifecycle::published(const std::string& id) const {
  const auto document = documents_.find(path_of(id));
  if (document == documents_.end()) return std::nullopt;
  auto status = registry::parse_instance_status(document->second, document->first);
  return status ? std::optional(std::move(*status)) : std::nullopt;
}

std::vector<Lifecycle::ToldClaim> Lifecycle::claims_in(const std::map<std::string, std::string>& documents) {
  std::vector<ToldClaim> out;
  for (const auto& [path, text] : documents) {
    if (!path.starts_with("providers/")) continue;
    const auto status = registry::parse_machine_status(text, path);
    if (!status || !status->claim || status->claim->left) continue;
    const auto name = path.substr(path.rfind('/') + 1);
    out.push_back({path, name.substr(0, name.rfind('.')), status->claim->instance, status->identity});
  }
  return out;
}

/// Before anything is placed: who has a machine by the word of status, and the journal was
/// lost. That must not wait for the machine's own pass: its BMC may be silent for long, and
/// its instance would be installed a second time.
void Lifecycle::take_over_claims() {
  std::erase_if(told_claims_, [this](const ToldClaim& claim) {
    if (!records_.find(claim.machine, {{claim.machine, claim.identity}}).empty()) return true;  // it knows better
    const auto is_it = [&](const auto& item) {
      const auto verdict = match_identity(item.second.desired->identity, claim.identity).verdict;
      return verdict == IdentityMatch::Verdict::Matches ||
             (item.second.desired->path == claim.path && verdict != IdentityMatch::Verdict::Differs);
    };
    auto slot = slots_.find(claim.machine);
    if (slot == slots_.end() || !is_it(*slot)) slot = std::find_if(slots_.begin(), slots_.end(), is_it);
    if (slot == slots_.end()) return false;
    if (!slot->second.known) adopt(slot->first, slot->second);
    return slot->second.record.instance == claim.instance;
  });
}

/// The journal knows nothing of this machine: what status says counts, except that a run
/// that was under way is held, as nobody knows how far it came.
void Lifecycle::adopt(const std::string& machine, Slot& slot) {
  slot.known = true;
  const auto* document = document_of(*slot.desired);
  if (document == nullptr) return;
  auto status = registry::parse_machine_status(document->second, document->first);
  if (!status) {
    slot.known = false;  // no reason to guess: the machine is not touched
    return;
  }
  LifeRecord record;
  record.erases = status->erases;
  record.installed = status->installed;
  record.seen = status->ramdisk;
  if (record.installed && record.seen) {
    for (const auto& disk : record.seen->disks) record.disks.push_back(disk.id);
  }
  if (status->claim) {
    record.instance = status->claim->instance;
    if (record.installed) record.installed_for = record.instance;
    record.claimed = status->claim->since;
    if (const auto told = published(record.instance); told && !told->addresses.empty()) {
      record.address = told->addresses.front();
      const std::string known = record.address + " ";
      if (told->ssh_known_hosts.starts_with(known)) record.host_key = told->ssh_known_hosts.substr(known.size());
    }
  }
  if (status->claim && status->claim->left)
    record.displaced = record.instance + " went to another machine; the journal that knew why is lost";
  const bool in_the_middle =
      status->phase == registry::MachinePhase::Installing || status->phase == registry::MachinePhase::Releasing;
  if (record.displaced.empty() && (in_the_middle || (status->claim && !status->installed))) {
    auto& run = record.run.emplace();
    run.id = tools_.provider + "/" + machine + "/lost";
    run.nonce = kLostNonce;
    record.begun = true;
    run.state.phase = reconcilers::RunPhase::Held;
    run.state.since = run.started = tools_.clock.wall();
    run.state.held = "the journal of the run that was under way is lost; nothing is written until a person has looked";
  }
  if (!record.instance.empty())
    base::log(base::Level::Warning, "life-from-status", "taken over from status", {{"machine", machine}});
  if (auto kept = keep(machine, record); kept)
    slot.record = std::move(record);
  else
    slot.known = false;
}

/// Nobody knows what a machine does whose BMC is silent; so nothing is done about it.
void Lifecycle::unread(const DesiredMachine& desired, const std::string& why) {
  const std::string& machine = desired.id.machine;
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(machine);
  if (found == slots_.end() || found->second.desired->identity != desired.identity) return;
  Slot& slot = found->second;
  if (slot.healthy) placement_due_ = true;
  slot.healthy = false;
  slot.unhealthy = why;
  const WallTime now = tools_.clock.wall();
  if (!slot.silent_since) slot.silent_since = now;
  if (now - *slot.silent_since >= kSilence) tell_silence(slot, machine, why);
}

/// Under the lock. Its instance's status says what it said, and this.
void Lifecycle::tell_silence(const Slot& slot, const std::string& machine, const std::string& why) {
  const auto& record = slot.record;
  const auto wish = wishes_->instances.find(record.instance);
  if (!record.displaced.empty() || wish == wishes_->instances.end()) return;
  auto status = published(record.instance);  // maybe by the controller that was here before
  if (const auto told = told_.find(record.instance); told != told_.end()) {
    if (auto now = registry::parse_instance_status(told->second, wish->second.path)) status = std::move(*now);
  }
  if (!status) status = InstanceStatus{.phase = InstancePhase::Pending, .machine = machine, .message = {}};
  const std::string begins = "nobody knows whether " + machine + " runs";
  if (status->message.find(begins) != std::string::npos) return;
  const bool replace = wish->second.instance.on_machine_failure == OnMachineFailure::Replace;
  const bool held = record.run && record.run->state.phase == reconcilers::RunPhase::Held;
  const std::string before = held ? record.run->state.held + "; " : "";
  status->message = before + begins + ": its BMC is silent: " + why + "; repair the BMC, or correct bmc.address" +
                    (record.run && !held ? "; what is under way goes on then" : "") +
                    (replace ? "; the instance is not replaced until the machine is seen to be off" : "");
  base::log(base::Level::Error, "machine-silent", why, {{"machine", machine}, {"instance", record.instance}});
  tell_instance(record.instance, *status, "machine-silent");
}

std::set<std::string> Lifecycle::bmc_addresses() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [name, slot] : slots_) out.insert(slot.desired->bmc.address);
  return out;
}

/// What all machines did, and all but this one do.
LifeLoad Lifecycle::load_beside(const std::string& machine) const {
  LifeLoad load;
  load.machines = slots_.size();
  for (const auto& [name, slot] : slots_) {
    load.destructions.insert(load.destructions.end(), slot.record.destroyed.begin(), slot.record.destroyed.end());
    const auto& run = slot.record.run;
    if (!run || name == machine) continue;
    if (run->admitted && run->state.phase != reconcilers::RunPhase::Held) ++load.installing;
  }
  return load;
}

void Lifecycle::tell_instance(const std::string& id, const InstanceStatus& status, const std::string& event) {
  const auto wish = wishes_->instances.find(id);
  const std::string path = wish != wishes_->instances.end() ? wish->second.path : path_of(id);
  std::string text = registry::to_text(status);
  auto& told = told_[id];
  if (told == text) return;
  told = text;
  tools_.publish(path, text, event);
}

std::optional<LifeFacts> Lifecycle::step(const LifeInput& input) {
  const std::string& machine = input.desired.id.machine;
  LifeRecord record;
  std::shared_ptr<const Wishes> wishes;
  std::vector<std::string> claimed;
  std::vector<std::string> due;
  bool plain = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(machine);
    if (!accepted_ || found == slots_.end()) return std::nullopt;
    Slot& slot = found->second;
    // Its file is about another machine by now: this pass is none of its life.
    if (slot.desired->identity != input.desired.identity) return LifeFacts{.busy = true, .outdated = true};
    if (!slot.known && seeded_) {
      adopt(machine, slot);
      placement_due_ = true;
    }
    if (!slot.known) return std::nullopt;
    const bool healthy = input.power.is_known() && input.match.verdict == IdentityMatch::Verdict::Matches;
    std::string unhealthy = input.power.is_known() ? input.match.reason : input.power.reason();
    if (healthy != slot.healthy || unhealthy != slot.unhealthy) placement_due_ = true;
    slot.healthy = healthy;
    slot.unhealthy = std::move(unhealthy);
    slot.silent_since.reset();
    if (!slot.adopted.empty()) return std::nullopt;
    if (seeded_) claimed = place();
    plain = slot.record.instance.empty() && !slot.record.run && !slot.record.last_run && slot.record.erases.empty() &&
            !slot.record.installed;
    record = slot.record;
    wishes = wishes_;
    due = posts_due(slot.desired->boot.network);
  }
  for (const auto& other : claimed) {
    if (other != machine) tools_.look_at(other);
  }
  for (const auto& post : due) static_cast<void>(tell(post, input.call));
  if (plain) return std::nullopt;
  LifeStep step(*this, input, *wishes, record);
  LifeFacts facts = step.take();
  return facts;
}

}  // namespace nimbus::controller
