#include "controller/work/vitals.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using controller::Vitals;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const MonoTime kStart{seconds(1000)};
constexpr milliseconds kPass{30'000};
constexpr milliseconds kNobodyWaits{0};

}  // namespace

TEST_CASE("who promised nothing does not stand still") {
  const Vitals vitals(kStart);
  CHECK(vitals.standstill(kStart + seconds(100'000), kNobodyWaits, kPass).empty());
}

TEST_CASE("a broken promise is a standstill, after some grace") {
  for (const auto part : {Vitals::Part::Watch, Vitals::Part::Publish}) {
    Vitals vitals(kStart);
    vitals.back_by(part, kStart + seconds(10));
    CHECK(vitals.standstill(kStart + seconds(10) + Vitals::kGrace, kNobodyWaits, kPass).empty());
    CHECK_FALSE(vitals.standstill(kStart + seconds(11) + Vitals::kGrace, kNobodyWaits, kPass).empty());
    vitals.back_by(part, kStart + seconds(200));
    CHECK(vitals.standstill(kStart + seconds(11) + Vitals::kGrace, kNobodyWaits, kPass).empty());
    vitals.over(part);
    CHECK(vitals.standstill(kStart + seconds(10'000), kNobodyWaits, kPass).empty());
  }
}

TEST_CASE("workers stand still if machines wait and no pass ends") {
  Vitals vitals(kStart);
  const auto limit = 2 * kPass + Vitals::kGrace;
  const auto late = kStart + limit + seconds(1);
  CHECK(vitals.standstill(late, kNobodyWaits, kPass).empty());  // there is nothing to do
  CHECK(vitals.standstill(late, limit, kPass).empty());         // it has just become due
  CHECK_FALSE(vitals.standstill(late, limit + seconds(1), kPass).empty());
  vitals.pass_ended(late);  // some workers get on: slow, not stuck
  CHECK(vitals.standstill(late, limit + seconds(1), kPass).empty());
}
