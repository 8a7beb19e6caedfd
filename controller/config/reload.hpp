// Reading nimbusd.toml again while the controller runs: what is taken over at once, and
// what counts from the next start only.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "controller/config/config.hpp"

namespace nimbus::controller {

struct Reload {
  Config config;                     // the running one, with what may change taken over
  std::vector<std::string> taken;    // keys that changed and are in force: "registry.poll"
  std::vector<std::string> restart;  // keys that changed and need a restart
};

/// Taken over: [log], durations of [registry], [status] publish, [reconcile] except
/// workers, [power], and the secret files of webhooks that stay the same otherwise. Pure.
Reload merge_reload(const Config& running, const Config& next);

/// The configuration in force. Thread rule: safe from any thread.
class LiveConfig {
 public:
  explicit LiveConfig(const Config& config) : config_(std::make_shared<const Config>(config)) {}
  std::shared_ptr<const Config> get() const {
    const std::lock_guard lock(mutex_);
    return config_;
  }
  void set(const Config& config) {
    const std::lock_guard lock(mutex_);
    config_ = std::make_shared<const Config>(config);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;
};

}  // namespace nimbus::controller
