#include "controller/install/life_step.hpp"

#include <algorithm>
#include <array>

#include "base/crypto/crypto.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "boot/protocol/plan.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;
using reconcilers::RunStep;
using reconcilers::Told;
using reconcilers::WriteProof;
using std::chrono::milliseconds;

constexpr int kMostFailures = 5;
constexpr milliseconds kSoon{1000};

std::string make_nonce() {
  std::array<std::uint8_t, 16> bytes{};
  base::random_bytes(bytes);
  return base::to_hex(bytes);
}

boot::Proof wire_proof(WriteProof proof) {
  switch (proof) {
    case WriteProof::None:
      return boot::Proof::None;
    case WriteProof::ErasedByUs:
      return boot::Proof::ErasedByUs;
    case WriteProof::OwnerConsents:
      return boot::Proof::OwnerConsents;
    case WriteProof::SameInstance:
      return boot::Proof::SameInstance;
    case WriteProof::Release:
      return boot::Proof::Release;
  }
  return boot::Proof::None;
}

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

bool begins_with_any(const std::string& url, const std::vector<std::string>& beginnings) {
  for (const auto& beginning : beginnings) {
    if (!beginning.empty() && url.starts_with(beginning)) return true;
  }
  return false;
}

/// The networks that the instance asks for, as its seed has them.
std::vector<boot::PlanNetwork> networks_of(const InstanceWish& wanted, const Wishes& wishes) {
  std::vector<boot::PlanNetwork> out;
  for (const auto& attachment : wanted.instance.networks) {
    const auto network = wishes.networks.find(attachment.name);
    if (network == wishes.networks.end()) continue;
    const auto& cidr = network->second.cidr;
    std::string address = attachment.address == "auto" ? std::string() : attachment.address;
    if (!address.empty() && address.find('/') == std::string::npos) address += cidr.substr(cidr.find('/'));
    out.push_back({attachment.name, network->second.vlan.value_or(0), std::move(address)});
  }
  return out;
}

/// What the machine showed is not what its file declares.
void compare(const HardwareDeclaration& declared, const boot::Inventory& seen, const std::string& machine) {
  constexpr std::int64_t kGib = std::int64_t{1} << 30;
  std::string differs;
  const auto note = [&](const std::string& text) { differs += (differs.empty() ? "" : "; ") + text; };
  if (declared.cpu_cores && seen.cpus < *declared.cpu_cores) {
    note(std::to_string(seen.cpus) + " processors instead of " + std::to_string(*declared.cpu_cores) + " cores");
  }
  // Firmware and kernel keep some of the memory.
  if (declared.memory_gib && seen.memory_bytes < *declared.memory_gib * kGib / 10 * 9) {
    note(std::to_string(seen.memory_bytes / kGib) + " GiB of memory instead of " +
         std::to_string(*declared.memory_gib));
  }
  for (const auto& disk : declared.disks) {
    const bool there = std::any_of(seen.disks.begin(), seen.disks.end(), [&](const auto& one) {
      return disk.serial.empty() ? !disk.size_gib || one.bytes >= *disk.size_gib * kGib / 100 * 93  // GB sold as GiB
                                 : one.serial == disk.serial;
    });
    if (!there) note("no disk " + (disk.serial.empty() ? "of the declared size" : base::printable(disk.serial, 64)));
  }
  if (differs.empty()) return;
  base::log(base::Level::Warning, "inventory-differs", differs, {{"machine", machine}});
}

}  // namespace

LifeStep::LifeStep(Lifecycle& life, const LifeInput& input, const Wishes& wishes, LifeRecord record)
    : life_(life),
      tools_(life.tools_),
      input_(input),
      wishes_(wishes),
      machine_(input.desired.id.machine),
      record_(std::move(record)) {}

RunRecordOfLife LifeStep::new_run(const LifecycleTools& tools, const std::string& machine, RunKind kind,
                                  const std::string& commit) {
  RunRecordOfLife run;
  run.started = tools.clock.wall();
  run.id = tools.provider + "/" + machine + "/" + std::to_string(run.started.time_since_epoch().count());
  run.nonce = make_nonce();
  run.commit = commit;
  run.state = {.kind = kind, .phase = RunPhase::Intent, .since = run.started, .powered = {}, .held = {}};
  return run;
}

const InstanceWish* LifeStep::wish() const {
  const auto found = wishes_.instances.find(record_.instance);
  return found == wishes_.instances.end() ? nullptr : &found->second;
}

bool LifeStep::reinstalls() const {
  return record_.run && record_.run->state.kind == RunKind::Install && installed_here();
}

bool LifeStep::installed_here() const {
  return record_.installed && !record_.instance.empty() && record_.installed_for == record_.instance;
}

LifeFacts LifeStep::take() {
  if (record_.run && drops_claim()) return facts();
  const bool held =
      record_.run && record_.run->state.phase == RunPhase::Held && record_.run->state.kind == RunKind::Install;
  if (!record_.run || held) without_run();
  if (record_.run) advance();
  return facts();
}

/// An instance that goes before anything was written for it leaves nothing behind: the
/// claim is dropped, and nothing is erased.
bool LifeStep::drops_claim() {
  const auto& run = *record_.run;
  const bool untouched =
      run.state.attempt == 1 && (run.state.phase == RunPhase::Intent || run.state.phase == RunPhase::Prepare);
  if (run.state.kind != RunKind::Install || record_.installed || !untouched || wish() != nullptr) return false;
  const LifeRecord before = record_;
  record_.run.reset();
  record_.instance.clear();
  record_.address.clear();
  record_.unprotected = false;
  if (auto kept = keep(); !kept) {
    record_ = before;
    return false;
  }
  base::log(base::Level::Info, "claim-dropped", "the instance is gone, nothing was written", {{"machine", machine_}});
  static_cast<void>(life_.serve(input_.call));
  return true;
}

Result<> LifeStep::keep() {
  const std::lock_guard lock(life_.mutex_);
  if (auto kept = life_.keep(machine_, record_); !kept) return kept;
  if (const auto slot = life_.slots_.find(machine_); slot != life_.slots_.end()) {
    if (slot->second.record.instance != record_.instance) life_.placement_due_ = true;
    slot->second.record = record_;
  }
  life_.orders_dirty_ = true;
  return {};
}

/// A claimed machine without a run: is its instance still wanted, and as it is?
void LifeStep::without_run() {
  if (record_.instance.empty()) return;
  const InstanceWish* wanted = wish();
  if (wanted == nullptr) {
    if (!record_.unprotected) {
      held_ = "the file of " + record_.instance +
              " is gone, but protected = false was not in force before; nothing is erased";
      return;
    }
    if (!unprotect_published()) {
      held_ = "the file of " + record_.instance + " is gone; waiting until status has told that it was unprotected";
      return;
    }
    begin(RunKind::Erase);
    return;
  }
  const bool open = !wanted->instance.is_protected;
  if (open != record_.unprotected) {
    record_.unprotected = open;
    record_.unprotected_commit = open ? wishes_.commit : std::string();
    if (auto kept = keep(); !kept) held_ = kept.error().text();
    return;  // what is destructive comes in a later commit
  }
  const bool again = !record_.run && record_.installed && wanted->instance.reinstall > record_.installed->reinstall;
  if (!again) return;
  if (!open || record_.unprotected_commit == wishes_.commit || !unprotect_published()) {
    held_ = "reinstall was raised, but protected = false was not in force before";
    return;
  }
  begin(RunKind::Install);
}

/// Unprotect first: accepted and told in status before what is destructive may count.
bool LifeStep::unprotect_published() const {
  const auto slash = record_.instance.find('/');
  const std::string path =
      "tenants/" + record_.instance.substr(0, slash) + "/instances/" + record_.instance.substr(slash + 1) + ".toml";
  const auto text = tools_.acknowledged(path);
  if (!text) return false;
  const auto status = registry::parse_instance_status(*text, path);
  return status && !status->unprotected_since.empty();
}

void LifeStep::begin(RunKind kind) {
  record_.run = new_run(tools_, machine_, kind, wishes_.commit);
  if (const auto* wanted = wish(); wanted != nullptr && wanted->image.disk)
    record_.run->image_sha256 = wanted->image.disk->sha256;
  if (auto kept = keep(); !kept) {
    held_ = kept.error().text();
    record_.run.reset();
  }
}

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
  return !std::equal(status->erases.begin(), status->erases.end(), record_.erases.begin(), record_.erases.end(),
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
    if (view.refusal.empty() && run.state.attempt == 1) view.refusal = limits();
  }
  if (run.state.phase == RunPhase::Booting || run.state.phase == RunPhase::Working) hear(view);
  if (run.state.phase == RunPhase::Handover) {
    if (auto answer = tools_.ssh(record_.address, run.host_key, input_.call)) view.ssh = *answer;
  }
  return view;
}

std::string LifeStep::limits() const {
  const std::lock_guard lock(life_.mutex_);
  const auto load = life_.load_beside(machine_);
  auto why = installing_limit(life_.policy_, load);
  const bool destroys = record_.run->state.kind == RunKind::Erase || reinstalls();
  return why.empty() && destroys ? destructive_limit(life_.policy_, load, tools_.clock.wall()) : why;
}

void LifeStep::hear(reconcilers::RunView& view) {
  auto heard = tools_.boot.heard(input_.call);
  if (!heard) {
    waits_ = heard.error().text();
    return;
  }
  const auto mine = heard->find(input_.desired.mac);
  auto& run = *record_.run;
  if (mine == heard->end() || mine->second.run != run.id || mine->second.nonce != run.nonce) {
    const std::lock_guard lock(life_.mutex_);
    life_.orders_dirty_ = true;  // it lost its state: tell it again
    return;
  }
  view.told = told_of(mine->second);
  if (!mine->second.last) return;
  const auto& last = *mine->second.last;
  view.message = base::printable(last.message, 400);
  if (last.all_bytes > 0 && view.told == Told::Working) {
    waits_ = std::to_string(last.done_bytes * 100 / last.all_bytes / 10 * 10) + " % written";
  }
  run.disk = last.disk;
  run.host_key = base::printable(last.host_key, 400);
  if (run.state.phase == RunPhase::Booting) compare(input_.desired.hardware, last.inventory, machine_);
  if (view.told == Told::Finished && run.state.kind == RunKind::Erase) {
    record_.erases.clear();
    for (const auto& erase : last.erased) {
      record_.erases.push_back({base::printable(erase.disk, 200), base::printable(erase.level, 50),
                                base::printable(erase.method, 50), erase.verified, tools_.clock.wall()});
    }
  }
}

void LifeStep::advance() {
  const auto view = look();
  const RunStep step = reconcilers::decide_run(record_.run->state, view, tools_.policy, tools_.clock.wall());
  if (waits_.empty() || step.kind != RunStep::Kind::Wait) waits_ = step.reason;
  auto done = perform(step);
  if (!record_.run) return;
  if (done) {
    record_.run->failures = 0;
    return;
  }
  waits_ = done.error().text();
  // A device that refuses again and again (a lying boot override) ends in a hold.
  const bool device = done.error().code != Code::Conflict && done.error().code != Code::Cancelled;
  if (!device) return;
  record_.run->error = waits_;
  if (++record_.run->failures >= kMostFailures)
    hold(waits_ + "; tried " + std::to_string(kMostFailures) + " times");
  else
    static_cast<void>(keep());
}

void LifeStep::enter(RunPhase phase) {
  if (record_.run->state.phase == phase) return;
  record_.run->state.phase = phase;
  record_.run->state.since = tools_.clock.wall();
}

void LifeStep::hold(const std::string& why) {
  enter(RunPhase::Held);
  record_.run->state.held = why;
  base::log(base::Level::Error, "run-held", why, {{"machine", machine_}, {"instance", record_.instance}});
  static_cast<void>(keep());
  static_cast<void>(life_.serve(input_.call));
}

Result<> LifeStep::guarded(const std::function<Result<>()>& act) {
  if (auto refusal = input_.guard()) return Error{Code::Conflict, refusal->message};
  return act();
}

Result<> LifeStep::perform(const RunStep& step) {
  switch (step.kind) {
    case RunStep::Kind::Wait:
      if (step.phase == record_.run->state.phase) return {};
      enter(step.phase);
      base::log(base::Level::Info, "run-phase", step.reason,
                {{"machine", machine_}, {"phase", std::string(name_of(step.phase))}});
      return keep();
    case RunStep::Kind::PushIntent:
      return {};  // status tells it with this pass
    case RunStep::Kind::PowerOff:
      return guarded([this]() -> Result<> {
        record_.run->state.powered = tools_.clock.wall();
        if (auto kept = keep(); !kept) return kept;
        auto sent = input_.bmc.power()->act(PowerAction::HardOff, input_.call);
        if (!sent) return std::move(sent.error()).with("while switching off");
        return {};
      });
    case RunStep::Kind::Boot:
      return boot();
    case RunStep::Kind::PowerOn:
      return guarded([this]() -> Result<> {
        record_.run->state.powered = tools_.clock.wall();
        if (auto kept = keep(); !kept) return kept;
        auto sent = input_.bmc.power()->act(PowerAction::On, input_.call);
        if (!sent) return std::move(sent.error()).with("while switching on");
        return {};
      });
    case RunStep::Kind::AskSsh:
      if (record_.run->state.phase == RunPhase::Handover) return {};
      enter(RunPhase::Handover);
      if (auto kept = keep(); !kept) return kept;
      return life_.serve(input_.call);
    case RunStep::Kind::Again:
      base::log(base::Level::Warning, "run-again", step.reason, {{"machine", machine_}});
      record_.run->state.attempt += 1;
      record_.run->nonce = make_nonce();
      record_.run->plan.clear();
      enter(RunPhase::Intent);
      if (auto kept = keep(); !kept) return kept;
      return life_.serve(input_.call);
    case RunStep::Kind::Finish:
      return finish();
    case RunStep::Kind::Hold:
      hold(step.reason);
      return {};
  }
  return {};
}

Result<> LifeStep::make_plan() {
  auto& run = *record_.run;
  const auto verdict = proof(true);
  if (verdict.proof == WriteProof::None) return Error{Code::Conflict, verdict.missing};
  boot::InstallPlan plan;
  plan.run = run.id;
  plan.nonce = run.nonce;
  plan.machine = tools_.provider + "/" + machine_;
  plan.mac = input_.desired.mac;
  plan.identity = input_.desired.identity;
  plan.identity.bmc_guid.clear();  // the machine itself does not know it
  plan.proof = wire_proof(verdict.proof);
  if (run.state.kind == RunKind::Erase) {
    plan.action = boot::PlanAction::Erase;
    plan.erase = wishes_.provider.release.erase;
  } else {
    const auto* wanted = wish();
    if (wanted == nullptr || !wanted->image.disk) return Error{Code::Conflict, "the instance is no longer wanted"};
    plan.action = boot::PlanAction::Install;
    plan.root_disk = input_.desired.hardware.root_disk.value_or(RootDiskHint{});
    plan.disk = reinstalls() ? record_.installed->disk : run.disk;  // a later attempt: the same disk
    for (const auto& url : wanted->image.disk->urls) {
      if (begins_with_any(url, tools_.image_sources)) plan.image_urls.push_back(url);
    }
    if (plan.image_urls.empty())
      return Error{Code::Invalid, "no source of the image is in image_sources of nimbusd.toml"};
    plan.image_sha256 = run.image_sha256 = wanted->image.disk->sha256;
    plan.image_bytes = wanted->image.disk->size_bytes;
    plan.instance = record_.instance;
    plan.hostname = wanted->instance.hostname.empty() ? wanted->instance.name : wanted->instance.hostname;
    plan.user = wanted->instance.access.user.empty() ? wanted->image.default_user : wanted->instance.access.user;
    if (plan.user.empty()) plan.user = "nimbus";
    plan.ssh_keys = wanted->ssh_keys;
    plan.user_data = wanted->user_data;
    plan.networks = networks_of(*wanted, wishes_);
  }
  const auto key = base::make_ed25519_key();  // for this attempt only; the private half is not kept
  run.plan = boot::seal_plan(plan, key);
  run.key = base::to_hex(key.public_key);
  return keep();
}

/// Serves the run, arms the boot override, and only then switches on.
Result<> LifeStep::boot() {
  auto* boot_aspect = input_.bmc.boot();
  if (boot_aspect == nullptr) return Error{Code::Unsupported, "this BMC cannot set what the machine boots from"};
  if (record_.run->plan.empty()) {
    if (auto made = make_plan(); !made) return made;
  }
  if (auto served = life_.serve(input_.call); !served) return served;
  auto armed = guarded([&]() -> Result<> {
    auto outcome = boot_aspect->arm_boot(
        {.device = BootDevice::Pxe, .times = BootTimes::Once, .mode = input_.desired.boot.mode, .http_uri = {}},
        input_.call);
    if (!outcome) return std::move(outcome.error()).with("while arming the network boot");
    return {};
  });
  if (!armed) return armed;
  enter(RunPhase::Booting);
  if ((record_.run->state.kind == RunKind::Erase || reinstalls()) && record_.run->state.attempt == 1) {
    constexpr std::size_t kMostDestroyed = 20;
    record_.destroyed.push_back(tools_.clock.wall());
    if (record_.destroyed.size() > kMostDestroyed) record_.destroyed.erase(record_.destroyed.begin());
  }
  record_.run->state.powered = tools_.clock.wall();
  if (auto kept = keep(); !kept) return kept;
  return guarded([this]() -> Result<> {
    auto sent = input_.bmc.power()->act(PowerAction::On, input_.call);
    if (!sent) return std::move(sent.error()).with("while switching on");
    base::log(base::Level::Info, "run-boots", "the installer is booted",
              {{"machine", machine_}, {"run", record_.run->id}});
    return {};
  });
}

Result<> LifeStep::finish() {
  auto& run = *record_.run;
  registry::RunRecord last = run_record();
  last.outcome = registry::RunRecordOutcome::Done;
  last.finished = tools_.clock.wall();
  const std::string instance = record_.instance;
  if (run.state.kind == RunKind::Install) {
    const auto* wanted = wish();
    record_.installed = {.disk = run.disk,
                         .image_sha256 = run.image_sha256,
                         .nonce_sha256 = base::sha256_hex(run.nonce),
                         .reinstall = wanted != nullptr ? wanted->instance.reinstall : 0};
    record_.installed_for = record_.instance;
    record_.host_key = run.host_key;
    record_.erases.clear();
  } else {
    record_.installed.reset();
    record_.installed_for.clear();
    record_.host_key.clear();
    record_.instance.clear();
    record_.address.clear();
    record_.unprotected = false;
  }
  record_.last_run = std::move(last);
  record_.run.reset();
  if (auto kept = keep(); !kept) return kept;
  base::log(base::Level::Info, "run-done", record_.last_run->action, {{"machine", machine_}, {"instance", instance}});
  return life_.serve(input_.call);
}

registry::RunRecord LifeStep::run_record() const {
  const auto& run = *record_.run;
  registry::RunRecord record;
  record.action = run.state.kind == RunKind::Erase ? "erase" : reinstalls() ? "reinstall" : "install";
  record.commit = run.commit;
  record.started = run.started;
  return record;
}

registry::InstanceStatus LifeStep::instance_status() const {
  registry::InstanceStatus status;
  status.machine = machine_;
  if (!record_.address.empty()) status.addresses = {record_.address};
  if (record_.unprotected) status.unprotected_since = record_.unprotected_commit;
  status.message = held_;
  if (record_.run) {
    const auto& state = record_.run->state;
    status.phase = state.kind == RunKind::Erase      ? registry::InstancePhase::Releasing
                   : state.phase == RunPhase::Held   ? registry::InstancePhase::Failed
                   : state.phase == RunPhase::Intent ? registry::InstancePhase::Placed
                                                     : registry::InstancePhase::Installing;
    status.message = state.phase == RunPhase::Held ? state.held : waits_;
    return status;
  }
  const auto* wanted = wish();
  const bool off = wanted != nullptr && wanted->instance.power == InstancePower::Off;
  status.phase = off ? registry::InstancePhase::Stopped : registry::InstancePhase::Running;
  if (!record_.host_key.empty()) {
    std::string user = wanted == nullptr                      ? ""
                       : wanted->instance.access.user.empty() ? wanted->image.default_user
                                                              : wanted->instance.access.user;
    if (user.empty()) user = "nimbus";
    status.ssh_command = "ssh " + user + "@" + record_.address;
    status.ssh_known_hosts = record_.address + " " + record_.host_key;
    status.ssh_trust = "provisioning-lan";
  }
  return status;
}

LifeFacts LifeStep::facts() {
  LifeFacts facts;
  facts.installed = record_.installed;
  facts.erases = record_.erases;
  facts.run = record_.last_run;
  facts.held = held_;
  if (!record_.instance.empty())
    facts.claim = {.instance = record_.instance, .since = record_.claimed, .nonce_sha256 = {}};
  using enum registry::MachinePhase;
  if (record_.run) {
    const auto& run = *record_.run;
    facts.busy = true;
    facts.claim->nonce_sha256 = base::sha256_hex(run.nonce);
    facts.phase = run.state.kind == RunKind::Erase ? Releasing : Installing;
    facts.run = run_record();
    facts.waits = waits_;
    if (run.state.phase == RunPhase::Held) {
      facts.held = run.state.held;
      facts.run->message = run.state.held;
      facts.run->outcome = registry::RunRecordOutcome::Failed;
      facts.run->finished = run.state.since;
    } else {
      facts.look_again = tools_.clock.wall() + kSoon;
    }
  } else if (!record_.instance.empty()) {
    facts.phase = Active;
    const auto* wanted = wish();
    if (wanted != nullptr) facts.instance = std::make_shared<const Instance>(wanted->instance);
  } else if (!record_.erases.empty()) {
    facts.phase = Available;
  }
  if (!record_.instance.empty()) {
    const std::lock_guard lock(life_.mutex_);
    const auto status = instance_status();
    life_.tell_instance(record_.instance, status, std::string(registry::to_string(status.phase)));
  } else if (facts.run && facts.run->action == "erase" && facts.run->outcome == registry::RunRecordOutcome::Done) {
    facts.claim.reset();
  }
  return facts;
}

}  // namespace nimbus::controller
