// EventLoop: one thread waits for many descriptors, timers and posted tasks.
//
//   auto loop = EventLoop::create();
//   (*loop)->watch(fd, Interest::Read, [&](Ready ready) { … });
//   (*loop)->start_timer(500ms, [&] { … });
//   std::jthread thread([&](std::stop_token stop) { (*loop)->run(stop); });
//   (*loop)->post([&] { … runs on that thread … });
//
// Level-triggered epoll underneath. All callbacks run on the thread inside run(),
// one at a time. A callback may watch, modify, unwatch and close any descriptor
// (its own too), start and cancel timers, and post; a descriptor that was
// unwatched gets no further call, not even for an event already received.
//
// Callbacks must not block and must not throw: an exception leaves run().
//
// Thread rule: post() is safe from any thread. Everything else belongs to the
// thread inside run(), or to one thread while nobody is inside run().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "base/net/file_descriptor.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace nimbus::base {

/// What to wait for. None: only that the peer hung up or failed.
enum class Interest : std::uint8_t { None, Read, Write, ReadWrite };

/// What happened. `failed` (error or both directions closed) is reported whatever
/// was asked for: read or write to learn what it is, then unwatch.
struct Ready {
  bool readable = false;
  bool writable = false;
  bool failed = false;
};

class EventLoop {
 public:
  using FdCallback = std::function<void(Ready)>;
  using Task = std::function<void()>;
  enum class TimerId : std::uint64_t { None = 0 };

  /// Errors: Internal (out of descriptors).
  static Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// The loop does not own `fd`: unwatch it before closing it. Errors: Internal
  /// (watched already, not a descriptor that can be waited for, out of memory).
  Result<> watch(int fd, Interest interest, FdCallback callback);
  /// Errors: NotFound (not watched).
  Result<> modify(int fd, Interest interest);
  /// Does nothing if `fd` is not watched.
  void unwatch(int fd);

  /// Runs `task` once, not before `when`. Timers with the same time run in the
  /// order in which they were started.
  TimerId start_timer(MonoTime when, Task task);
  TimerId start_timer(std::chrono::nanoseconds delay, Task task);
  /// Does nothing if the timer ran, was cancelled, or is None.
  void cancel_timer(TimerId id);

  /// Runs `task` on the loop's thread, in the order of posting. A task posted after
  /// run() ended waits for the next run(), or is destroyed with the loop.
  void post(Task task);

  /// Until `stop` is requested. What was posted before the stop has run when this
  /// returns; watches and timers stay.
  void run(const std::stop_token& stop);

  std::size_t watch_count() const noexcept { return watches_.size(); }
  std::size_t timer_count() const noexcept { return tasks_.size(); }

 private:
  struct Watch;
  struct Timer {
    MonoTime when;
    std::uint64_t id = 0;
  };
  static bool later(const Timer& a, const Timer& b) noexcept;

  EventLoop(FileDescriptor epoll, FileDescriptor wake);
  void wake() noexcept;
  void run_posted();
  void run_due_timers();
  int milliseconds_to_next_timer() const;
  void forget_cancelled_timers();
  void wait_and_dispatch();

  FileDescriptor epoll_;
  FileDescriptor wake_;
  std::unordered_map<int, std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Watch>> retired_;  // kept until no event of this round can name them
  std::vector<Timer> timers_;                    // heap, earliest first; cancelled ones stay until they surface
  std::unordered_map<std::uint64_t, Task> tasks_;
  std::uint64_t next_timer_ = 1;
  std::mutex posted_mutex_;
  std::vector<Task> posted_;  // guarded by posted_mutex_
};

}  // namespace nimbus::base
