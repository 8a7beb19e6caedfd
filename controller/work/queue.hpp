// The work queue: keys, never events.
//
// Three sets give the guarantees: what is queued, what became dirty while it ran,
// and what is running. A key is at most once queued and at most once running;
// any number of add() during a run causes exactly one more run.
//
// Lanes share the workers by weight (8 : 4 : 2 : 1), so that none starves; within a
// lane the earliest-ready key comes first. The slow lane, for machines that did not
// answer last time, may occupy a bounded number of workers only: a thousand dead
// BMCs do not delay a live one.
//
// Before its first answer nobody knows a dead BMC. So a run that takes longer than
// kGetsOn counts as waiting: its worker waits on, and another may begin in its place,
// until a bounded number waits. A silent BMC costs the others kGetsOn of one worker,
// whatever its driver and however long it is waited for.
//
// Named semaphores are physical limits (a power feed, a boot segment). A key's
// needs are taken together with the key, before a worker is, and given back by
// done().
//
// What is cheaper for many at once takes keys along that are due now or in a moment,
// and gives them back, ready, when that is done.
//
// Thread rule: safe from any thread. Bounded by the number of keys.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/clock.hpp"

namespace nimbus::controller {

enum class Lane : std::uint8_t { Person, Event, Resync, Slow };
inline constexpr std::size_t kLanes = 4;

class WorkQueue {
 public:
  static constexpr std::chrono::milliseconds kGetsOn{20};

  struct Limits {
    static constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();
    std::size_t slow_workers = 2;                   // most keys of the slow lane running at once
    std::size_t workers = kUnbounded;               // most runs at once that do not wait
    std::size_t waiting = 0;                        // most runs beside them that do
    std::map<std::string, std::size_t> semaphores;  // name -> permits; an unknown name has one
  };

  WorkQueue(const Clock& clock, Limits limits);

  /// Queues `key` to run after `delay`. Queued already: the earlier time and the
  /// more urgent lane win, and `needs` are replaced. Running: it runs once more.
  void add(const std::string& key, Lane lane, std::chrono::milliseconds delay = {},
           std::vector<std::string> needs = {});

  /// The next key that is ready, whose lane and semaphores permit it; waits for
  /// one. Nothing when `stop` was requested or the queue was shut down.
  std::optional<std::string> take(std::stop_token stop);
  /// Whether somebody waits in take() for what becomes ready next.
  bool has_idle_worker() const;
  /// As take(), without waiting.
  std::optional<std::string> try_take();

  /// Company for the run of `key`, if that came from the resync lane: at most `most` more keys of this lane that
  /// are ready within `ahead`, need nothing, and are `wanted`. They are running then. `wanted` is called under the
  /// queue's lock and must not call the queue.
  std::vector<std::string> take_along(const std::string& key, std::size_t most, std::chrono::milliseconds ahead,
                                      const std::function<bool(const std::string&)>& wanted);
  /// The runs of these keys did not begin: they are ready now, in the resync lane or a more urgent one.
  void give_back(const std::vector<std::string>& keys);

  /// The run of `key` is over.
  void done(const std::string& key);

  /// What is queued of `key`, or became dirty while it runs, waits in the slow lane from now on, unless a person asked.
  void slow_down(const std::string& key);

  /// Forgets a queued key; a running one finishes and is then forgotten.
  void remove(const std::string& key);

  /// No key is handed out any more; waiters return.
  void shut_down();

  struct Depth {
    std::size_t queued = 0;
    std::size_t running = 0;
  };
  Depth depth() const;
  /// Milliseconds that the longest-waiting ready key has waited.
  std::chrono::milliseconds oldest_wait() const;

 private:
  struct Item {
    Lane lane = Lane::Resync;
    MonoTime ready_at{};
    std::vector<std::string> needs;
  };
  struct Running {
    Lane lane = Lane::Resync;
    std::vector<std::string> held;
    std::optional<MonoTime> began;  // nothing: another run's worker does it too
  };
  using Order = std::set<std::pair<MonoTime, std::string>>;

  std::optional<std::string> wait_for_key(std::unique_lock<std::mutex>& lock, std::stop_token& stop);
  std::optional<std::string> take_locked(MonoTime now);
  bool worker_is_free(MonoTime now);
  std::optional<MonoTime> next_chance(MonoTime now) const;
  std::optional<std::string> first_runnable(Lane lane, MonoTime now) const;
  void hand_out(Lane lane, const std::string& key, std::optional<MonoTime> began);
  void end_run(const std::string& key);
  bool permitted(const std::vector<std::string>& needs) const;
  std::optional<MonoTime> next_ready_after(MonoTime now) const;
  Order& order_of(Lane lane) { return order_[static_cast<std::size_t>(lane)]; }

  const Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Item> items_;  // queued, or dirty while running
  std::array<Order, kLanes> order_;    // items_ that are not running, by lane
  std::map<std::string, Running> running_;
  Order brisk_;                                // begun, and not known to wait
  std::size_t waiting_ = 0;                    // runs that no longer count as brisk
  std::size_t idle_ = 0;                       // workers in take()
  std::map<std::string, std::size_t> in_use_;  // semaphore -> permits taken
  std::array<int, kLanes> credit_{};           // weighted round robin
  std::size_t slow_running_ = 0;
  MonoTime watched_ = MonoTime::max();  // one idle worker wakes at this time; the others wait to be called
  bool shut_down_ = false;
};

}  // namespace nimbus::controller
