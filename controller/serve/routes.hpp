// What nimbusd serves over HTTP: health, metrics and webhooks. Nothing here changes
// the registry, a machine or this controller; a webhook is a hint to fetch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/http/server.hpp"
#include "base/metrics/metrics.hpp"
#include "controller/config/config.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

struct Readiness {
  bool ready = false;
  std::string detail;  // for people, one line per matter
};

/// All functions are called from several threads at the same time.
struct ServeHooks {
  std::function<void()> fetch_now;
  std::function<Readiness()> readiness;
  /// Brings gauges up to date just before they are read.
  std::function<void()> refresh_metrics;
};

/// `metrics` outlives the server. Errors: those of reading the webhooks' secrets,
/// which are read once: a missing one means that the program does not start.
Result<std::vector<base::HttpRoute>> make_routes(const Config& config, base::Metrics& metrics, ServeHooks hooks);

}  // namespace nimbus::controller
