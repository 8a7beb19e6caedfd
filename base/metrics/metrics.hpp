// Metrics in Prometheus' text format, on prometheus-cpp.
//
// Names and labels are those of docs/reference/metrics.md; label values come from
// closed sets (never a machine's name or foreign text), so the number of series is
// bounded. Thread rule: safe from any thread.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace nimbus::base {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Names a metric once, before its first use; `help` is a sentence.
  void declare_counter(const std::string& name, const std::string& help);
  void declare_gauge(const std::string& name, const std::string& help);
  /// Buckets in seconds from 1 ms to 60 s.
  void declare_duration(const std::string& name, const std::string& help);

  /// `name` was declared before; an undeclared one is ignored (and fails in debug
  /// builds).
  void count(const std::string& name, const Labels& labels = {}, double by = 1);
  void set(const std::string& name, const Labels& labels, double value);
  /// The gauge with these labels is not told any more.
  void remove(const std::string& name, const Labels& labels);
  void observe_seconds(const std::string& name, const Labels& labels, double seconds);

  /// The exposition, version 0.0.4.
  std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace nimbus::base
