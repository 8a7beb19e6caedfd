// Maintenance windows: may something disruptive start now? Pure; the offset of time
// zones is asked for, because they are files of the system.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/guard/policy.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

/// Local time minus UTC in a zone of the IANA database; nothing: no such zone.
using ZoneOffset = std::function<std::optional<std::chrono::seconds>(const std::string& zone, WallTime at)>;

/// Whether `now` lies in the window: it begins on one of its days at `from` and ends at
/// the next `to`, by the clock on the wall there. Of an unknown zone: never.
bool is_open(const Window& window, WallTime now, const ZoneOffset& zones);

/// Whether one of them is open, or there is none.
bool any_open(const std::vector<Window>& windows, WallTime now, const ZoneOffset& zones);

/// Why something disruptive may not start now; empty: it may. Every policy in force
/// has its say, and so has the instance on the machine.
std::string closed(const Policy& policy, const std::vector<Window>& instance, WallTime now, const ZoneOffset& zones);

}  // namespace nimbus::controller
