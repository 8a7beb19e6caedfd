#include "installer/heartbeat.hpp"

#include <utility>

namespace nimbus::installer {

Heartbeat::Heartbeat(std::chrono::milliseconds interval, std::function<void()> beat)
    : thread_([this, interval, each = std::move(beat)] {
        std::unique_lock lock(mutex_);
        while (!ends_.wait_for(lock, interval, [this] { return over_; })) {
          lock.unlock();
          each();
          lock.lock();
        }
      }) {}

Heartbeat::~Heartbeat() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  ends_.notify_all();
  thread_.join();
}

}  // namespace nimbus::installer
