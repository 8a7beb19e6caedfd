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

std::vector<Vitals::Due> machines(milliseconds waited) {
  return {{.work = Vitals::Work::Machines, .longest = waited, .step_limit = kPass}};
}

}  // namespace

TEST_CASE("who promised nothing does not stand still") {
  const Vitals vitals(kStart);
  CHECK(vitals.standstill(kStart + seconds(100'000), machines(kNobodyWaits)).empty());
}

TEST_CASE("a broken promise is a standstill, after some grace") {
  for (const auto part : {Vitals::Part::Watch, Vitals::Part::Publish}) {
    Vitals vitals(kStart);
    vitals.back_by(part, kStart + seconds(10));
    CHECK(vitals.standstill(kStart + seconds(10) + Vitals::kGrace, {}).empty());
    CHECK_FALSE(vitals.standstill(kStart + seconds(11) + Vitals::kGrace, {}).empty());
    vitals.back_by(part, kStart + seconds(200));
    CHECK(vitals.standstill(kStart + seconds(11) + Vitals::kGrace, {}).empty());
    vitals.over(part);
    CHECK(vitals.standstill(kStart + seconds(10'000), {}).empty());
  }
}

TEST_CASE("workers stand still if machines wait and no pass ends") {
  Vitals vitals(kStart);
  const auto limit = 2 * kPass + Vitals::kGrace;
  const auto late = kStart + limit + seconds(1);
  CHECK(vitals.standstill(late, machines(kNobodyWaits)).empty());  // there is nothing to do
  CHECK(vitals.standstill(late, machines(limit)).empty());         // it has just become due
  CHECK_FALSE(vitals.standstill(late, machines(limit + seconds(1))).empty());
  vitals.step_ended(Vitals::Work::Machines, late);  // some workers get on: slow, not stuck
  CHECK(vitals.standstill(late, machines(limit + seconds(1))).empty());
}

TEST_CASE("workers of hosts stand still by themselves, whatever those of machines do") {
  Vitals vitals(kStart);
  const auto limit = 2 * kPass + Vitals::kGrace;
  const auto late = kStart + limit + seconds(1);
  const std::vector<Vitals::Due> both = {
      {.work = Vitals::Work::Machines, .longest = limit + seconds(1), .step_limit = kPass},
      {.work = Vitals::Work::Hosts, .longest = limit + seconds(1), .step_limit = kPass}};
  vitals.step_ended(Vitals::Work::Machines, late);
  CHECK(vitals.standstill(late, both).find("no host") != std::string::npos);
  vitals.step_ended(Vitals::Work::Hosts, late);
  CHECK(vitals.standstill(late, both).empty());
}
