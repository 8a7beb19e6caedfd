// What nimbusd serves over HTTP: health, metrics and webhooks. Nothing here changes
// the registry, a machine or this controller; a webhook is a hint to fetch.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/http/server.hpp"
#include "base/metrics/metrics.hpp"
#include "controller/config/config.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

namespace nimbus::controller {

struct Readiness {
  bool ready = false;
  std::string detail;  // for people, one line per matter
};

/// The live secrets of webhooks, by the webhook's name. Thread rule: safe from any thread.
class WebhookSecrets {
 public:
  /// Reads all of them, or keeps those that it has. Errors: Invalid (an empty file), those
  /// of reading private files.
  Result<> load(const std::vector<WebhookConfig>& webhooks);
  std::vector<Secret> of(const std::string& name) const;  // nothing for an unknown one

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Secret>> secrets_;
};

/// All functions are called from several threads at the same time.
struct ServeHooks {
  std::function<void()> fetch_now;
  std::function<Readiness()> readiness;
  /// Brings gauges up to date just before they are read.
  std::function<void()> refresh_metrics;
  std::shared_ptr<const WebhookSecrets> webhook_secrets;
};

/// `metrics` outlives the server.
std::vector<base::HttpRoute> make_routes(const Config& config, base::Metrics& metrics, ServeHooks hooks);

}  // namespace nimbus::controller
