#include "controller/work/queue.hpp"

#include <algorithm>

namespace nimbus::controller {
namespace {

constexpr std::array<int, kLanes> kWeights = {8, 4, 2, 1};

}  // namespace

WorkQueue::WorkQueue(const Clock& clock, Limits limits)
    : clock_(clock), limits_(std::move(limits)), credit_(kWeights) {}

void WorkQueue::add(const std::string& key, Lane lane, std::chrono::milliseconds delay,
                    std::vector<std::string> needs) {
  {
    const std::lock_guard lock(mutex_);
    if (shut_down_) return;
    const MonoTime ready_at = clock_.now() + delay;
    const bool is_running = running_.contains(key);
    auto [at, fresh] = items_.try_emplace(key, Item{lane, ready_at, {}});
    Item& item = at->second;
    if (!fresh) {
      if (!is_running) order_of(item.lane).erase({item.ready_at, key});
      item.lane = std::min(item.lane, lane);
      item.ready_at = std::min(item.ready_at, ready_at);
    }
    item.needs = std::move(needs);
    if (!is_running) order_of(item.lane).insert({item.ready_at, key});
  }
  changed_.notify_one();
}

std::optional<std::string> WorkQueue::try_take() {
  const std::lock_guard lock(mutex_);
  return shut_down_ ? std::nullopt : take_locked(clock_.now());
}

std::optional<std::string> WorkQueue::take(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  idle_ += 1;
  auto key = wait_for_key(lock, stop);
  idle_ -= 1;
  // Another ready key may be left for another waiter, and the time is watched by nobody now.
  if (key) changed_.notify_one();
  return key;
}

std::optional<std::string> WorkQueue::wait_for_key(std::unique_lock<std::mutex>& lock, std::stop_token& stop) {
  while (!shut_down_ && !stop.stop_requested()) {
    const MonoTime now = clock_.now();
    if (auto key = take_locked(now)) return key;
    // Any notification ends the wait, and the loop looks again.
    bool woken = false;
    const auto once = [&] { return std::exchange(woken, true); };
    // Who waits for the earliest time does so for all: many workers that wake for one key would cost more than its run.
    if (const auto next = next_chance(now); next && *next < watched_) {
      const MonoTime mine = watched_ = *next;
      changed_.wait_until(lock, stop, mine, once);
      if (watched_ == mine) watched_ = MonoTime::max();
    } else {
      changed_.wait(lock, stop, once);
    }
  }
  return std::nullopt;
}

std::optional<std::string> WorkQueue::take_locked(MonoTime now) {
  if (!worker_is_free(now)) return std::nullopt;
  // Two rounds: one with the credit that is left, one with fresh credit.
  for (int round = 0; round < 2; ++round) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (credit_[lane] <= 0) continue;
      if (auto key = first_runnable(static_cast<Lane>(lane), now)) {
        credit_[lane] -= 1;
        hand_out(static_cast<Lane>(lane), *key, now);
        return key;
      }
    }
    credit_ = kWeights;
  }
  return std::nullopt;
}

bool WorkQueue::worker_is_free(MonoTime now) {
  while (!brisk_.empty() && brisk_.begin()->first + kGetsOn <= now && waiting_ < limits_.waiting) {
    brisk_.erase(brisk_.begin());
    waiting_ += 1;
  }
  return brisk_.size() < limits_.workers;
}

std::optional<std::string> WorkQueue::first_runnable(Lane lane, MonoTime now) const {
  if (lane == Lane::Slow && slow_running_ >= limits_.slow_workers) return std::nullopt;
  for (const auto& [ready_at, key] : order_[static_cast<std::size_t>(lane)]) {
    if (ready_at > now) return std::nullopt;
    if (permitted(items_.at(key).needs)) return key;
  }
  return std::nullopt;
}

void WorkQueue::hand_out(Lane lane, const std::string& key, std::optional<MonoTime> began) {
  auto node = items_.extract(key);
  order_of(lane).erase({node.mapped().ready_at, key});
  for (const auto& name : node.mapped().needs) in_use_[name] += 1;
  if (lane == Lane::Slow) slow_running_ += 1;
  running_.emplace(key, Running{lane, std::move(node.mapped().needs), began});
  if (began) brisk_.emplace(*began, key);
}

bool WorkQueue::permitted(const std::vector<std::string>& needs) const {
  return std::ranges::all_of(needs, [&](const std::string& name) {
    const auto limit = limits_.semaphores.find(name);
    const std::size_t permits = limit == limits_.semaphores.end() ? 1 : limit->second;
    const auto used = in_use_.find(name);
    return used == in_use_.end() || used->second < permits;
  });
}

void WorkQueue::end_run(const std::string& key) {
  const auto node = running_.extract(key);
  if (!node) return;
  if (node.mapped().lane == Lane::Slow) slow_running_ -= 1;
  if (const auto began = node.mapped().began; began && brisk_.erase({*began, key}) == 0) waiting_ -= 1;
  for (const auto& name : node.mapped().held) {
    const auto used = in_use_.find(name);
    if (--used->second == 0) in_use_.erase(used);
  }
  if (const auto item = items_.find(key); item != items_.end()) {
    order_of(item->second.lane).insert({item->second.ready_at, key});
  }
}

void WorkQueue::done(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    end_run(key);
  }
  changed_.notify_one();  // who takes one wakes the next
}

std::vector<std::string> WorkQueue::take_along(const std::string& key, std::size_t most,
                                               std::chrono::milliseconds ahead,
                                               const std::function<bool(const std::string&)>& wanted) {
  std::vector<std::string> taken;
  const std::lock_guard lock(mutex_);
  const auto leader = running_.find(key);
  if (shut_down_ || leader == running_.end() || leader->second.lane != Lane::Resync) return taken;
  const MonoTime latest = clock_.now() + ahead;
  for (const auto& [ready_at, candidate] : order_of(Lane::Resync)) {
    if (ready_at > latest || taken.size() >= most) break;
    if (items_.at(candidate).needs.empty() && wanted(candidate)) taken.push_back(candidate);
  }
  for (const auto& name : taken) hand_out(Lane::Resync, name, std::nullopt);
  return taken;
}

void WorkQueue::give_back(const std::vector<std::string>& keys) {
  {
    const std::lock_guard lock(mutex_);
    const MonoTime now = clock_.now();
    for (const auto& key : keys) {
      if (!running_.contains(key)) continue;
      Item& item = items_.try_emplace(key, Item{Lane::Resync, now, {}}).first->second;
      item.lane = std::min(item.lane, Lane::Resync);
      item.ready_at = std::min(item.ready_at, now);
      end_run(key);
    }
  }
  changed_.notify_one();  // who takes one wakes the next
}

void WorkQueue::slow_down(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found == items_.end() || found->second.lane == Lane::Person) return;
  Item& item = found->second;
  const bool is_running = running_.contains(key);
  if (!is_running) order_of(item.lane).erase({item.ready_at, key});
  item.lane = Lane::Slow;
  if (!is_running) order_of(item.lane).insert({item.ready_at, key});
}

void WorkQueue::remove(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto item = items_.find(key);
  if (item == items_.end()) return;
  order_of(item->second.lane).erase({item->second.ready_at, key});
  items_.erase(item);
}

void WorkQueue::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
  }
  changed_.notify_all();
}

/// When there may be something to take that cannot be taken now, if nobody calls until then.
std::optional<MonoTime> WorkQueue::next_chance(MonoTime now) const {
  if (brisk_.size() < limits_.workers) return next_ready_after(now);
  if (waiting_ >= limits_.waiting) return std::nullopt;  // a run must end first
  return brisk_.begin()->first + kGetsOn;
}

std::optional<MonoTime> WorkQueue::next_ready_after(MonoTime now) const {
  std::optional<MonoTime> next;
  for (const auto& order : order_) {
    // Ready keys that are blocked wait for done(), not for time.
    const auto at = order.upper_bound({now, std::string(1, '\x7f')});
    if (at != order.end() && (!next || at->first < *next)) next = at->first;
  }
  return next;
}

bool WorkQueue::has_idle_worker() const {
  const std::lock_guard lock(mutex_);
  return idle_ > 0;
}

WorkQueue::Depth WorkQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return {items_.size(), running_.size()};
}

std::chrono::milliseconds WorkQueue::oldest_wait() const {
  const std::lock_guard lock(mutex_);
  const MonoTime now = clock_.now();
  std::chrono::milliseconds oldest{0};
  for (const auto& order : order_) {
    if (!order.empty() && order.begin()->first <= now) {
      oldest = std::max(oldest, std::chrono::duration_cast<std::chrono::milliseconds>(now - order.begin()->first));
    }
  }
  return oldest;
}

}  // namespace nimbus::controller
