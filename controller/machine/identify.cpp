#include "controller/machine/identify.hpp"

#include <utility>

namespace nimbus::controller {

IdentityMatch identify(Bmc& bmc, const Identity& declared, Freshness freshness, IdentityMemory& memory,
                       const Call& call) {
  BmcIdentity* const aspect = bmc.identity();
  if (aspect == nullptr) return {IdentityMatch::Verdict::Unreadable, "this driver cannot read an identity"};
  if (freshness == Freshness::Now || !memory.identity || memory.session != aspect->session()) {
    memory.identity.reset();
    auto identity = aspect->identity(call);
    if (!identity) return {IdentityMatch::Verdict::Unreadable, "identity: " + identity.error().text()};
    memory.session = aspect->session();
    memory.identity = std::move(*identity);
  }
  return match_identity(declared, *memory.identity);
}

}  // namespace nimbus::controller
