// Something said again and again while the caller waits for something long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace nimbus::installer {

/// Calls `beat` every `interval` for as long as it lives; its end waits for a beat under
/// way. Thread rule: `beat` runs on a thread of the heartbeat's own.
class Heartbeat {
 public:
  Heartbeat(std::chrono::milliseconds interval, std::function<void()> beat);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ends_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace nimbus::installer
