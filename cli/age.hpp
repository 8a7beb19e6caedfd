#pragma once

#include <string>

#include "core/time.hpp"

namespace nimbus::cli {

/// "45s", "3m", "2h", "5d": how long ago `when` was, for people.
std::string age_text(WallTime when, WallTime now);

}  // namespace nimbus::cli
