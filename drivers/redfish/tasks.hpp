// Tasks (DSP0266, 12.2): what became of a write that was answered 202.
//
// A task is looked at once, never waited for: the state of the machine is read back
// anyway, and a BMC may forget a task at any time. Gone is not done.
// Thread rule: as Machine.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

enum class TaskPhase : std::uint8_t {
  Done,
  Failed,
  Running,
  Gone,  // forgotten by the BMC, or it never said where to look
};

struct TaskReport {
  TaskPhase phase = TaskPhase::Gone;
  std::string message;  // of a failure: the BMC's words, one printable line
};

/// Pure (DSP2046, Task). Words that are not known count as running: only the machine tells.
TaskReport read_task(const base::Json& json);

/// The task of an answer 202, by its Location, else by its body. Errors: those of
/// reading, other than that it is not there.
Result<TaskReport> look_at_task(Machine& machine, const base::ClientResponse& accepted, const Call& call);

/// What became of a write that was answered with success. `shows` reads the resource and
/// says whether it shows what was wanted; that alone makes it Accepted. Not shown: Unknown
/// while a task runs or is gone, and where it could not be read. Errors: Invalid (the task
/// failed), Unsupported (said yes and shows no `what`), those of look_at_task().
Result<WriteOutcome> outcome_of_write(Machine& machine, const base::ClientResponse& accepted, std::string_view what,
                                      const std::function<Result<bool>()>& shows, const Call& call);

}  // namespace nimbus::redfish
