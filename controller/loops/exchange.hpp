#pragma once

#include <functional>

namespace nimbus::controller {

/// Told after every exchange with the forge: "fetch" or "push", and whether it worked.
using ExchangeObserver = std::function<void(const char* operation, bool worked)>;

}  // namespace nimbus::controller
