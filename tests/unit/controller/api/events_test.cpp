#include <doctest/doctest.h>

#include "api_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using base::Json;
using nimbus::testing::ApiFixture;

namespace {

Json said(int number) { return Json::object({{"headline", "event " + std::to_string(number)}}); }

}  // namespace

TEST_CASE_FIXTURE(ApiFixture, "events: pages go on where the last one ended") {
  for (int i = 1; i <= 5; ++i) events.publish("machine", i % 2 == 0 ? "m2" : "m1", said(i));
  const auto first = events.after("", "", 2);
  REQUIRE(first.has_value());
  CHECK(first->events.size() == 2);
  const auto second = events.after(first->next, "", 10);
  CHECK(second->events.size() == 3);
  CHECK(second->events.at(0)["headline"].as_string() == "event 3");
  CHECK(events.after(second->next, "", 10)->events.empty());
  CHECK(events.after("", "m2", 10)->events.size() == 2);
  for (const char* bad : {"x", "1", "-", "1-x", "-1", "99-"}) {
    CAPTURE(bad);
    CHECK_FALSE(events.after(bad, "", 1).has_value());
  }
}

TEST_CASE_FIXTURE(ApiFixture, "events: of an earlier process, or too old: begin anew") {
  events.publish("machine", "m1", said(0));
  CHECK(events.after("12345-1", "", 10)->reset);
  const std::string old = events.after("", "", 1)->next;
  for (std::size_t i = 0; i < EventLog::kKept + 1; ++i) events.publish("machine", "m1", said(1));
  CHECK(events.after(old, "", 10)->reset);
  CHECK_FALSE(events.after("", "", 10)->reset);
}

TEST_CASE_FIXTURE(ApiFixture, "events: only what is new is told") {
  accept({"m1"});
  const std::string start = events.after("", "", 100)->next;
  board.seen(facts("m1"));
  board.seen(facts("m1"));
  auto off = facts("m1", PowerState::Off);
  board.seen(off);
  const auto page = events.after(start, "m1", 100);
  REQUIRE(page->events.size() == 2);
  CHECK(page->events.at(0)["headline"].as_string() == "enrolled");
  CHECK(page->events.at(1)["headline"].as_string() == "found off");
}
