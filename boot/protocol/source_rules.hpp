// Where an image may be fetched from, by whoever fetches it: from places that are allowed,
// and from nothing that is the fetching machine itself, on a provisioning network, or a BMC.
//
// Pure. Errors of the rules: Untrusted. Thread rule: plain values.
#pragma once

#include <string>
#include <vector>

#include "base/plain_http/client.hpp"

namespace nimbus::boot {

/// `sources`: beginnings of URLs; `never`: networks, "10.20.0.0/24". One that cannot be
/// read allows nothing.
base::SourceRules source_rules(std::vector<std::string> sources, const std::vector<std::string>& never);

}  // namespace nimbus::boot
