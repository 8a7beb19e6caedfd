// Supervisor: one child program that is kept running; started again when it ends,
// more slowly each time.
//
// Thread rule: safe from any thread; one thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/ports/clock.hpp"

namespace nimbus::boot {

class Supervisor {
 public:
  Supervisor(std::string name, std::vector<std::string> argv, const Clock& clock);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Ends the child and starts it anew: for a changed configuration.
  void restart();

 private:
  void keep(const std::stop_token& stop);
  void run_once();

  const std::string name_;
  const std::vector<std::string> argv_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any condition_;
  std::stop_source child_;  // guarded by mutex_
  bool restart_ = false;    // guarded by mutex_: ended on purpose
  std::jthread thread_;
};

}  // namespace nimbus::boot
