// TaskService and its tasks (DSP2046, Task), and their monitors (DSP0266, Asynchronous operations).
#include <fmt/format.h>

#include "base/time/time.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr std::string_view kTasks = "/redfish/v1/TaskService/Tasks";

std::optional<Json> task_service(Call& call) {
  Json out = document("/redfish/v1/TaskService", "#TaskService.v1_2_0.TaskService", "TaskService", "Task Service");
  out.set("DateTime", base::to_rfc3339(call.machine.bmc_time()));
  out.set("CompletedTaskOverWritePolicy", "Oldest");
  out.set("LifeCycleEventOnTaskStateChange", false);
  out.set("ServiceEnabled", true);
  out.set("Tasks", link(kTasks));
  out.set("Status", status_ok());
  return out;
}

std::optional<Json> task_list(Call& call) {
  std::vector<std::string> members;
  for (const auto& task : call.service.tasks) members.push_back(fmt::format("{}/{}", kTasks, task.id));
  return collection(kTasks, "#TaskCollection.TaskCollection", "Task Collection", members);
}

std::string path_of(const Task& task) { return fmt::format("{}/{}", kTasks, task.id); }

const Task* asked_for(const Call& call) {
  for (const auto& task : call.service.tasks) {
    if (task.id == call.ids[0]) return &task;
  }
  return nullptr;
}

std::optional<Json> one_task(Call& call) {
  const Task* const task = asked_for(call);
  if (task == nullptr) return std::nullopt;
  const bool done = call.machine.now() >= task->ends;
  Json out = document(path_of(*task), "#Task.v1_7_3.Task", task->id, task->name);
  out.set("TaskState", !done ? "Running" : task->failed ? "Exception" : "Completed");
  out.set("TaskStatus", task->failed && done ? "Critical" : "OK");
  out.set("TaskMonitor", path_of(*task) + "/Monitor");
  out.set("PercentComplete", done ? 100 : 50);
  out.set("StartTime", base::to_rfc3339(task->started));
  if (done && !task->failed && !task->created.empty())
    out.set("Links", Json::object({{"CreatedResources@odata.count", 1}, {"CreatedResources", links({task->created})}}));
  return out;
}

/// 202 while the task runs; then what the operation itself would have answered.
Response monitor(Call& call) {
  const Task* const task = asked_for(call);
  if (task == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  if (call.machine.now() < task->ends) return task_started(call, *task);
  if (task->failed) return call.refuse(500, "InternalError");
  if (task->created.empty()) return no_content();
  return {.status = 201, .headers = {{"OData-Version", "4.0"}, {"Location", task->created}}, .body = {}};
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/TaskService", task_service},
    {"/redfish/v1/TaskService/Tasks", task_list},
    {"/redfish/v1/TaskService/Tasks/{}", one_task},
    {.pattern = "/redfish/v1/TaskService/Tasks/{}/Monitor", .look = monitor},
};

}  // namespace

Response task_started(const Call& call, const Task& task) {
  const std::string path = path_of(task);
  Json body = document(path, "#Task.v1_7_3.Task", task.id, task.name);
  body.set("TaskState", "Running");
  body.set("TaskMonitor", path + "/Monitor");
  body.set("StartTime", base::to_rfc3339(task.started));
  return {.status = 202,
          .headers = {{"Content-Type", "application/json"},
                      {"OData-Version", "4.0"},
                      {"Location", path + "/Monitor"},
                      {"Retry-After", "1"}},
          .body = text_of(call.quirks(), body)};
}

std::span<const Route> task_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
