// What a service says to the manager that started it: ready, reloading, stopping, still
// alive. Datagrams as systemd's sd_notify(3) describes them, to the socket that
// $NOTIFY_SOCKET names; without one nothing is sent, and that is no error.
//
// Thread rule: safe from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace nimbus::base {

class ServiceManager {
 public:
  using Environment = std::function<const char*(const char* name)>;

  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID once.
  explicit ServiceManager(const Environment& environment = process_environment());
  static Environment process_environment();

  /// Somebody listens.
  bool present() const noexcept { return !path_.empty(); }
  /// The manager ends a service that is silent for longer than this; nothing: it does
  /// not. Half of it is a good interval for alive().
  std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

  void ready(std::string_view status) const;
  /// `now`: of CLOCK_MONOTONIC. ready() says that it is over.
  void reloading(MonoTime now) const;
  void stopping(std::string_view status) const;
  void status(std::string_view text) const;
  void alive() const;

 private:
  void send(const std::string& message) const;

  std::string path_;  // a leading NUL: of the abstract namespace; empty: nobody listens
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace nimbus::base
