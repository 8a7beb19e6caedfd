// A host as the API tells it: how it is, what is not as declared, what happens next. Never
// the content of a secret file; texts of others only as diffs. Pure.
#pragma once

#include "base/json/json.hpp"
#include "controller/configure/hosts.hpp"

namespace nimbus::controller {

base::Json host_json(const HostView& view);

}  // namespace nimbus::controller
