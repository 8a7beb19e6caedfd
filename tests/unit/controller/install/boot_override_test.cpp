// What the machine boots from: armed right before it is switched on, and again where the
// BMC forgets.
#include <doctest/doctest.h>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

TEST_CASE("an override that does not read back is armed again, and nothing is switched on before it does") {
  Story story;
  story.world.arm_fails = 3;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.arm_fails == 0; }));
  CHECK(story.world.power_writes == 0);
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.arms == 1);
  CHECK(story.world.written_nonces.size() == 1);
}

TEST_CASE("a BMC that forgets the override when it switches on is told again then, from the second attempt on") {
  Story story;
  story.world.forgets_at_power_on = true;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }, 600));
  CHECK(story.world.arms == 3);  // before each power-on, and once after the second
  CHECK(story.world.installs == 1);
  CHECK(story.world.written_nonces.size() == 1);
}

TEST_CASE("the first attempt arms once: what keeps the override is not sent to the network a second time") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.arms == 1);
}
