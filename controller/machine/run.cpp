#include "controller/machine/run.hpp"

namespace nimbus::controller {

std::string_view to_string(RunOutcome outcome) noexcept {
  switch (outcome) {
    case RunOutcome::Pending:
      return "pending";
    case RunOutcome::Done:
      return "done";
    case RunOutcome::Failed:
      return "failed";
    case RunOutcome::Unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace nimbus::controller
