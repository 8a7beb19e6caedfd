#include "core/identity.hpp"

#include <doctest/doctest.h>

using nimbus::Identity;
using nimbus::IdentityMatch;
using nimbus::match_identity;
using Verdict = nimbus::IdentityMatch::Verdict;

TEST_CASE("identity: one declared value read back and none different is a match") {
  CHECK(match_identity({.serial = "CZ3A1B2"}, {.serial = "CZ3A1B2"}).verdict == Verdict::Matches);
  CHECK(match_identity({.serial = "CZ3A1B2"}, {.serial = " CZ3A1B2 "}).verdict == Verdict::Matches);
  CHECK(match_identity({.serial = "CZ3A1B2", .uuid = "4C4C4544-0033-4110-8041-B7C04F314232"},
                       {.uuid = "4c4c4544-0033-4110-8041-b7c04f314232"})
            .verdict == Verdict::Matches);
}

TEST_CASE("identity: any difference wins over any agreement") {
  const auto match = match_identity({.serial = "A1", .uuid = "4c4c4544-0033-4110-8041-b7c04f314232"},
                                    {.serial = "A2", .uuid = "4c4c4544-0033-4110-8041-b7c04f314232"});
  CHECK(match.verdict == Verdict::Differs);
  CHECK(match.reason.find("\"A2\"") != std::string::npos);
}

TEST_CASE("identity: what cannot be read, and placeholders, prove nothing") {
  CHECK(match_identity({.serial = "A1"}, {}).verdict == Verdict::Unreadable);
  CHECK(match_identity({.serial = "A1"}, {.uuid = "4c4c4544-0033-4110-8041-b7c04f314232"}).verdict ==
        Verdict::Unreadable);
  CHECK(match_identity({.serial = "0123456789"}, {.serial = "0123456789"}).verdict == Verdict::Unreadable);
  CHECK(match_identity({.serial = "To Be Filled By O.E.M."}, {.serial = "To be filled by O.E.M."}).verdict ==
        Verdict::Unreadable);
  CHECK(
      match_identity({.uuid = "00000000-0000-0000-0000-000000000000"}, {.uuid = "00000000-0000-0000-0000-000000000000"})
          .verdict == Verdict::Unreadable);
  CHECK(match_identity({}, {.serial = "A1"}).verdict == Verdict::Unreadable);
}
