#include "controller/meters.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include <fmt/core.h>

#include "base/process/self.hpp"

namespace nimbus::controller {
namespace {

constexpr std::array<PowerAction, 4> kActions = {PowerAction::On, PowerAction::SoftOff, PowerAction::HardOff,
                                                 PowerAction::Reset};

const char* result_of(const MachineReport& report) {
  if (report.error) return "error";
  return report.refusal ? "refused" : "success";
}

}  // namespace

void declare_meters(base::Metrics& metrics) {
  metrics.declare_gauge("nimbus_build_info", "Version of this program, as a label.");
  metrics.set("nimbus_build_info", {{"version", NIMBUS_VERSION}}, 1);

  metrics.declare_counter("nimbus_reconcile_total", "Passes over machines, by result.");
  for (const char* result : {"success", "error", "refused"}) {
    metrics.count("nimbus_reconcile_total", {{"result", result}}, 0);
  }
  metrics.declare_duration("nimbus_reconcile_duration_seconds", "Duration of a pass over one machine.");
  metrics.declare_counter("nimbus_device_writes_total", "Power actions sent to machines, by action.");
  for (const auto action : kActions) {
    metrics.count("nimbus_device_writes_total", {{"action", std::string(to_string(action))}}, 0);
  }

  metrics.declare_counter("nimbus_bmc_requests_total", "Operations on BMCs, by driver and outcome.");
  metrics.declare_duration("nimbus_bmc_request_duration_seconds", "Time that operations on BMCs took, by driver.");
  for (const char* driver : {"redfish", "ipmi"}) {
    metrics.count("nimbus_bmc_requests_total", {{"driver", driver}, {"code", "ok"}}, 0);
  }
  metrics.declare_counter("nimbus_bmc_hints_total", "Hints of BMCs that something changed.");
  metrics.count("nimbus_bmc_hints_total", {}, 0);
  metrics.declare_gauge("nimbus_bmc_event_streams", "Event streams of BMCs that stand.");
  metrics.declare_counter("process_cpu_seconds_total", "User and system CPU time spent.");
  metrics.declare_gauge("process_start_time_seconds", "Start time since the epoch.");
  metrics.declare_gauge("process_resident_memory_bytes", "Resident memory.");
  metrics.declare_gauge("process_virtual_memory_bytes", "Virtual memory.");
  metrics.declare_gauge("process_threads", "Threads.");
  metrics.declare_gauge("process_open_fds", "Open descriptors.");
  metrics.declare_gauge("process_max_fds", "Most descriptors that may be open.");

  metrics.declare_gauge("nimbus_machines", "Machines in the accepted registry, by state.");
  metrics.declare_gauge("nimbus_workqueue_depth", "Machines queued for a look, now or later.");
  metrics.declare_gauge("nimbus_workqueue_running", "Passes under way.");
  metrics.declare_gauge("nimbus_workqueue_oldest_wait_seconds", "How long the longest-waiting due machine has waited.");

  metrics.declare_counter("nimbus_git_fetch_total", "Looks at the registry's branch, by result.");
  metrics.declare_counter("nimbus_git_push_total", "Status commits pushed, by result.");
  for (const char* result : {"success", "error"}) {
    metrics.count("nimbus_git_fetch_total", {{"result", result}}, 0);
    metrics.count("nimbus_git_push_total", {{"result", result}}, 0);
  }
  metrics.declare_gauge("nimbus_git_last_success_timestamp_seconds", "When the forge last answered, by operation.");
  metrics.declare_counter("nimbus_http_requests_total", "Requests to the API, by route, method and status.");
  metrics.declare_duration("nimbus_http_request_duration_seconds", "Time that the API took to answer, by route.");
  metrics.declare_gauge("nimbus_audit_records", "Number of the newest line of the audit log.");
  metrics.declare_gauge("nimbus_sse_clients", "Clients that watch events.");
  metrics.declare_gauge("nimbus_data_folder_older",
                        "1: the data folder was found to be an older copy at the last start.");
  metrics.declare_counter("nimbus_webhook_total", "Webhook deliveries, by webhook and result.");
  metrics.declare_gauge("nimbus_registry_problems", "Problems in the newest commit seen.");
  metrics.declare_gauge("nimbus_status_waiting", "Status documents that wait for the next push.");
  metrics.declare_gauge("nimbus_term", "The term that this controller holds; 0 while it holds none.");
}

void meter_pass(base::Metrics& metrics, const MachineReport& report, std::chrono::milliseconds duration) {
  metrics.count("nimbus_reconcile_total", {{"result", result_of(report)}});
  metrics.observe_seconds("nimbus_reconcile_duration_seconds", {}, std::chrono::duration<double>(duration).count());
  if (report.sent) {
    metrics.count("nimbus_device_writes_total", {{"action", std::string(to_string(*report.sent))}});
  }
}

void meter_batch(base::Metrics& metrics, const std::string& driver, const std::vector<Result<PowerState>>& states,
                 double seconds) {
  std::map<std::string_view, double> outcomes;
  for (const auto& state : states) outcomes[state ? std::string_view("ok") : to_string(state.error().code)] += 1;
  for (const auto& [code, times] : outcomes) {
    metrics.count("nimbus_bmc_requests_total", {{"driver", driver}, {"code", std::string(code)}}, times);
  }
  metrics.observe_seconds("nimbus_bmc_request_duration_seconds", {{"driver", driver}}, seconds);
}

void meter_bmc(base::Metrics& metrics, const std::string& driver, std::string_view code, double seconds) {
  metrics.count("nimbus_bmc_requests_total", {{"driver", driver}, {"code", std::string(code)}});
  metrics.observe_seconds("nimbus_bmc_request_duration_seconds", {{"driver", driver}}, seconds);
}

void ProcessMeter::refresh(base::Metrics& metrics) {
  const auto use = base::process_use();
  if (!use) return;
  const std::lock_guard lock(mutex_);
  metrics.count("process_cpu_seconds_total", {}, std::max(0.0, use->cpu_seconds - counted_));
  counted_ = std::max(counted_, use->cpu_seconds);
  metrics.set("process_start_time_seconds", {}, use->start_time_seconds);
  metrics.set("process_resident_memory_bytes", {}, static_cast<double>(use->resident_bytes));
  metrics.set("process_virtual_memory_bytes", {}, static_cast<double>(use->virtual_bytes));
  metrics.set("process_threads", {}, static_cast<double>(use->threads));
  metrics.set("process_open_fds", {}, static_cast<double>(use->open_descriptors));
  metrics.set("process_max_fds", {}, static_cast<double>(use->most_descriptors));
}

void meter_exchange(base::Metrics& metrics, const char* operation, bool worked, WallTime now) {
  metrics.count(fmt::format("nimbus_git_{}_total", operation), {{"result", worked ? "success" : "error"}});
  if (!worked) return;
  const auto seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  metrics.set("nimbus_git_last_success_timestamp_seconds", {{"operation", operation}}, seconds);
}

void set_gauges(base::Metrics& metrics, const ControllerGauges& gauges) {
  const auto set = [&](const char* name, double value) { metrics.set(name, {}, value); };
  const auto machines = [&](const char* state, std::size_t count) {
    metrics.set("nimbus_machines", {{"state", state}}, static_cast<double>(count));
  };
  machines("known", gauges.fleet.machines);
  machines("stalled", gauges.fleet.stalled);
  machines("unreachable", gauges.fleet.unreachable);
  machines("on", gauges.fleet.on);
  machines("off", gauges.fleet.off);
  set("nimbus_workqueue_depth", static_cast<double>(gauges.queue.queued));
  set("nimbus_workqueue_running", static_cast<double>(gauges.queue.running));
  set("nimbus_workqueue_oldest_wait_seconds", std::chrono::duration<double>(gauges.oldest_wait).count());
  set("nimbus_registry_problems", static_cast<double>(gauges.problems));
  set("nimbus_status_waiting", static_cast<double>(gauges.status_waiting));
  set("nimbus_term",
      gauges.authority.state == Authority::State::Held ? static_cast<double>(gauges.authority.term) : 0.0);
}

}  // namespace nimbus::controller
