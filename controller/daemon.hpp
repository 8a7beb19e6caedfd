// The daemon: the threads of nimbusd and what they share.
//
//   watch    looks at the forge, loads and accepts what is new, queues machines
//   publish  takes the term, then brings status documents to the status branch
//   workers  one pass over one machine after the other
//   serve    health, metrics, webhooks
//
// Whatever is slow is a child process, a socket with a deadline or a wait on a
// condition, so a stop request ends it within the configured deadlines.
#pragma once

#include <memory>
#include <string>

#include "controller/config/config.hpp"
#include "controller/config/reload.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

class Daemon {
 public:
  /// Opens the data folder, checks the secrets of webhooks and CAs, listens, and
  /// starts all threads. Errors: whatever of that fails, with the path concerned.
  static Result<std::unique_ptr<Daemon>> start(const Config& config);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Takes over what may change while it runs (controller/config/reload.hpp) and reads
  /// the webhooks' secrets again. On an error (a secret that cannot be read) nothing changes.
  Result<Reload> reload(const Config& next);

  /// Which part does not get on; empty: all do.
  std::string standstill() const;
  /// How it is, in a line for people.
  std::string summary() const;

  /// Drains: no new work, running passes end, what they found is published, BMC
  /// sessions are closed.
  void stop();

 private:
  class Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nimbus::controller
