// Hints of a BMC that something changed: a reason to look now rather than at the next
// poll. Never truth: what they say is not read, they may be lost, late, repeated or
// invented. Thread rule and common errors: core/ports/bmc.hpp.
#pragma once

#include <functional>

#include "core/call.hpp"
#include "core/result.hpp"

namespace nimbus {

class BmcHints {
 public:
  virtual ~BmcHints() = default;
  /// Whether the BMC offers hints. Errors: Unsupported.
  virtual Result<> offered(const Call& call) = 0;
  /// Sees to it that hints come: to be called now and then, costs nothing while they do
  /// or while it is too early to try again. A few reads at most; it waits for nothing
  /// else. The first `hint` that was given is called, from a thread of the driver, until
  /// the Bmc is closed or destroyed; it must be quick and may not use the Bmc.
  /// Errors: why there are none.
  virtual Result<> listen(std::function<void()> hint, const Call& call) = 0;
};

}  // namespace nimbus
