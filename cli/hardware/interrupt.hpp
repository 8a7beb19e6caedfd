// Ctrl-C while a BMC is talked to: what runs is stopped, sessions are closed (a BMC has
// few of them and keeps a lost one for half an hour), and then the program ends by that
// signal after all. A second signal ends it at once.
//
// Make one before any thread is started and after the last prompt: a prompt must end by
// the signal itself. Thread rule: one object at a time, of the main thread.
#pragma once

#include <csignal>

#include <atomic>
#include <stop_token>
#include <thread>

#include "base/net/file_descriptor.hpp"
#include "core/result.hpp"

namespace nimbus::cli {

class Interrupt {
 public:
  /// Holds SIGINT, SIGTERM and SIGHUP back from now on; those that are ignored stay so.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Stopped by the first signal.
  std::stop_token token() const noexcept { return stop_.get_token(); }

 private:
  void wait();

  std::stop_source stop_;
  sigset_t before_{};
  std::atomic<int> signal_{0};
  base::FileDescriptor signals_, wake_;
  std::jthread thread_;
};

}  // namespace nimbus::cli
