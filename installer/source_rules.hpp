// Where the installer fetches an image from: what the plan says, and nothing that is the
// machine itself, its neighbours on the provisioning network, or a BMC.
//
// Pure. Thread rule: the rules are used by one thread.
#pragma once

#include "base/plain_http/client.hpp"
#include "boot/protocol/plan.hpp"

namespace nimbus::installer {

/// Errors of the rules: Untrusted.
base::SourceRules source_rules(const boot::InstallPlan& plan);

}  // namespace nimbus::installer
