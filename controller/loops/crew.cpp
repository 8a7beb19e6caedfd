#include "controller/loops/crew.hpp"

#include <system_error>
#include <utility>

#include "controller/loops/threads.hpp"

namespace nimbus::controller {

void Crew::grow(std::function<void(std::stop_token)> work) {
  const std::lock_guard lock(mutex_);
  if (dismissed_ || threads_.size() >= most_) return;
  try {
    threads_.push_back(spawn(name_, std::move(work)));
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;  // where the system has no more threads to give, those that are there go on
  }
}

void Crew::dismiss() {
  const std::lock_guard lock(mutex_);
  dismissed_ = true;
  for (auto& thread : threads_) thread.request_stop();
}

void Crew::join() {
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  // Their destructors join, without the lock: one of them may be about to grow the crew.
}

std::size_t Crew::size() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

}  // namespace nimbus::controller
