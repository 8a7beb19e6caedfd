#include "controller/configure/hosts.hpp"

#include <algorithm>
#include <utility>

#include "base/crypto/crypto.hpp"

namespace nimbus::controller {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSoon{5'000};
constexpr milliseconds kBusy{30'000};
constexpr milliseconds kFirstRetry{10'000};
/// New hosts are first looked at within this time, spread.
constexpr milliseconds kFirstLookSpread{1'000};
constexpr int kMostDoublings = 10;

/// All of it that a pass depends on. A brake pulled in a commit that is otherwise refused changes no digest.
std::string wish_of(const HostTarget& target) {
  const Lifecycle lifecycle = target.desired ? target.desired->lifecycle : Lifecycle();
  const bool enforce = target.mode == ConfigurationMode::Enforce;
  return target.digest + "\n" + target.endpoint.host_key + "\n" + (enforce ? "enforce" : "observe") +
         (lifecycle.hands_off ? " hands-off " : " ") + std::to_string(static_cast<int>(lifecycle.state)) + "\n" +
         lifecycle.reason;
}

/// Of the same host its file may say a newer key, or a newer address, than what is remembered.
void follow(HostEndpoint& endpoint, const Instance::Adopt& now) {
  if (endpoint.address != now.address && endpoint.host_key != now.host_key) return;
  endpoint.address = now.address;
  endpoint.host_key = now.host_key;
}

}  // namespace

Hosts::Hosts(WorkQueue& queue, Tools tools, FactSink& next)
    : provider_(tools.provider), queue_(queue), tools_(std::move(tools)), next_(next), limits_(tools_.limits) {}

Result<> Hosts::accept(const std::shared_ptr<const AcceptedRegistry>& registry) {
  auto remembered = tools_.access.all();
  if (!remembered) return std::move(remembered.error()).with("while reading which hosts are configured");
  std::map<std::string, registry::EntryPtr<Instance>> wanted, adopted;
  if (registry->in_force) {
    for (const auto& entry : registry->in_force->instances) {
      const bool ours = entry->value.provider == provider_;
      if (ours && entry->value.configuration != ConfigurationMode::None) wanted[entry->value.id()] = entry;
      if (ours && entry->value.adopt) adopted[entry->value.id()] = entry;
    }
  }
  std::set<std::string> touched;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [instance, entry] : wanted_) touched.insert(instance);
    for (const auto& [instance, entry] : wanted) touched.insert(instance);
    registry_ = registry;
    wanted_ = std::move(wanted);
    leaving_.clear();
    // Nothing in force yet is not "nobody wants it".
    for (auto& [instance, access] : *remembered) {
      if (!registry->in_force || wanted_.contains(instance)) continue;
      const auto entry = adopted.find(instance);
      if (access.adopted && entry != adopted.end()) follow(access.endpoint, *entry->second->value.adopt);
      leaving_[instance] = std::move(access);
    }
    for (const auto& [instance, access] : leaving_) touched.insert(instance);
  }
  for (const auto& instance : touched) queue_if_changed(instance, Lane::Event);
  return {};
}

void Hosts::seen(const MachineFacts& facts) {
  next_.seen(facts);
  const std::string& machine = facts.machine.desired->id.machine;
  const auto& life = facts.report.life;
  const bool on = facts.report.power.is_known() && facts.report.power.value() == PowerState::On;
  // What could not be read changes nothing of what was known.
  if (!facts.report.power.is_known() && life && !life->busy) return;
  std::set<std::string> touched;
  {
    const std::lock_guard lock(mutex_);
    std::string instance;
    Place place;
    if (life && !life->busy && on && life->instance && !life->host_key.empty()) {
      instance = life->instance->id();
      place = {machine, life->address, life->host_key};
    }
    auto& before = on_[machine];
    if (before != instance) {
      // It may have been seen elsewhere since.
      const auto left = places_.find(before);
      if (left != places_.end() && left->second.machine == machine) {
        places_.erase(left);
        touched.insert(before);
      }
      before = instance;
    }
    if (!instance.empty() && places_[instance] != place) {
      places_[instance] = place;
      touched.insert(instance);
    }
    if (instance.empty()) on_.erase(machine);
  }
  for (const auto& instance : touched) queue_if_changed(instance, Lane::Event);
}

/// Under the lock.
std::optional<HostTarget> Hosts::target_of(const std::string& instance) const {
  const auto found = wanted_.find(instance);
  if (found == wanted_.end() || !registry_) return std::nullopt;
  const auto& entry = found->second;
  HostTarget target{.instance = instance,
                    .path = entry->path,
                    .machine = {},
                    .mode = entry->value.configuration,
                    .endpoint = {.address = {}, .host_key = {}, .user = tools_.user},
                    .adopted = entry->value.adopt.has_value(),
                    .snapshot = registry_->in_force,
                    .entry = entry,
                    .desired = nullptr,
                    .commit = registry_->accepted_commit,
                    .digest = {}};
  if (target.adopted) {
    target.endpoint.address = entry->value.adopt->address;
    target.endpoint.host_key = entry->value.adopt->host_key;
    target.machine = entry->value.requirements.machine;
  } else {
    const auto place = places_.find(instance);
    if (place == places_.end()) return std::nullopt;
    target.endpoint.address = place->second.address;
    target.endpoint.host_key = place->second.host_key;
    target.machine = place->second.machine;
  }
  if (target.endpoint.address.empty() || target.endpoint.host_key.empty()) return std::nullopt;
  const auto machine = registry_->machines.find(target.machine);
  if (machine != registry_->machines.end()) target.desired = machine->second.desired;
  target.digest = base::sha256_hex(entry->digest + "\n" + (target.desired ? target.desired->digest : "") + "\n" +
                                   target.endpoint.address);
  return target;
}

/// Whether what is in force now differs from what a pass was begun with, or where it goes.
std::optional<Refusal> Hosts::superseded(const HostTarget& target) const {
  const std::lock_guard lock(mutex_);
  const auto now = target_of(target.instance);
  if (now && wish_of(*now) == wish_of(target)) return std::nullopt;
  return Refusal{kSuperseded, "something else is in force by now: the host is looked at again"};
}

void Hosts::queue_if_changed(const std::string& instance, Lane lane) {
  milliseconds delay{0};
  {
    const std::lock_guard lock(mutex_);
    const auto target = target_of(instance);
    if (!target && !leaving_.contains(instance)) {
      const auto slot = slots_.find(instance);
      if (slot == slots_.end()) return;
      if (!slot->second->running) slots_.erase(slot);
      queue_.remove(instance);
    } else {
      const bool is_new = !slots_.contains(instance);
      auto& slot = slots_[instance];
      if (!slot) slot = std::make_unique<Slot>();
      std::string digest;
      if (target) {
        digest = wish_of(*target);
      } else {
        const auto& endpoint = leaving_.at(instance).endpoint;
        digest = "leaving\n" + endpoint.address + "\n" + endpoint.host_key;
      }
      if (slot->digest == digest) return;
      slot->digest = std::move(digest);
      if (is_new)
        delay = milliseconds{
            static_cast<milliseconds::rep>(tools_.jitter() * static_cast<double>(kFirstLookSpread.count()))};
      queue_.add(instance, lane, delay);
      return;
    }
  }
  tools_.forgotten(instance);
}

void Hosts::look_at_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [instance, slot] : slots_) queue_.add(instance, Lane::Event);
}

bool Hosts::look_at(const std::string& instance) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(instance);
  if (slot == slots_.end()) return false;
  slot->second->forgive = true;
  queue_.add(instance, Lane::Person);
  return true;
}

void Hosts::set_limits(const HostLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

void Hosts::work(std::stop_token stop) {
  while (const auto instance = queue_.take(stop)) {
    pass_over(*instance, stop);
    queue_.done(*instance);
  }
}

bool Hosts::work_once(std::stop_token stop) {
  const auto instance = queue_.try_take();
  if (!instance) return false;
  pass_over(*instance, std::move(stop));
  queue_.done(*instance);
  return true;
}

void Hosts::pass_over(const std::string& instance, std::stop_token stop) {
  std::optional<HostTarget> target;
  Slot* slot = nullptr;
  HostLimits limits;
  bool leaving = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(instance);
    if (found == slots_.end()) return;
    target = target_of(instance);
    leaving = leaving_.contains(instance);
    if (!target && !leaving) {
      slots_.erase(found);
      return;
    }
    slot = found->second.get();
    slot->running = true;
    slot->since = tools_.pass.clock.now();
    if (std::exchange(slot->forgive, false)) slot->memory.futile.clear();
    limits = limits_;
  }
  if (!target) return drop_access(instance, std::move(stop));
  HostTools tools = tools_.pass;
  tools.superseded = [this, &target] { return superseded(*target); };
  auto report = std::make_shared<HostReport>(run_host_pass(*target, slot->memory, tools, limits, stop));
  if (report->looked) keep_access(*target, *slot);
  milliseconds wait{0};
  WallTime next{};
  bool gone = false;
  {
    const std::lock_guard lock(mutex_);
    slot->running = false;
    slot->report = report;
    wait = wait_after(*report, *slot);
    next = slot->next_look = tools_.pass.clock.wall() + wait;
    gone = !target_of(instance) && !leaving_.contains(instance);
    if (gone) slots_.erase(instance);
  }
  if (gone || stop.stop_requested()) return;
  if (report->refusal && report->refusal->reason == kSuperseded) {
    queue_.add(instance, Lane::Event);
    return;
  }
  const bool silent = report->error && !report->looked && !report->unfinished;
  queue_.add(instance, silent ? Lane::Slow : Lane::Resync, wait);
  tools_.told(*target, *report, next);
}

/// Under the lock.
milliseconds Hosts::wait_after(const HostReport& report, Slot& slot) {
  if (report.error) {
    slot.failures = report.unfinished ? 0 : slot.failures + 1;
    if (report.unfinished) return kSoon;
    return with_jitter(std::min(retry_after(slot.failures - 1), std::max(limits_.interval, kFirstRetry)));
  }
  slot.failures = 0;
  if (report.busy) return kBusy;
  return with_jitter(limits_.interval);
}

milliseconds Hosts::retry_after(int failures) { return kFirstRetry * (1 << std::min(failures, kMostDoublings)); }

milliseconds Hosts::with_jitter(milliseconds delay) const {
  const double factor = 0.9 + 0.2 * tools_.jitter();
  return milliseconds{static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * factor)};
}

milliseconds Hosts::longest_under_way() const {
  const MonoTime now = tools_.pass.clock.now();
  const std::lock_guard lock(mutex_);
  milliseconds longest{0};
  for (const auto& [instance, slot] : slots_) {
    if (slot->running) longest = std::max(longest, std::chrono::duration_cast<milliseconds>(now - slot->since));
  }
  return longest;
}

void Hosts::close(const Call& call) {
  const std::lock_guard lock(mutex_);
  for (auto& [instance, slot] : slots_) {
    if (slot->memory.host) slot->memory.host->close(call);
    slot->memory.host.reset();
  }
}

std::optional<HostView> Hosts::view(const std::string& instance) const {
  const std::lock_guard lock(mutex_);
  auto target = target_of(instance);
  const auto slot = slots_.find(instance);
  if (!target || slot == slots_.end()) return std::nullopt;
  return HostView{std::move(*target), slot->second->report, slot->second->next_look, slot->second->running};
}

std::vector<HostView> Hosts::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<HostView> out;
  for (const auto& [instance, slot] : slots_) {
    if (auto target = target_of(instance)) {
      out.push_back({std::move(*target), slot->report, slot->next_look, slot->running});
    }
  }
  return out;
}

}  // namespace nimbus::controller
