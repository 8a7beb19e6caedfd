// What status says of an instance's host, from what the last pass found. Pure.
//
// Only what has a meaning for people changes it: no measurement, no "looked at again". It
// never holds the content of a file.
#pragma once

#include <optional>
#include <string>

#include "controller/configure/report.hpp"
#include "controller/configure/target.hpp"
#include "core/time.hpp"
#include "registry/status/instance_status.hpp"

namespace nimbus::controller {

/// The part of an instance's document that is about its host.
struct HostPart {
  registry::Conditions conditions;
  registry::ConfigurationRecord record;
  bool correcting = false;  // for the phase
  friend bool operator==(const HostPart&, const HostPart&) = default;
};

HostPart describe_host(const HostTarget& target, const HostReport& report, const std::optional<HostPart>& before,
                       WallTime now);

/// Nothing is configured there any more. `error`: why our access is not taken away yet; empty: it is.
HostPart describe_dropped(const std::optional<HostPart>& before, const std::string& error, WallTime now);

/// An instance that runs without us having installed it: its document but for the host's part.
registry::InstanceStatus describe_adopted(const HostTarget& target);

/// What happened between two parts, for a commit's subject; empty if nothing worth a word.
std::string headline(const std::optional<HostPart>& before, const HostPart& after);

}  // namespace nimbus::controller
