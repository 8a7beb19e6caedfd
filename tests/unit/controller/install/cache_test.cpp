// An install whose image comes through nimbus-boot's cache.
#include <doctest/doctest.h>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

TEST_CASE("nothing is done to a machine until its image is in the cache") {
  Story story;
  story.world.cache =
      boot::ImageAnswer{.stage = boot::ImageStage::Fetching, .url = {}, .done_bytes = 3 << 20, .message = {}};
  story.push({instance()});
  REQUIRE_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  const auto& text = story.world.forge.at("tenants/acme/instances/web-1.toml");
  CHECK(text.find("the image is being fetched, 3 MiB so far") != std::string::npos);
  const auto& order = story.world.ordered_images.at(0);
  CHECK(order.sha256 == std::string(64, 'a'));
  CHECK(order.urls == std::vector<std::string>{"http://images.test/a"});
  CHECK(order.sources == std::vector<std::string>{"http://images.test/"});
  CHECK(order.most_bytes > 1 << 30);
  CHECK(order.never == std::vector<std::string>{"10.0.0.0/24", "192.0.2.9/32"});

  story.world.cache =
      boot::ImageAnswer{.stage = boot::ImageStage::Failed, .url = {}, .message = "its SHA-256 is another"};
  REQUIRE_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml")
            .find("the image cannot be fetched: its SHA-256 is another") != std::string::npos);

  story.world.cache =
      boot::ImageAnswer{.stage = boot::ImageStage::Ready, .url = "http://10.0.0.1:8081/images/a", .message = {}};
  REQUIRE(story.until([&] { return story.runs(); }));
  REQUIRE(story.world.last_plan);
  CHECK(story.world.last_plan->image_cache == "http://10.0.0.1:8081/images/a");
  CHECK(story.world.last_plan->image_urls ==
        std::vector<std::string>{"http://images.test/a"});  // if the cache goes away
}

TEST_CASE(
    "an image that never comes is told as a failure after its deadline, asked for on, and the machine is free to "
    "leave") {
  Story story;
  story.world.cache = boot::ImageAnswer{
      .stage = boot::ImageStage::Failed, .url = {}, .message = "http://images.test/a: connection refused"};
  story.push({instance()});
  const auto told = [&] { return story.world.forge["tenants/acme/instances/web-1.toml"]; };
  REQUIRE(story.until([&] { return told().find("connection refused") != std::string::npos; }));
  CHECK(told().find("phase = \"failed\"") == std::string::npos);
  story.world.clock.advance(1h);
  story.start();  // a restart forgets nothing
  REQUIRE(story.until([&] { return told().find("phase = \"failed\"") != std::string::npos; }));
  CHECK(told().find("no image within image_deadline; it is tried on: the image cannot be fetched: "
                    "http://images.test/a: connection refused") != std::string::npos);
  CHECK(story.world.power_writes == 0);
  SUBCASE("it comes after all") {
    story.world.cache =
        boot::ImageAnswer{.stage = boot::ImageStage::Ready, .url = "http://10.0.0.1:8081/images/a", .message = {}};
    REQUIRE(story.until([&] { return story.runs(); }));
    CHECK(told().find("phase = \"running\"") != std::string::npos);
  }
  SUBCASE("the instance is given up") {
    story.push({});
    REQUIRE(story.until([&] { return story.world.run_order() == nullptr && story.world.orders.machines.empty(); }));
    CHECK(story.world.erases == 0);
    CHECK(story.world.power_writes == 0);
  }
}

TEST_CASE("the order of a run says which image it needs") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.run_order() != nullptr; }));
  CHECK(story.world.run_order()->image == std::string(64, 'a'));
}

TEST_CASE("without a cache the image comes straight from its sources") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.last_plan->image_cache.empty());
  CHECK(story.world.last_plan->image_never ==
        std::vector<std::string>{"10.0.0.0/24", "192.0.2.9/32"});  // the BMC is on no network
}
