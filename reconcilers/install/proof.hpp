// Proof before destruction: may what is on a machine's disks be destroyed? Pure, and
// the only place where this is decided; the installer checks the same again on the
// machine (installer/permit.hpp).
#pragma once

#include <cstdint>
#include <string>

#include "core/identity.hpp"

namespace nimbus::reconcilers {

enum class WriteProof : std::uint8_t { None, ErasedByUs, OwnerConsents, SameInstance, Release };

/// Why somebody wants to write.
enum class WriteReason : std::uint8_t {
  Install,    // an instance that was placed here
  Reinstall,  // the instance that is installed here asks for its own system disk again
  Release,    // the instance that was installed here is gone
};

struct ProofInput {
  WriteReason reason = WriteReason::Install;
  IdentityMatch::Verdict identity = IdentityMatch::Verdict::Unreadable;  // read back just now
  bool intent_pushed = false;        // claim, nonce and disk are on the status branch, acknowledged
  bool claim_is_ours = false;        // the claim there names the instance that asks
  bool erase_record = false;         // status: every disk erased and verified, at the level asked for
  bool owner_consents = false;       // existing_data = "erase"
  bool installed_here = false;       // status: an install of the instance that asks
  bool installed_other = false;      // status: an install of another instance, not erased since
  bool journal_contradicts = false;  // the journal knows of a write that status does not
};

struct ProofVerdict {
  WriteProof proof = WriteProof::None;
  std::string missing;  // a sentence for people; empty with a proof
};

ProofVerdict judge_write(const ProofInput& input);

}  // namespace nimbus::reconcilers
