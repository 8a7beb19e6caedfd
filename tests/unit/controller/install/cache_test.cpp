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
}
  CHECK(story.world.last_plan->image_never ==
        std::vector<std::string>{"10.0.0.0/24", "192.0.2.9/32"});  // the BMC is on no network
