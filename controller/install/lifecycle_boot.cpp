// What each nimbus-boot is told, and which machines it serves: those of one network.
#include <algorithm>

#include "controller/install/lifecycle.hpp"

namespace nimbus::controller {
namespace {

constexpr std::chrono::seconds kTellBoot{15};  // for all who wait, whatever the time of the one who asks

/// The most frequent; of several the first by name.
std::string most_of(const std::map<std::string, int>& counts) {
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? std::string() : most->first;
}

}  // namespace

/// Under the lock. The network of a nimbus-boot that is there for "the" network: that of the machines that are
/// claimed, whatever other machines the registry gets; before the first claim that of all. Empty: nobody can tell.
std::string Lifecycle::only_network() const {
  std::map<std::string, int> claimed, all;
  for (const auto& [name, slot] : slots_) {
    const auto& network = slot.desired->boot.network;
    if (!wishes_->networks.contains(network)) continue;
    ++all[network];
    if (!slot.record.instance.empty() && !slot.record.address.empty()) ++claimed[network];
  }
  if (!claimed.empty()) return most_of(claimed);
  return all.size() == 1 ? all.begin()->first : std::string();
}

/// Under the lock. Whose orders a machine that boots from this network is in. Nothing: nobody's.
std::optional<std::string> Lifecycle::post_of(const std::string& network) const {
  if (const auto own = posts_.find(network); own != posts_.end() && !network.empty()) return network;
  if (posts_.contains({}) && network == only_network()) return std::string();
  return std::nullopt;
}

/// Under the lock.
void Lifecycle::orders_changed(const std::string& network) {
  auto post = posts_.find(network);
  if (post == posts_.end()) post = posts_.find({});
  if (post != posts_.end()) post->second.due = true;
}

BootService* Lifecycle::boot_of(const std::string& network) const {
  const std::lock_guard lock(mutex_);
  const auto post = post_of(network);
  return post ? posts_.at(*post).service : nullptr;
}

std::string Lifecycle::unserved(const std::string& network) {
  if (network.empty()) return "its file does not say which network it boots from (boot.network)";
  return "its boot network " + network + " is not served by this controller ([install.boot] of nimbusd.toml)";
}

/// Under the lock. Which nimbus-boots must be told by a machine of this network: its own, and those that none of
/// the machines boots from any more.
std::vector<std::string> Lifecycle::posts_due(const std::string& network) const {
  std::vector<std::string> out;
  for (const auto& [name, post] : posts_) {
    if (!post.due) continue;
    const bool others = std::any_of(slots_.begin(), slots_.end(), [&, &its = name](const auto& item) {
      return item.second.desired->boot.network == its;
    });
    if (name.empty() || name == network || !others) out.push_back(name);
  }
  return out;
}

/// It is not to be written to. Where the installer is not at work yet, it gets none.
bool Lifecycle::braked(const DesiredMachine& desired) {
  return desired.lifecycle.hands_off || desired.lifecycle.state != LifecycleState::InService;
}

/// Under the lock.
boot::Orders Lifecycle::orders(const std::string& post) const {
  boot::Orders orders;
  const auto network = wishes_->networks.find(post.empty() ? only_network() : post);
  if (network == wishes_->networks.end()) return orders;
  for (const auto& [name, slot] : slots_) {
    if (slot.record.instance.empty() || slot.record.address.empty()) continue;
    if (slot.desired->boot.network != network->first) continue;
    orders.dhcp = network->second.dhcp;
    orders.cidr = network->second.cidr;
    orders.gateway = network->second.gateway;
    orders.dns = network->second.dns;
    boot::MachineOrder order{.mac = slot.desired->mac,
                             .name = name,
                             .address = slot.record.address,
                             .handover = slot.desired->boot.handover,
                             .run = {}};
    using enum reconcilers::RunPhase;
    const auto& run = slot.record.run;
    const bool boots =
        run && (run->state.phase == Booting ? !braked(*slot.desired) : run->state.phase == Prepare && slot.boots);
    const bool serves = run && !run->plan.empty() && (boots || run->state.phase == Working);
    if (serves) {
      order.run = {.run = run->id, .nonce = run->nonce, .plan = run->plan, .key = run->key};
      if (run->state.kind == reconcilers::RunKind::Install) order.run->image = run->image_sha256;
    }
    orders.machines.push_back(std::move(order));
  }
  return orders;
}

void Lifecycle::withdraw(const Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!run_left_) return;
    run_left_ = false;
  }
  for (const auto& [name, post] : posts_) {
    if (tell(name, call)) continue;
    const std::lock_guard lock(mutex_);
    run_left_ = true;
  }
}

/// What a machine's worker kept before this call is in the orders that answer it; many
/// that come at once are answered by one exchange.
Result<> Lifecycle::serve(const std::string& network, const Call& call) {
  std::optional<std::string> post;
  {
    const std::lock_guard lock(mutex_);
    post = post_of(network);
  }
  return post ? tell(*post, call) : Result<>();
}

Result<> Lifecycle::tell(const std::string& name, const Call& call) {
  BootPost& post = posts_.at(name);
  return post.telling.join([&]() -> Result<> {
    boot::Orders wanted;
    {
      const std::lock_guard lock(mutex_);
      wanted = orders(name);
      post.due = false;
    }
    auto served = post.service->serve(wanted, {tools_.clock.now() + kTellBoot, call.stop});
    if (served) return {};
    const std::lock_guard lock(mutex_);
    post.due = true;
    return served;
  });
}

/// It lost its state: it is told again.
void Lifecycle::distrust(const std::string& network) {
  const std::lock_guard lock(mutex_);
  const auto post = post_of(network);
  if (!post) return;
  posts_.at(*post).service->distrust();
  posts_.at(*post).due = true;
}

}  // namespace nimbus::controller
