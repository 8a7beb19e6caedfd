// Where the installer fetches an image from: what the plan says, and nothing that is the
// machine itself, its neighbours on the provisioning network, or a BMC; the cache, which is
// such a neighbour, at its own address only.
//
// Pure. Thread rule: the rules are used by one thread.
#pragma once

#include "base/plain_http/client.hpp"
#include "boot/protocol/plan.hpp"

namespace nimbus::installer {

/// Of the plan's cache, or of one of its sources. Errors of the rules: Untrusted.
base::SourceRules source_rules(const boot::InstallPlan& plan, const std::string& url);

}  // namespace nimbus::installer
