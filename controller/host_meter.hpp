// The metrics of hosts: health as gauges, passes as counters. What a host does not tell any
// more, or a host that is gone, is not told either. Thread rule: safe from any thread.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/metrics/metrics.hpp"
#include "controller/configure/report.hpp"
#include "controller/configure/target.hpp"

namespace nimbus::controller {

void declare_host_meters(base::Metrics& metrics);

class HostMeter {
 public:
  explicit HostMeter(base::Metrics& metrics) : metrics_(metrics) {}

  /// A pass over a host is over.
  void passed(const HostTarget& target, const HostReport& report);
  void forget(const std::string& instance);

 private:
  using Series = std::set<std::pair<std::string, base::Metrics::Labels>>;
  class Writer;

  base::Metrics& metrics_;
  std::mutex mutex_;                    // of told_
  std::map<std::string, Series> told_;  // by instance
};

}  // namespace nimbus::controller
