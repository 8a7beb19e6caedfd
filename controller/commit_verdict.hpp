// What the forge's page says beside a registry commit.
#pragma once

#include "controller/fleet/accepted.hpp"
#include "controller/forge/commit_status.hpp"

namespace nimbus::controller {

CommitStatus commit_status(const AcceptedRegistry& registry);

}  // namespace nimbus::controller
