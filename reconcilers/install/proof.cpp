#include "reconcilers/install/proof.hpp"

namespace nimbus::reconcilers {
namespace {

ProofVerdict refuse(std::string why) { return {WriteProof::None, std::move(why)}; }

ProofVerdict judge_install(const ProofInput& input) {
  if (input.installed_here) return refuse("this instance is installed here already");
  // Nimbus's own record counts more than the owner's word about what was there before us.
  if (input.installed_other) return refuse("another instance is installed here and was not erased");
  if (input.erase_record) return {WriteProof::ErasedByUs, {}};
  if (input.owner_consents) return {WriteProof::OwnerConsents, {}};
  return refuse("Nimbus has not erased this machine, and its file does not say existing_data = \"erase\"");
}

}  // namespace

ProofVerdict judge_write(const ProofInput& input) {
  if (input.identity == IdentityMatch::Verdict::Differs) return refuse("another machine answers at this address");
  if (input.identity != IdentityMatch::Verdict::Matches) return refuse("who the machine is could not be read");
  if (!input.claim_is_ours) return refuse("the machine is not claimed for this instance");
  if (!input.intent_pushed) return refuse("the intent has not been pushed to the status branch");
  if (input.journal_contradicts) return refuse("the journal knows of a write that status does not show");
  switch (input.reason) {
    case WriteReason::Install:
      return judge_install(input);
    case WriteReason::Reinstall:
      if (input.installed_other) return refuse("another instance is installed here");
      if (!input.installed_here) return refuse("status does not show that this instance is installed here");
      return {WriteProof::SameInstance, {}};
    case WriteReason::Release:
      if (input.installed_other) return refuse("another instance is installed here");
      if (!input.installed_here) return refuse("status does not show that this instance was installed here");
      return {WriteProof::Release, {}};
  }
  return refuse("unknown reason");
}

}  // namespace nimbus::reconcilers
