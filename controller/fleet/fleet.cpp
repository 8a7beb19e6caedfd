#include "controller/fleet/fleet.hpp"

#include <algorithm>
#include <utility>

namespace nimbus::controller {
namespace {

using std::chrono::milliseconds;

/// New machines are first looked at within this time, spread, so that a start does
/// not open all sessions at once.
constexpr milliseconds kFirstLookSpread{1000};
constexpr std::size_t kSpreadFrom = 50;  // fewer machines are looked at immediately

/// A batch is answered as late as its slowest BMC. Whoever needs longer, if only because a packet was lost, is asked
/// alone, now and for a while: no BMC keeps many others waiting again and again.
constexpr milliseconds kBatchPatience{200};
constexpr int kAloneLooks = 64;
constexpr std::size_t kMostPolledTogether = 256;
constexpr milliseconds kFurthestAhead{2000};

/// Nothing to do, and nothing to wait for but the next look.
bool is_steady(const MachineReport& report) {
  using Kind = reconcilers::PowerDecision::Kind;
  const auto& decision = report.decision;
  const bool idle = decision.kind == Kind::Nothing || decision.kind == Kind::Report;
  const bool busy = report.life && report.life->busy;
  return idle && !busy && !decision.look_again && !report.error && !report.sent && !report.put_off;
}

/// One pass at a time over the machines behind one BMC: they name it, and their System of it.
std::vector<std::string> needs_of(const DesiredMachine& machine) {
  if (machine.bmc.system.empty()) return {};
  return {"bmc " + machine.bmc.address};
}

bool differs(const AcceptedMachine& before, const AcceptedMachine& now) {
  const auto differ = [](const auto& a, const auto& b) { return a != b && (!a || !b || *a != *b); };
  if (differ(before.instance, now.instance) || before.stalled != now.stalled) return true;
  if (before.desired == now.desired) return false;
  // A brake pulled in a commit that is otherwise refused changes no digest.
  return before.desired->digest != now.desired->digest || before.desired->lifecycle != now.desired->lifecycle;
}

}  // namespace

Fleet::Fleet(std::string provider, WorkQueue& queue, Tools tools)
    : provider_(std::move(provider)),
      queue_(queue),
      tools_(std::move(tools)),
      limits_{tools_.pass.power, tools_.pass.deadline, tools_.cadence},
      registry_(std::make_shared<const AcceptedRegistry>()) {}

void Fleet::set_limits(const Limits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

void Fleet::accept(std::shared_ptr<const AcceptedRegistry> registry) {
  std::shared_ptr<const AcceptedRegistry> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(registry_, registry);
  }
  // Both are sorted by name: one walk through the two.
  auto known = before->machines.begin();
  const auto end = before->machines.end();
  for (const auto& [name, machine] : registry->machines) {
    int order = 1;
    while (known != end && (order = known->first.compare(name)) < 0) queue_.add((known++)->first, Lane::Event);
    if (known == end || order != 0) {
      queue_.add(name, Lane::Event, first_look(registry->machines.size()), needs_of(*machine.desired));
      continue;
    }
    if (differs(known->second, machine)) queue_event(name, machine);
    ++known;
  }
  while (known != end) queue_.add((known++)->first, Lane::Event);
}

milliseconds Fleet::first_look(std::size_t machines) const {
  if (machines <= kSpreadFrom) return milliseconds{0};
  return milliseconds{static_cast<milliseconds::rep>(tools_.jitter() * static_cast<double>(kFirstLookSpread.count()))};
}

std::shared_ptr<const AcceptedRegistry> Fleet::accepted() const {
  const std::lock_guard lock(mutex_);
  return registry_;
}

void Fleet::look_at_all() {
  for (const auto& [name, machine] : accepted()->machines) queue_event(name, machine);
}

bool Fleet::look_at(const std::string& machine) {
  const auto registry = accepted();
  const auto found = registry->machines.find(machine);
  if (found == registry->machines.end()) return false;
  queue_.add(machine, Lane::Person, {}, needs_of(*found->second.desired));
  return true;
}

void Fleet::hint(const std::string& machine) {
  milliseconds delay{0};
  {
    const std::lock_guard lock(mutex_);
    const auto known = slots_.find(machine);
    if (known == slots_.end() || known->second->slow) return;
    const MonoTime now = tools_.pass.clock.now();
    auto& look = known->second->hinted_look;
    if (look > now) return;  // that one will see what this is about
    const bool again = look != MonoTime{} && now - look < kBetweenHints;
    if (again) delay = std::chrono::ceil<milliseconds>(look + kBetweenHints - now);
    look = now + delay;
  }
  const auto registry = accepted();
  const auto found = registry->machines.find(machine);
  if (found != registry->machines.end()) queue_.add(machine, Lane::Event, delay, needs_of(*found->second.desired));
}

void Fleet::work(std::stop_token stop) {
  while (const auto name = queue_.take(stop)) {
    if (!queue_.has_idle_worker()) tools_.short_of_workers();
    poll_along(*name, stop);
    pass_over(*name, stop);
    queue_.done(*name);
  }
}

bool Fleet::work_once(std::stop_token stop) {
  const auto name = queue_.try_take();
  if (!name) return false;
  poll_along(*name, stop);
  pass_over(*name, std::move(stop));
  queue_.done(*name);
  return true;
}

/// Whoever calls has the machine's run, or the lock of the queue that it waits in.
Fleet::Slot* Fleet::pollable(const AcceptedRegistry& registry, const std::string& name, const std::string& driver) {
  const auto found = registry.machines.find(name);
  if (found == registry.machines.end() || found->second.desired->bmc.driver != driver) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(name);
  if (slot == slots_.end() || !slot->second->steady || slot->second->slow || slot->second->alone > 0) return nullptr;
  const auto& memory = slot->second->memory;
  // Another endpoint since: its pass connects to that.
  const bool connected = memory.bmc && memory.endpoint == found->second.desired->bmc;
  return connected && !memory.polled ? slot->second.get() : nullptr;
}

/// Reads the power of this machine and of others like it, if that is cheaper. Their passes are ready afterwards.
void Fleet::poll_along(const std::string& name, const std::stop_token& stop) {
  const auto registry = accepted();
  const auto found = registry->machines.find(name);
  if (found == registry->machines.end()) return;
  const std::string& driver = found->second.desired->bmc.driver;
  if (!tools_.batch.possible(driver)) return;
  auto* const mine = pollable(*registry, name, driver);
  if (mine == nullptr) return;
  std::vector<Slot*> slots{mine};
  const auto others = queue_.take_along(name, kMostPolledTogether - 1, look_ahead(), [&](const std::string& other) {
    auto* const slot = pollable(*registry, other, driver);
    if (slot != nullptr) slots.push_back(slot);
    return slot != nullptr;
  });
  if (others.empty()) return;
  std::vector<Bmc*> bmcs;
  bmcs.reserve(slots.size());
  for (const auto* slot : slots) bmcs.push_back(slot->memory.bmc.get());
  const auto& clock = tools_.pass.clock;
  auto states = tools_.batch.ask(driver, bmcs, {.deadline = clock.now() + kBatchPatience, .stop = stop});
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (!states[i] && states[i].error().code == Code::Timeout) slots[i]->alone = kAloneLooks;
      slots[i]->memory.polled = PolledPower{std::move(states[i]), clock.now()};
    }
  }
  queue_.give_back(others);
}

milliseconds Fleet::look_ahead() const {
  const std::lock_guard lock(mutex_);
  return std::min(limits_.cadence.observe / 10, kFurthestAhead);
}

void Fleet::pass_over(const std::string& name, std::stop_token stop) {
  const auto registry = accepted();
  const auto found = registry->machines.find(name);
  if (found == registry->machines.end()) {
    release(name);
    return;
  }
  const AcceptedMachine& machine = found->second;
  Slot& mine = slot(name);
  PassTools tools = tools_.pass;
  CadenceLimits cadence = tools_.cadence;
  {
    const std::lock_guard lock(mutex_);
    tools.power = limits_.power;
    tools.deadline = limits_.deadline;
    cadence = limits_.cadence;
  }
  tools.superseded = [this, &name, &machine] { return superseded(name, machine); };
  const MonoTime start = tools.clock.now();
  MachineReport report =
      run_pass({*machine.desired, registry->accepted_commit, machine.instance.get(), &registry->policy}, mine.memory,
               tools, std::move(stop));
  const auto duration = std::chrono::duration_cast<milliseconds>(tools_.pass.clock.now() - start);
  {
    const std::lock_guard lock(mutex_);
    mine.power = report.power;
    mine.failures = mine.memory.breaker.failures();
    mine.slow = mine.memory.breaker.is_slow();
    mine.steady = is_steady(report);
    if (mine.alone > 0) mine.alone -= 1;
  }
  // An event that came meanwhile must not bring it back, with all its patience, among those that answer.
  if (mine.memory.breaker.is_slow()) queue_.slow_down(name);
  if (report.put_off) {
    queue_.add(name, Lane::Slow, {}, needs_of(*machine.desired));
    return;
  }
  tools_.passed(report, duration);
  if (report.refusal && report.refusal->reason == kSuperseded) {
    queue_.add(name, Lane::Event);
    return;
  }
  const auto next =
      next_look(report, mine.memory.breaker.failures(), cadence, tools_.pass.clock.wall(), tools_.jitter());
  tools_.facts.seen({machine, std::move(report), mine.memory.runs.recent(), mine.memory.breaker.failures(),
                     tools_.pass.clock.wall() + next});
  queue_.add(name, mine.memory.breaker.is_slow() ? Lane::Slow : Lane::Resync, next, needs_of(*machine.desired));
}

/// Whether what is in force now differs from what a pass was begun with.
std::optional<Refusal> Fleet::superseded(const std::string& name, const AcceptedMachine& machine) const {
  const auto registry = accepted();
  const auto now = registry->machines.find(name);
  if (now != registry->machines.end() && !differs(machine, now->second)) return std::nullopt;
  return Refusal{kSuperseded, "a newer commit is in force: the machine is looked at again"};
}

void Fleet::release(const std::string& name) {
  std::unique_ptr<Slot> gone;
  {
    const std::lock_guard lock(mutex_);
    auto node = slots_.extract(name);
    if (!node) return;
    gone = std::move(node.mapped());
  }
  if (auto* const reboots = tools_.pass.disruption.reboots; reboots != nullptr) reboots->end(name);
  if (gone->memory.bmc) gone->memory.bmc->close({tools_.pass.clock.now() + std::chrono::seconds(5)});
}

void Fleet::queue_event(const std::string& name, const AcceptedMachine& machine) {
  bool slow = false;
  {
    const std::lock_guard lock(mutex_);
    const auto known = slots_.find(name);
    slow = known != slots_.end() && known->second->slow;
  }
  queue_.add(name, slow ? Lane::Slow : Lane::Event, {}, needs_of(*machine.desired));
}

Fleet::Slot& Fleet::slot(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& slot = slots_[name];
  if (!slot) slot = std::make_unique<Slot>(PowerRuns(MachineId{provider_, name}, tools_.runs));
  return *slot;
}

void Fleet::close(const Call& call) {
  std::vector<std::unique_ptr<Bmc>> bmcs;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, slot] : slots_) bmcs.push_back(std::move(slot->memory.bmc));
  }
  // Not under the lock: a hint that is under way wants it, and closing waits for that.
  for (auto& bmc : bmcs) {
    if (bmc) bmc->close(call);
    bmc.reset();
  }
}

FleetCounts Fleet::counts() const {
  const std::lock_guard lock(mutex_);
  FleetCounts counts;
  counts.machines = registry_->machines.size();
  for (const auto& [name, machine] : registry_->machines) counts.stalled += machine.stalled.empty() ? 0U : 1U;
  for (const auto& [name, slot] : slots_) {
    counts.unreachable += slot->failures > 0 ? 1U : 0U;
    if (!slot->power.is_known()) continue;
    counts.on += slot->power.value() == PowerState::On ? 1U : 0U;
    counts.off += slot->power.value() == PowerState::Off ? 1U : 0U;
  }
  return counts;
}

}  // namespace nimbus::controller
