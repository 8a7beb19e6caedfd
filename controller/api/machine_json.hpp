// Values of the controller as JSON, in the shape that docs/reference/openapi.json
// describes. Pure.
#pragma once

#include "base/json/json.hpp"
#include "controller/api/live_board.hpp"
#include "controller/holds/holds.hpp"
#include "controller/machine/run.hpp"

namespace nimbus::controller {

/// A line of a list: name, health, power, since.
base::Json machine_summary_json(const LiveBoard::Entry& entry);
/// Everything known of a machine, with the explanation.
base::Json machine_json(const LiveBoard::Entry& entry);
base::Json run_json(const Run& run);
base::Json hold_json(const LocalHold& hold);
/// RFC 3339, or null.
base::Json time_json(const std::optional<WallTime>& time);

}  // namespace nimbus::controller
