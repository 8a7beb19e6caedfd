#include "base/net/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/net/socket.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kEventsPerRound = 256;
// Below this many entries a heap full of cancelled timers is not worth cleaning.
constexpr std::size_t kSmallHeap = 1024;
// A wait is never longer, so that the millisecond count fits an int.
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(1);

std::uint32_t epoll_mask(Interest interest) noexcept {
  switch (interest) {
    case Interest::None:
      return 0;
    case Interest::Read:
      return EPOLLIN;
    case Interest::Write:
      return EPOLLOUT;
    case Interest::ReadWrite:
      return EPOLLIN | EPOLLOUT;
  }
  return 0;
}

}  // namespace

struct EventLoop::Watch {
  int fd = -1;
  bool retired = false;
  FdCallback callback;
};

bool EventLoop::later(const Timer& a, const Timer& b) noexcept {
  return a.when != b.when ? a.when > b.when : a.id > b.id;
}

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return socket_error("cannot make an epoll descriptor", errno);
  FileDescriptor wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake) return socket_error("cannot make an event descriptor", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // no Watch: the wake-up
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return socket_error("cannot watch the event descriptor", errno);
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake)));
}

EventLoop::EventLoop(FileDescriptor epoll, FileDescriptor wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}

EventLoop::~EventLoop() = default;

Result<> EventLoop::watch(int fd, Interest interest, FdCallback callback) {
  auto entry = std::make_unique<Watch>(Watch{fd, false, std::move(callback)});
  epoll_event event{};
  event.events = epoll_mask(interest);
  event.data.ptr = entry.get();
  if (watches_.contains(fd)) return Error{Code::Internal, "descriptor watched twice: " + std::to_string(fd)};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Error{Code::Internal, "cannot watch a descriptor: " + std::generic_category().message(errno)};
  }
  watches_.emplace(fd, std::move(entry));
  return {};
}

Result<> EventLoop::modify(int fd, Interest interest) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return Error{Code::NotFound, "descriptor not watched: " + std::to_string(fd)};
  epoll_event event{};
  event.events = epoll_mask(interest);
  event.data.ptr = found->second.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    return Error{Code::Internal, "cannot change a watch: " + std::generic_category().message(errno)};
  }
  return {};
}

void EventLoop::unwatch(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  // An event of this round may still point to it, and it may be running.
  found->second->retired = true;
  retired_.push_back(std::move(found->second));
  watches_.erase(found);
}

EventLoop::TimerId EventLoop::start_timer(MonoTime when, Task task) {
  const std::uint64_t id = next_timer_++;
  tasks_.emplace(id, std::move(task));
  timers_.push_back({when, id});
  std::push_heap(timers_.begin(), timers_.end(), later);
  return TimerId{id};
}

EventLoop::TimerId EventLoop::start_timer(std::chrono::nanoseconds delay, Task task) {
  return start_timer(std::chrono::steady_clock::now() + delay, std::move(task));
}

void EventLoop::cancel_timer(TimerId id) {
  if (tasks_.erase(static_cast<std::uint64_t>(id)) != 0) forget_cancelled_timers();
}

void EventLoop::forget_cancelled_timers() {
  if (timers_.size() < kSmallHeap || timers_.size() < 2 * tasks_.size()) return;
  std::erase_if(timers_, [this](const Timer& timer) { return !tasks_.contains(timer.id); });
  std::make_heap(timers_.begin(), timers_.end(), later);
}

void EventLoop::post(Task task) {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) wake();
}

void EventLoop::wake() noexcept {
  const std::uint64_t one = 1;
  // Fails only if the counter is full, and then the loop wakes anyway.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void EventLoop::run_posted() {
  std::vector<Task> batch;
  {
    const std::lock_guard lock(posted_mutex_);
    batch.swap(posted_);
  }
  for (const auto& task : batch) task();
}

void EventLoop::run_due_timers() {
  if (timers_.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  // A timer started from here on waits for the next round, even with no delay:
  // otherwise one that starts itself again would starve the descriptors.
  const std::uint64_t first_new = next_timer_;
  while (!timers_.empty() && timers_.front().when <= now && timers_.front().id < first_new) {
    const auto id = timers_.front().id;
    std::pop_heap(timers_.begin(), timers_.end(), later);
    timers_.pop_back();
    const auto found = tasks_.find(id);
    if (found == tasks_.end()) continue;
    const Task task = std::move(found->second);
    tasks_.erase(found);
    task();
  }
}

int EventLoop::milliseconds_to_next_timer() const {
  if (timers_.empty()) return -1;
  const auto now = std::chrono::steady_clock::now();
  if (timers_.front().when <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.front().when - now);
  return static_cast<int>(std::min(left, kLongestWait).count());
}

void EventLoop::wait_and_dispatch() {
  std::array<epoll_event, kEventsPerRound> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds_to_next_timer());
  for (int i = 0; i < count; ++i) {
    const auto& event = events.at(static_cast<std::size_t>(i));
    if (event.data.ptr == nullptr) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto got = ::read(wake_.get(), &ignored, sizeof ignored);
      continue;
    }
    auto* const watch = static_cast<Watch*>(event.data.ptr);
    if (watch->retired) continue;
    watch->callback({.readable = (event.events & EPOLLIN) != 0,
                     .writable = (event.events & EPOLLOUT) != 0,
                     .failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0});
  }
  // Destroying a callback may run code that unwatches others.
  while (!retired_.empty()) {
    const auto gone = std::exchange(retired_, {});
  }
}

void EventLoop::run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { wake(); });
  while (!stop.stop_requested()) {
    run_posted();
    run_due_timers();
    wait_and_dispatch();
  }
  run_posted();
}

}  // namespace nimbus::base
