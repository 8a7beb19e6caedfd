// The boot of the installer: its plan, and the writes that lead there.
#include <algorithm>
#include <array>
#include <iterator>

#include "base/crypto/crypto.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "boot/protocol/plan.hpp"
#include "controller/install/image_source.hpp"
#include "controller/install/life_step.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;
using reconcilers::WriteProof;

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

}  // namespace

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

/// Those of the image's URLs that may be used. Errors: Invalid (none).
Result<std::vector<std::string>> LifeStep::sources_of(const ImageDisk& image) const {
  const auto never = image_never(wishes_);
  const auto bmcs = life_.bmc_addresses();
  std::vector<std::string> urls;
  std::string refused;
  for (const auto& url : image.urls) {
    const auto why = refuse_source(url, tools_.image_sources, never, bmcs);
    if (why.empty()) {
      urls.push_back(url);
    } else {
      refused += (refused.empty() ? "" : "; ") + base::printable(url, 200) + ": " + why;
    }
  }
  if (urls.empty()) return Error{Code::Invalid, "the image has no source that may be used: " + refused};
  return urls;
}

/// Why the image is not where the machine gets it: still on its way into the cache, or it
/// does not come. Empty: it is there, or it comes straight from its source.
std::string LifeStep::image_refusal() {
  auto* const served_by = life_.boot_of(input_.desired.boot.network);
  if (served_by == nullptr) return Lifecycle::unserved(input_.desired.boot.network);
  const auto* wanted = wish();
  if (record_.run->state.kind != RunKind::Install || wanted == nullptr || !wanted->image.disk) return {};
  const auto& disk = *wanted->image.disk;
  auto urls = sources_of(disk);
  if (!urls) return {};  // the plan says it
  // What is packed is hardly ever larger than what is in it.
  constexpr std::int64_t kSlack = std::int64_t{1} << 20;
  boot::ImageOrder order{.sha256 = disk.sha256,
                         .most_bytes = disk.size_bytes + disk.size_bytes / 64 + kSlack,
                         .urls = std::move(*urls),
                         .sources = tools_.image_sources,
                         .never = image_never(wishes_, life_.bmc_addresses(), kMostBmcsOfOrder)};
  const auto image = served_by->image(order, input_.call);
  if (!image) return image.error().text();
  if (!*image) return {};
  const auto& answer = **image;
  const std::string why = base::printable(answer.message, 400);
  switch (answer.stage) {
    case boot::ImageStage::Ready:
      cached_ = answer.url;
      return {};
    case boot::ImageStage::Failed:
      return "the image cannot be fetched: " + why;
    case boot::ImageStage::Fetching:
      break;
  }
  return "the image is being fetched, " + std::to_string(answer.done_bytes >> 20) + " MiB so far" +
         (why.empty() ? "" : "; the last time: " + why);
}

/// Where the machine gets the image, and what the installer must know of that.
Result<> LifeStep::add_sources(const ImageDisk& image, boot::InstallPlan& plan) const {
  plan.image_sources = tools_.image_sources;
  plan.image_never = image_never(wishes_, life_.bmc_addresses(), kMostBmcsOfPlan);
  plan.image_cache = cached_;
  auto urls = sources_of(image);
  if (!urls) return std::move(urls.error());
  std::copy_if(urls->begin(), urls->end(), std::back_inserter(plan.image_urls), is_plain);
  if (!plan.image_urls.empty() || !cached_.empty()) return {};
  return Error{Code::Invalid, "the image's sources are https:// only, and nimbus-boot has no cache of images"};
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
  for (const auto& erase : record_.erases) plan.erased.push_back(erase.disk);
  if (run.state.kind == RunKind::Erase) {
    plan.action = boot::PlanAction::Erase;
    plan.erase = wishes_.provider.release.erase;
    // Unless a person has seen that it is gone.
    const auto& disks = record_.disks;
    if (installed_here() && std::find(disks.begin(), disks.end(), record_.installed->disk) != disks.end())
      plan.disk = record_.installed->disk;
  } else {
    const auto* wanted = wish();
    if (wanted == nullptr || !wanted->image.disk) return Error{Code::Conflict, "the instance is no longer wanted"};
    plan.action = boot::PlanAction::Install;
    plan.root_disk = input_.desired.hardware.root_disk.value_or(RootDiskHint{});
    plan.disk = reinstalls() ? record_.installed->disk : run.disk;  // a later attempt: the same disk
    if (auto sources = add_sources(*wanted->image.disk, plan); !sources) return sources;
    run.reinstall = wanted->instance.reinstall;
    plan.image_sha256 = run.image_sha256 = wanted->image.disk->sha256;
    plan.image_bytes = wanted->image.disk->size_bytes;
    plan.instance = record_.instance;
    plan.hostname = wanted->instance.hostname.empty() ? wanted->instance.name : wanted->instance.hostname;
    plan.user = wanted->instance.access.user.empty() ? wanted->image.default_user : wanted->instance.access.user;
    if (plan.user.empty()) plan.user = "nimbus";
    plan.ssh_keys = wanted->ssh_keys;
    if (wanted->instance.configuration != ConfigurationMode::None) {
      plan.controller_user = tools_.host_user;
      plan.controller_key = tools_.host_key;
    }
    plan.user_data = wanted->user_data;
    plan.networks = networks_of(*wanted, wishes_);
  }
  const auto key = base::make_ed25519_key();  // for this attempt only; the private half is not kept
  run.plan = boot::seal_plan(plan, key);
  run.key = base::to_hex(key.public_key);
  record_.begun = true;
  return keep();
}

/// If it is allowed now: from the network, the next time.
Result<> LifeStep::arm() {
  auto* boot_aspect = input_.bmc.boot();
  if (boot_aspect == nullptr) return Error{Code::Unsupported, "this BMC cannot set what the machine boots from"};
  return guarded([&](const Call& call) -> Result<> {
    auto outcome = boot_aspect->arm_boot(
        {.device = BootDevice::Pxe, .times = BootTimes::Once, .mode = input_.desired.boot.mode, .http_uri = {}}, call);
    if (outcome) return {};
    device_failed_ = true;
    return std::move(outcome.error()).with("while arming the network boot");
  });
}

/// Some BMCs forget the override when they switch on, and take it while the firmware is
/// still busy. Others have used it up by then: the machine is sent to its network once
/// more than it needs, and told there to boot its disk.
void LifeStep::arm_again() {
  auto armed = arm();
  base::log(base::Level::Info, "boot-armed-again",
            armed ? "the attempt before may have been lost because the BMC forgot it" : armed.error().text(),
            {{"machine", machine_}});
}

/// Serves the run, or no longer: it may wait for long, and somebody else may start the machine.
Result<> LifeStep::offer(bool boots) {
  {
    const std::lock_guard lock(life_.mutex_);
    if (const auto slot = life_.slots_.find(machine_); slot != life_.slots_.end()) slot->second.boots = boots;
    life_.orders_changed(input_.desired.boot.network);
  }
  return life_.serve(input_.desired.boot.network, input_.call);
}

Result<> LifeStep::boot() {
  auto booted = boot_served();
  if (record_.run->state.phase == RunPhase::Prepare) static_cast<void>(offer(false));
  return booted;
}

/// Serves the run, arms the boot override, and only then switches on.
Result<> LifeStep::boot_served() {
  const auto& network = input_.desired.boot.network;
  if (life_.boot_of(network) == nullptr) return Error{Code::Unsupported, Lifecycle::unserved(network)};
  if (auto turn = power_on_turn(); !turn) return turn;
  // Each time: one that was put off may have waited for long.
  if (auto made = make_plan(); !made) return made;
  if (auto served = offer(true); !served) return served;
  record_console();  // before the clock of the boot runs
  if (auto armed = arm(); !armed) return armed;
  enter(RunPhase::Booting);
  record_.run->state.powered = tools_.clock.wall();
  if (auto kept = keep(); !kept) return kept;
  auto sent = guarded([this](const Call& call) { return send(PowerAction::On, call); });
  if (!sent) return sent;
  base::log(base::Level::Info, "run-boots", "the installer is booted",
            {{"machine", machine_}, {"run", record_.run->id}});
  if (record_.run->state.attempt > 1) arm_again();
  return {};
}

/// The attempt is lost: another one, with another nonce and plan.
Result<> LifeStep::again(const std::string& why) {
  base::log(base::Level::Warning, "run-again", why, {{"machine", machine_}});
  record_.run->state.attempt += 1;
  record_.run->nonce = make_nonce();
  record_.run->plan.clear();
  enter(RunPhase::Intent);
  if (auto kept = keep(); !kept) return kept;
  return life_.serve(input_.desired.boot.network, input_.call);
}

}  // namespace nimbus::controller
