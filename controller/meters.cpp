#include "controller/meters.hpp"

#include <array>
#include <string>

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
  metrics.declare_gauge("nimbus_data_folder_older", "1: the data folder was found to be an older copy at the last start.");
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
