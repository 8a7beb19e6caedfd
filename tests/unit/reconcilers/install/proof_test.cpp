#include <doctest/doctest.h>

#include "reconcilers/install/proof.hpp"

using namespace nimbus;
using namespace nimbus::reconcilers;

// The law again, in other words than the code: a list of what must hold for each proof.
TEST_CASE("every combination: no proof without all that it needs") {
  using Verdict = IdentityMatch::Verdict;
  int proven = 0;
  int refused = 0;
  for (const auto reason : {WriteReason::Install, WriteReason::Reinstall, WriteReason::Release}) {
    for (const auto identity : {Verdict::Matches, Verdict::Differs, Verdict::Unreadable}) {
      for (unsigned bits = 0; bits < 128; ++bits) {
        const auto bit = [&](unsigned n) { return ((bits >> n) & 1U) != 0; };
        const ProofInput in{.reason = reason,
                            .identity = identity,
                            .intent_pushed = bit(0),
                            .claim_is_ours = bit(1),
                            .erase_record = bit(2),
                            .owner_consents = bit(3),
                            .installed_here = bit(4),
                            .installed_other = bit(5),
                            .journal_contradicts = bit(6)};
        CAPTURE(bits);
        const auto verdict = judge_write(in);
        const bool always = identity == Verdict::Matches && in.intent_pushed && in.claim_is_ours &&
                            !in.journal_contradicts && !in.installed_other;
        auto expected = WriteProof::None;
        if (always && reason == WriteReason::Reinstall && in.installed_here) expected = WriteProof::SameInstance;
        if (always && reason == WriteReason::Release && in.installed_here) expected = WriteProof::Release;
        if (always && reason == WriteReason::Install && !in.installed_here) {
          if (in.owner_consents) expected = WriteProof::OwnerConsents;
          if (in.erase_record) expected = WriteProof::ErasedByUs;
        }
        CHECK(verdict.proof == expected);
        CHECK(verdict.missing.empty() == (expected != WriteProof::None));
        ++(expected == WriteProof::None ? refused : proven);
      }
    }
  }
  CHECK(proven == 3 + 2 * 4);
  CHECK(refused == 3 * 3 * 128 - proven);
}
