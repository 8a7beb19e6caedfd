#include "controller/host_meter.hpp"

namespace nimbus::controller {
namespace {

const char* result_of(const HostReport& report) {
  if (report.unfinished) return "failed";
  if (!report.looked) return "unreachable";
  if (report.converged()) return "converged";
  if (report.refusal) return "refused";
  if (!report.failed.empty() || report.error || !report.problems.empty()) return "failed";
  return "drifted";
}

}  // namespace

void declare_host_meters(base::Metrics& metrics) {
  metrics.declare_counter("nimbus_host_passes_total", "Passes over hosts, by result.");
  for (const char* result : {"converged", "drifted", "failed", "refused", "unreachable"}) {
    metrics.count("nimbus_host_passes_total", {{"result", result}}, 0);
  }
  metrics.declare_counter("nimbus_host_corrections_total", "Resources that were changed on hosts.");
  metrics.count("nimbus_host_corrections_total", {}, 0);
  metrics.declare_gauge("nimbus_host_up", "1: the host answered the last look over SSH.");
  metrics.declare_gauge("nimbus_host_key_changed", "1: the host shows another SSH key than the pinned one.");
  metrics.declare_gauge("nimbus_host_gaps", "Resources that are not as declared.");
  metrics.declare_gauge("nimbus_host_failed_resources", "Resources that could not be brought about.");
  metrics.declare_gauge("nimbus_host_info", "Kernel and operating system, as labels.");
  metrics.declare_gauge("nimbus_host_load", "Load average, by period.");
  metrics.declare_gauge("nimbus_host_memory_bytes", "Memory.");
  metrics.declare_gauge("nimbus_host_memory_available_bytes", "Memory that programs can still get.");
  metrics.declare_gauge("nimbus_host_filesystem_bytes", "Size of a file system, by path.");
  metrics.declare_gauge("nimbus_host_filesystem_available_bytes", "Room left for ordinary users, by path.");
  metrics.declare_gauge("nimbus_host_failed_units", "systemd units that failed.");
  metrics.declare_gauge("nimbus_host_time_offset_seconds", "The host's clock minus the controller's.");
  metrics.declare_gauge("nimbus_host_reboot_required", "1: the host says that it must be restarted.");
  metrics.declare_gauge("nimbus_host_uptime_seconds", "Time since the host started.");
}

class HostMeter::Writer {
 public:
  Writer(base::Metrics& metrics, const HostTarget& target)
      : metrics_(metrics), labels_{{"host", target.instance}, {"machine", target.machine}} {}

  void set(const std::string& name, double value, const base::Metrics::Labels& more = {}) {
    auto labels = labels_;
    labels.insert(more.begin(), more.end());
    metrics_.set(name, labels, value);
    series_.emplace(name, std::move(labels));
  }
  template <class T>
  void set(const std::string& name, const std::optional<T>& value, const base::Metrics::Labels& more = {}) {
    if (value) set(name, static_cast<double>(*value), more);
  }
  Series take() { return std::move(series_); }

 private:
  base::Metrics& metrics_;
  const base::Metrics::Labels labels_;
  Series series_;
};

void HostMeter::passed(const HostTarget& target, const HostReport& report) {
  metrics_.count("nimbus_host_passes_total", {{"result", result_of(report)}});
  metrics_.count("nimbus_host_corrections_total", {}, static_cast<double>(report.corrected));
  Writer writer(metrics_, target);
  writer.set("nimbus_host_up", report.looked || report.unfinished ? 1.0 : 0.0);
  const bool changed_key = !report.looked && report.error && report.error->code == Code::Untrusted;
  writer.set("nimbus_host_key_changed", changed_key ? 1.0 : 0.0);
  if (report.looked) {
    const host::Health& health = report.health;
    writer.set("nimbus_host_gaps", static_cast<double>(report.gaps.size()));
    writer.set("nimbus_host_failed_resources", static_cast<double>(report.failed.size()));
    writer.set("nimbus_host_info", 1.0,
               {{"kernel", health.kernel}, {"os", report.os}, {"os_version", report.os_version}});
    writer.set("nimbus_host_load", health.load1, {{"period", "1m"}});
    writer.set("nimbus_host_load", health.load5, {{"period", "5m"}});
    writer.set("nimbus_host_load", health.load15, {{"period", "15m"}});
    writer.set("nimbus_host_memory_bytes", health.memory_total);
    writer.set("nimbus_host_memory_available_bytes", health.memory_available);
    for (const auto& fs : health.file_systems) {
      writer.set("nimbus_host_filesystem_bytes", static_cast<double>(fs.size), {{"path", fs.path}});
      writer.set("nimbus_host_filesystem_available_bytes", static_cast<double>(fs.available), {{"path", fs.path}});
    }
    if (health.failed_units) {
      writer.set("nimbus_host_failed_units", static_cast<double>(health.failed_units->size()));
    }
    writer.set("nimbus_host_time_offset_seconds", health.time_offset_seconds);
    writer.set("nimbus_host_reboot_required", health.reboot_required);
    writer.set("nimbus_host_uptime_seconds", health.uptime_seconds);
  }
  Series now = writer.take();
  const std::lock_guard lock(mutex_);
  for (const auto& [name, labels] : told_[target.instance]) {
    if (!now.contains({name, labels})) metrics_.remove(name, labels);
  }
  told_[target.instance] = std::move(now);
}

void HostMeter::forget(const std::string& instance) {
  const std::lock_guard lock(mutex_);
  const auto found = told_.find(instance);
  if (found == told_.end()) return;
  for (const auto& [name, labels] : found->second) metrics_.remove(name, labels);
  told_.erase(found);
}

}  // namespace nimbus::controller
