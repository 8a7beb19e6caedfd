// PATCH with If-Match, as BMCs want it and not as the standard says (DSP0266, 8.2).
//
// Order on 412: the ETag as it was given; if weak, in its strong form; then, if the
// resource was not changed meanwhile, without. 428 without an ETag at hand: "*". Which
// step worked is learnt, and the next PATCH begins there.
// Thread rule: as Machine.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

struct Patch {
  std::string link;
  std::string etag;  // of the resource that is patched; empty: none was given
  std::string body;
};

/// Nothing comes back if nobody knows what became of it. `unchanged` reads the resource
/// again and says whether it is as it was when the change was decided. Errors: Conflict
/// (somebody else changes it; the session was lost), those of reading.
Result<std::optional<base::ClientResponse>> patch_resource(Machine& machine, Patch patch,
                                                           const std::function<Result<bool>()>& unchanged,
                                                           const Call& call);

/// The ETag header of an answer; "" for none, for an empty one, which only causes 412
/// when it is echoed, and for one that is too long.
std::string etag_of(const base::ClientResponse& response);

}  // namespace nimbus::redfish
