// A write to a device while the permission for it is good, and not a moment later: a
// process may be stopped between any two lines, in the middle of a driver too.
// Thread rule: none of its own; `write` and `again` are called on the caller's thread.
#pragma once

#include <optional>
#include <utility>

#include "controller/machine/guard.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

/// Longer than this no permission is believed, whatever the BMC takes to answer.
inline constexpr std::chrono::seconds kLongestPermission{30};

/// Runs `write(call)`; its requests leave while what was permitted at `permitted` lasts, or
/// not at all (Call::write_by). A BMC that answers too slowly for that gets four times as long, once
/// `again()` has asked the guard anew: it returns when it was, or nothing where it refused.
/// Errors: of `write`; Conflict where nothing was sent in time.
template <class Write, class Again>
auto write_while_permitted(const Clock& clock, Call call, MonoTime permitted, Write write, Again again)
    -> decltype(write(call)) {
  for (auto lasts = kPermissionLasts;; lasts *= 4) {
    call.write_by = permitted + lasts;
    auto outcome = write(std::as_const(call));
    const bool late = !outcome && outcome.error().code == Code::Conflict && clock.now() > call.write_by;
    if (!late || lasts * 4 > kLongestPermission) return outcome;
    const std::optional<MonoTime> anew = again();
    if (!anew) return outcome;
    permitted = *anew;
  }
}

}  // namespace nimbus::controller
