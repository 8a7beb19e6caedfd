#include <doctest/doctest.h>

#include "base/time/time.hpp"
#include "base/time/time_zone.hpp"
#include "controller/guard/budget.hpp"
#include "controller/guard/window.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {

WallTime at(const char* text) { return base::from_rfc3339(text).value(); }

std::optional<std::chrono::seconds> zone(const std::string& name, WallTime when) {
  auto loaded = base::TimeZone::load(name);
  if (!loaded) return std::nullopt;
  return loaded->offset_at(when);
}

const Window kWeekend{.days = {"sat", "sun"}, .from = "22:00", .to = "06:00", .timezone = "Europe/Berlin"};

}  // namespace

TEST_CASE("window: over midnight it belongs to the day of its begin, by the clock there") {
  // 2026-11-21 is a Saturday; Berlin is one hour ahead of UTC then.
  CHECK_FALSE(is_open(kWeekend, at("2026-11-21T20:59:59Z"), zone));
  CHECK(is_open(kWeekend, at("2026-11-21T21:00:00Z"), zone));
  CHECK(is_open(kWeekend, at("2026-11-22T04:59:59Z"), zone));
  CHECK_FALSE(is_open(kWeekend, at("2026-11-22T05:00:00Z"), zone));
  CHECK(is_open(kWeekend, at("2026-11-23T04:00:00Z"), zone));        // began on Sunday
  CHECK_FALSE(is_open(kWeekend, at("2026-11-21T04:00:00Z"), zone));  // would have begun on Friday
  // In summer it is two hours ahead: 2026-07-18 is a Saturday.
  CHECK(is_open(kWeekend, at("2026-07-18T20:00:00Z"), zone));
  CHECK_FALSE(is_open(kWeekend, at("2026-07-18T19:59:00Z"), zone));
}

TEST_CASE("window: within a day, every day, unknown zone, nonsense") {
  const Window noon{.days = {}, .from = "12:00", .to = "13:00", .timezone = "Etc/UTC"};
  CHECK(is_open(noon, at("2026-11-24T12:00:00Z"), zone));
  CHECK_FALSE(is_open(noon, at("2026-11-24T13:00:00Z"), zone));
  Window odd = noon;
  odd.timezone = "Mars/Olympus";
  CHECK_FALSE(is_open(odd, at("2026-11-24T12:00:00Z"), zone));
  odd = noon;
  odd.from = "1a:00";
  CHECK_FALSE(is_open(odd, at("2026-11-24T12:00:00Z"), zone));
}

TEST_CASE("window: every policy in force and the instance have their say") {
  const Window noon{.days = {}, .from = "12:00", .to = "13:00", .timezone = "Etc/UTC"};
  Policy policy;
  policy.limits.resize(2);
  const auto now = at("2026-11-24T12:30:00Z");
  CHECK(closed(policy, {}, now, zone).empty());
  policy.limits[0].windows = {noon};
  CHECK(closed(policy, {noon}, now, zone).empty());
  policy.limits[1].windows = {kWeekend};
  CHECK(closed(policy, {noon}, now, zone).find("policy") != std::string::npos);
  policy.limits[1].windows.clear();
  CHECK(closed(policy, {kWeekend}, now, zone).find("instance") != std::string::npos);
}

TEST_CASE("power-ons per minute: the rest is told when to ask again, a restart begins no new minute") {
  PowerOnPace pace;
  const WallTime start = at("2026-11-24T12:00:00Z");
  pace.recall({start - 59s, start - 61s});
  CHECK(!pace.take(2, start));
  CHECK(pace.take(2, start) == start + 1s);
  CHECK(!pace.take(2, start + 1s));
  CHECK(pace.take(2, start + 1s) == start + 60s);
  CHECK(!pace.take(std::nullopt, start + 1s));
  PowerOnPace jumped;
  jumped.recall({start + 1h});  // the clock went back
  CHECK(!jumped.take(1, start));
}

TEST_CASE("reboots at the same time") {
  RebootBudget budget;
  CHECK(budget.begin("m1", 1));
  CHECK(budget.begin("m1", 1));
  CHECK_FALSE(budget.begin("m2", 1));
  budget.end("m1");
  CHECK(budget.begin("m2", 1));
  CHECK(budget.begin("m3", std::nullopt));
  Policy policy;
  CHECK(!most_rebooting(policy));
  policy.limits.resize(2);
  policy.limits[0].disruption.machines_rebooting = 5;
  policy.limits[1].disruption.machines_rebooting = 3;
  policy.disruption.machines_rebooting = 4;
  CHECK(most_rebooting(policy) == 3);
}

TEST_CASE("time zone: what is none is an error") {
  CHECK(base::TimeZone::load("../../etc/passwd").error().code == Code::Invalid);
  CHECK(base::TimeZone::load("Europe/Nowhere").error().code == Code::NotFound);
  CHECK(base::TimeZone::parse("TZif2").error().code == Code::Corrupt);
  CHECK(base::TimeZone::parse(std::string(1000, 'x')).error().code == Code::Corrupt);
}
