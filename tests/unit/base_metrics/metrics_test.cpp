#include "base/metrics/metrics.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("metrics: counters, gauges and durations appear in the exposition") {
  nimbus::base::Metrics metrics;
  metrics.declare_counter("nimbus_reconcile_total", "Passes.");
  metrics.declare_gauge("nimbus_workqueue_depth", "Keys.");
  metrics.declare_duration("nimbus_reconcile_duration_seconds", "Time.");
  metrics.count("nimbus_reconcile_total", {{"result", "success"}}, 0);
  metrics.count("nimbus_reconcile_total", {{"result", "success"}});
  metrics.set("nimbus_workqueue_depth", {}, 7);
  metrics.observe_seconds("nimbus_reconcile_duration_seconds", {}, 0.02);
  const std::string text = metrics.text();
  CHECK(text.find("# HELP nimbus_reconcile_total Passes.") != std::string::npos);
  CHECK(text.find("# TYPE nimbus_reconcile_total counter") != std::string::npos);
  CHECK(text.find("nimbus_reconcile_total{result=\"success\"} 1") != std::string::npos);
  CHECK(text.find("nimbus_workqueue_depth 7") != std::string::npos);
  CHECK(text.find("nimbus_reconcile_duration_seconds_count 1") != std::string::npos);
}
