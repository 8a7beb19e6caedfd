// Crew: threads that do the same work and come as they are needed, up to a bound.
// Most of many workers wait for BMCs, and a small fleet never needs most of them.
//
// Thread rule: grow() and dismiss() from any thread, also from one of the crew;
// join() from one outside it.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace nimbus::controller {

class Crew {
 public:
  /// `name` as of spawn(). Nobody works yet.
  Crew(const char* name, std::size_t most) : name_(name), most_(most) {}

  /// One more who does `work` until its stop token says so, unless there are `most`, the system has no more
  /// threads, or all were dismissed. Throws where not even the first can be had.
  void grow(std::function<void(std::stop_token)> work);
  /// Asks all to stop.
  void dismiss();
  /// Waits until all who were dismissed have returned.
  void join();

  std::size_t size() const;
  std::size_t most() const noexcept { return most_; }

 private:
  const char* const name_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::vector<std::jthread> threads_;
  bool dismissed_ = false;
};

}  // namespace nimbus::controller
