#include "base/metrics/metrics.hpp"

#include <cassert>
#include <mutex>
#include <sstream>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace nimbus::base {

struct Metrics::Families {
  prometheus::Registry registry;
  mutable std::mutex mutex;  // of the maps; the families lock themselves
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> durations;

  template <class Map>
  typename Map::mapped_type find(const Map& map, const std::string& name) const {
    const std::lock_guard lock(mutex);
    const auto at = map.find(name);
    assert(at != map.end() && "undeclared metric");
    return at == map.end() ? nullptr : at->second;
  }
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::declare_counter(const std::string& name, const std::string& help) {
  const std::lock_guard lock(families_->mutex);
  families_->counters[name] = &prometheus::BuildCounter().Name(name).Help(help).Register(families_->registry);
}

void Metrics::declare_gauge(const std::string& name, const std::string& help) {
  const std::lock_guard lock(families_->mutex);
  families_->gauges[name] = &prometheus::BuildGauge().Name(name).Help(help).Register(families_->registry);
}

void Metrics::declare_duration(const std::string& name, const std::string& help) {
  const std::lock_guard lock(families_->mutex);
  families_->durations[name] = &prometheus::BuildHistogram().Name(name).Help(help).Register(families_->registry);
}

void Metrics::count(const std::string& name, const Labels& labels, double by) {
  if (auto* family = families_->find(families_->counters, name)) family->Add(labels).Increment(by);
}

void Metrics::set(const std::string& name, const Labels& labels, double value) {
  if (auto* family = families_->find(families_->gauges, name)) family->Add(labels).Set(value);
}

void Metrics::remove(const std::string& name, const Labels& labels) {
  if (auto* family = families_->find(families_->gauges, name)) family->Remove(&family->Add(labels));
}

void Metrics::observe_seconds(const std::string& name, const Labels& labels, double seconds) {
  static const prometheus::Histogram::BucketBoundaries kBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                                   0.5,   1,      2.5,   5,    10,    30,   60};
  if (auto* family = families_->find(families_->durations, name)) family->Add(labels, kBuckets).Observe(seconds);
}

std::string Metrics::text() const {
  const prometheus::TextSerializer serializer;
  std::ostringstream out;
  serializer.Serialize(out, families_->registry.Collect());
  return out.str();
}

}  // namespace nimbus::base
