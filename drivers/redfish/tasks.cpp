#include "drivers/redfish/tasks.hpp"

#include <algorithm>

#include "base/text/text.hpp"
#include "drivers/redfish/error_body.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string worst_message(const Json& json) {
  constexpr std::size_t kMostShown = 300;
  for (const std::string_view severity : {"Critical", "Warning", ""}) {
    for (const auto& message : json["Messages"].items()) {
      std::string rank = text_of(message["MessageSeverity"]);
      if (rank.empty()) rank = text_of(message["Severity"]);
      std::string text = text_of(message["Message"]);
      if (text.empty()) text = text_of(message["MessageId"]);
      if (!text.empty() && (severity.empty() || rank == severity)) return base::printable(text, kMostShown);
    }
  }
  return "";
}

}  // namespace

TaskReport read_task(const Json& json) {
  const std::string state = text_of(json["TaskState"]);
  const std::string status = text_of(json["TaskStatus"]);
  TaskReport out{.phase = TaskPhase::Running, .message = worst_message(json)};
  if (is_one_of(state, {"Exception", "Killed", "Cancelled", "Interrupted"})) {
    out.phase = TaskPhase::Failed;
  } else if (state == "Completed") {
    // "Completed with errors" shows in the status alone.
    out.phase = status == "Critical" ? TaskPhase::Failed : TaskPhase::Done;
  }
  return out;
}

Result<TaskReport> look_at_task(Machine& machine, const base::ClientResponse& accepted, const Call& call) {
  std::string link(accepted.header("Location").value_or(""));
  if (const auto body = parse_document(accepted.body)) {
    const TaskReport told = read_task(*body);
    if (told.phase != TaskPhase::Running) return told;
    if (link.empty()) link = read_own_link(*body);
  }
  if (link.empty()) return TaskReport{};
  const auto answer = machine.session().get(link, call);
  if (!answer) {
    const Code code = answer.error().code;
    if (code == Code::NotFound || code == Code::Corrupt || code == Code::Busy) return TaskReport{};
    // A monitor answers as the operation itself would have: a refusal is its failure.
    if (code == Code::Invalid || code == Code::Unsupported || code == Code::Conflict)
      return TaskReport{.phase = TaskPhase::Failed, .message = answer.error().message};
    return answer.error();
  }
  const auto json = parse_document(answer->body);
  if (!json || json->find("TaskState") == nullptr) {
    // 202: the monitor says that it goes on; any other success is the operation's own.
    return TaskReport{.phase = answer->status == 202 ? TaskPhase::Running : TaskPhase::Done, .message = {}};
  }
  return read_task(*json);
}

Result<WriteOutcome> outcome_of_write(Machine& machine, const base::ClientResponse& accepted, std::string_view what,
                                      const std::function<Result<bool>()>& shows, const Call& call) {
  auto task = TaskReport{.phase = TaskPhase::Done, .message = {}};
  if (accepted.status == 202) {
    auto looked = look_at_task(machine, accepted, call);
    if (!looked) return std::move(looked.error());
    task = std::move(*looked);
    if (task.phase == TaskPhase::Failed) return Error{Code::Invalid, "the BMC's task failed: " + task.message};
  }
  const auto shown = shows();
  if (!shown) return WriteOutcome::Unknown;
  if (*shown) return WriteOutcome::Accepted;
  if (task.phase != TaskPhase::Done) return WriteOutcome::Unknown;
  return Error{Code::Unsupported, "the BMC accepted " + std::string(what) + " and does not show it"};
}

}  // namespace nimbus::redfish
