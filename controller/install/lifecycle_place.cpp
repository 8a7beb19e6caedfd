// Placement: which machine a waiting instance gets, and its claim.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/log/log.hpp"
#include "controller/install/address.hpp"
#include "controller/install/life_step.hpp"
#include "controller/install/lifecycle.hpp"

namespace nimbus::controller {
namespace {

using registry::InstancePhase;

constexpr std::chrono::seconds kBetweenPlacements{1};
/// Placement has everybody wait, so it has at most one part of the time in so many.
constexpr int kShare = 10;

bool admits(const Provider& provider, const std::string& tenant) {
  return std::any_of(provider.tenants.begin(), provider.tenants.end(),
                     [&](const auto& name) { return name == "*" || name == tenant; });
}

/// "m1: why; m2: why", the first few; none of them fits.
std::string list(const Instance& instance, const std::vector<reconcilers::Candidate>& candidates,
                 const reconcilers::Surroundings& around) {
  constexpr std::size_t kMost = 10;
  std::string out;
  for (std::size_t i = 0; i < candidates.size() && i < kMost; ++i) {
    out += (out.empty() ? "" : "; ") + candidates[i].machine->id.machine + ": " +
           reconcilers::why_not(instance, candidates[i], around);
  }
  if (candidates.size() > kMost) out += "; and " + std::to_string(candidates.size() - kMost) + " more";
  return out.empty() ? "the provider has no machine" : out;
}

}  // namespace

/// What one round of placement looks up once for all instances; kept true as it claims.
struct Lifecycle::PlacementRound {
  std::set<std::string> placed;                          // instances
  std::map<std::string, std::string> told;               // instances that have a machine by the word of status alone
  std::set<std::string> taken;                           // addresses
  std::vector<reconcilers::Candidate> candidates;        // by name
  std::unordered_map<std::string_view, std::size_t> at;  // machine -> place in candidates
  std::vector<reconcilers::OtherInstance> others;        // in the order of the wishes, then those elsewhere
  std::string tenant;                                    // that the candidates' `admitted` is about
  std::vector<std::string> claimed;                      // machines
};

Lifecycle::PlacementRound Lifecycle::new_round() const {
  PlacementRound round;
  const std::string only = only_network();
  std::unordered_map<std::string_view, const DesiredMachine*> machines;
  for (const auto& [name, slot] : slots_) {
    const bool aside = !slot.record.displaced.empty();
    if (!aside) round.placed.insert(slot.record.instance);
    round.taken.insert(slot.record.address);
    round.at[name] = round.candidates.size();
    round.candidates.push_back(candidate_of(slot, only));
    const auto& instance = slot.adopted.empty() ? slot.record.instance : slot.adopted;
    if (!instance.empty() && !aside) machines[instance] = slot.desired.get();
  }
  for (const auto& [id, gone] : absent_) round.taken.insert(gone.address);
  for (const auto& claim : told_claims_) {
    round.told[claim.instance] = claim.machine;
    if (const auto told = published(claim.instance)) round.taken.insert(told->addresses.begin(), told->addresses.end());
  }
  const auto add = [&](const Instance& instance) {
    const auto found = machines.find(instance.id());
    round.others.push_back({&instance, found == machines.end() ? nullptr : found->second});
  };
  for (const auto& [id, wish] : wishes_->instances) add(wish.instance);
  for (const auto& instance : *wishes_->elsewhere) add(instance);
  return round;
}

reconcilers::Candidate Lifecycle::candidate_of(const Slot& slot, const std::string& only_network) const {
  const auto& network = slot.desired->boot.network;
  const bool served =
      !network.empty() && (posts_.contains(network) || (posts_.contains({}) && network == only_network));
  const bool erased =
      !slot.record.erases.empty() && !slot.record.installed &&
      std::all_of(slot.record.erases.begin(), slot.record.erases.end(), [](const auto& e) { return e.verified; });
  const bool leftover = slot.record.installed && slot.record.instance.empty();
  std::string claimed = slot.adopted.empty() ? slot.record.instance : slot.adopted;
  if (!slot.record.displaced.empty()) claimed += ", whom it failed";
  return {.machine = slot.desired.get(),
          .claimed_by = std::move(claimed),
          .admitted = true,
          .healthy = slot.healthy && slot.known && !leftover,
          .unhealthy = leftover ? "what was installed here was not erased" : slot.unhealthy,
          .available = erased,
          .unbootable = served ? std::string() : unserved(network)};
}

/// Where the instance would be placed if it had no machine.
Lifecycle::Instead Lifecycle::machine_instead(const std::string& id, const InstanceWish& wish) const {
  if (!wish.problem.empty()) return {.machine = {}, .none = wish.problem};
  PlacementRound round = new_round();
  const bool admitted = admits(wishes_->provider, wish.instance.tenant);
  for (auto& candidate : round.candidates) {
    candidate.admitted = admitted;
    if (candidate.claimed_by == id) candidate.claimed_by += ", whom it failed";
  }
  const auto tenant = wishes_->tenants.find(wish.instance.tenant);
  const auto around = reconcilers::surroundings_of(
      wish.instance, round.others, tenant == wishes_->tenants.end() ? nullptr : &tenant->second, wish.image.arch);
  const auto* best = reconcilers::choose_machine(wish.instance, round.candidates, around);
  if (best == nullptr) return {.machine = {}, .none = list(wish.instance, round.candidates, around)};
  return {.machine = best->machine->id.machine, .none = {}};
}

/// How many machines are kept aside because this instance left them.
int Lifecycle::displaced_for(const std::string& id) const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [&](const auto& item) {
    return item.second.record.instance == id && !item.second.record.displaced.empty();
  }));
}

/// Claims machines for all instances that placement has one for, by name, and tells of the
/// others. Returns the machines that were claimed. Only when something changed, and not
/// more often than once in a while: it looks at every machine for every instance that waits.
/// Nobody works on a copy of a free machine's record that he would put back.
std::vector<std::string> Lifecycle::place() {
  const MonoTime now = tools_.clock.now();
  if (!placement_due_ || now < place_again_) return {};
  placement_due_ = false;
  take_over_claims();
  PlacementRound round = new_round();
  std::size_t number = 0;
  for (const auto& [id, wish] : wishes_->instances) place_one(round, number++, id, wish);
  const auto took = tools_.clock.now() - now;
  place_again_ = now + took + std::max<MonoTime::duration>(kBetweenPlacements, kShare * took);
  return std::move(round.claimed);
}

/// `number` is the instance's place in the round's others.
void Lifecycle::place_one(PlacementRound& round, std::size_t number, const std::string& id, const InstanceWish& wish) {
  if (round.placed.contains(id)) return;
  if (const auto gone = absent_.find(id); gone != absent_.end()) {
    tell_instance(
        id,
        {.phase = InstancePhase::Failed,
         .machine = gone->second.machine,
         .message = "its machine " + gone->second.machine + " is no longer in the registry; it is left as it is"},
        "failed");
    return;
  }
  if (const auto told = round.told.find(id); told != round.told.end()) {
    tell_instance(id,
                  {.phase = InstancePhase::Failed,
                   .machine = told->second,
                   .message = "status says that it is on " + told->second +
                              ", which is not in the registry; it is left as it is"},
                  "failed");
    return;
  }
  if (!wish.problem.empty()) {
    tell_instance(id, {.phase = InstancePhase::Pending, .message = wish.problem}, "pending");
    return;
  }
  if (round.tenant != wish.instance.tenant) {
    round.tenant = wish.instance.tenant;
    const bool admitted = admits(wishes_->provider, round.tenant);
    for (auto& candidate : round.candidates) candidate.admitted = admitted;
  }
  const auto tenant = wishes_->tenants.find(wish.instance.tenant);
  const auto around = reconcilers::surroundings_of(
      wish.instance, round.others, tenant == wishes_->tenants.end() ? nullptr : &tenant->second, wish.image.arch);
  const auto* best = reconcilers::choose_machine(wish.instance, round.candidates, around);
  if (best == nullptr) {
    tell_instance(id, {.phase = InstancePhase::Pending, .message = list(wish.instance, round.candidates, around)},
                  "pending");
    return;
  }
  const std::string machine = best->machine->id.machine;
  if (!claim(machine, id, wish, round.taken)) return;
  round.candidates[round.at.at(machine)].claimed_by = id;
  round.others[number].machine = best->machine;
  round.claimed.push_back(machine);
}

bool Lifecycle::claim(const std::string& machine, const std::string& id, const InstanceWish& wish,
                      std::set<std::string>& taken) {
  Slot& slot = slots_.at(machine);
  const auto network = wishes_->networks.find(slot.desired->boot.network);
  const std::string address = network == wishes_->networks.end() ? std::string() : free_address(network->second, taken);
  if (address.empty()) {
    tell_instance(
        id,
        {.phase = InstancePhase::Pending, .message = "the network of " + machine + " has no free address in its range"},
        "pending");
    return false;
  }
  LifeRecord record = slot.record;
  record.instance = id;
  record.claimed = tools_.clock.wall();
  record.address = address;
  record.run = LifeStep::new_run(tools_, machine, reconcilers::RunKind::Install, wishes_->commit);
  record.run->image_sha256 = wish.image.disk->sha256;
  if (auto kept = keep(machine, record); !kept) {
    placement_due_ = true;
    return false;
  }
  slot.record = std::move(record);
  taken.insert(address);
  base::log(base::Level::Info, "claimed", "placed " + id, {{"machine", machine}});
  return true;
}

}  // namespace nimbus::controller
