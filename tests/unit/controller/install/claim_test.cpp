#include <doctest/doctest.h>

#include "base/time/time.hpp"
#include "controller/install/address.hpp"
#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

TEST_CASE("two instances, one machine: the later one waits, with a reason") {
  Story story;
  story.push({instance("a-1"), instance("b-1")});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.facts->claim->instance == "acme/a-1");
  CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 50));
  // Told by the machine's next look at what is not placed.
  CHECK(story.world.forge.contains("tenants/acme/instances/b-1.toml"));
  CHECK(story.world.forge.at("tenants/acme/instances/b-1.toml").find("in use by acme/a-1") != std::string::npos);
}

TEST_CASE("a tenant's quota counts what waits, and is said") {
  Story story;
  auto first = instance("a-1"), second = instance("b-1");
  first.tenant = second.tenant = "capped";
  story.push({first, second});
  CHECK_FALSE(story.until([&] { return story.runs(); }, 20));
  CHECK(story.world.forge.at("tenants/capped/instances/b-1.toml").find("quota of 1 instances is used up") !=
        std::string::npos);
  story.push({first});
  CHECK(story.until([&] { return story.runs(); }));
}

TEST_CASE("limits: so many at once, so much destroyed in a time") {
  const WallTime now{100h};
  Policy policy;
  CHECK(installing_limit(policy, {.installing = 1000, .destructions = {}, .machines = 1}).empty());
  policy.limits.push_back({});
  policy.limits[0].disruption.machines_installing = 3;
  CHECK(installing_limit(policy, {.installing = 2, .destructions = {}, .machines = 9}).empty());
  CHECK_FALSE(installing_limit(policy, {.installing = 3, .destructions = {}, .machines = 9}).empty());
  policy.disruption.machines_installing = 2;
  CHECK_FALSE(installing_limit(policy, {.installing = 2, .destructions = {}, .machines = 9}).empty());

  LifeLoad load{.installing = 0, .destructions = {now - 1h, now - 25h}, .machines = 100};
  CHECK_FALSE(destructive_limit(policy, load, now).empty());  // one in 24 h unless said otherwise
  policy.limits[0].destructive.count = 5;
  CHECK(destructive_limit(policy, load, now).empty());
  load.destructions.assign(5, now);
  CHECK_FALSE(destructive_limit(policy, load, now).empty());
  policy.limits[0].destructive.count = 50;
  CHECK(destructive_limit(policy, load, now).empty());
  load.destructions.assign(10, now);
  CHECK_FALSE(destructive_limit(policy, load, now).empty());  // 10 percent of 100
  load = {.installing = 0, .destructions = {}, .machines = 1};
  CHECK(destructive_limit(policy, load, now).empty());  // at least one
  policy.limits.push_back({});                          // the earlier policy's limit counts as well
  load = {.installing = 0, .destructions = {now}, .machines = 100};
  CHECK_FALSE(destructive_limit(policy, load, now).empty());
}

TEST_CASE("addresses: the first free one of the range") {
  Network network;
  network.range = {"10.0.0.254", "10.0.1.1"};
  CHECK(free_address(network, {}) == "10.0.0.254");
  CHECK(free_address(network, {"10.0.0.254", "10.0.0.255", "10.0.1.0"}) == "10.0.1.1");
  CHECK(free_address(network, {"10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"}).empty());
  for (const auto* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1.1", "a.b.c.d", "fd00::1"}) {
    network.range = {bad, "10.0.1.1"};
    CHECK(free_address(network, {}).empty());
  }
  network.range = {"10.0.1.1", "10.0.0.1"};
  CHECK(free_address(network, {}).empty());
}

TEST_CASE("records survive the journal") {
  LifeRecord record;
  record.instance = "acme/web-1";
  record.claimed = WallTime{1234ms};
  record.erases = {{.disk = "d", .level = "secure", .method = "overwrite", .verified = true, .when = WallTime{5ms}}};
  record.run.emplace();
  record.run->id = "r";
  record.run->nonce = "n";
  record.run->state.phase = reconcilers::RunPhase::Handover;
  record.run->state.attempt = 2;
  auto back = parse_life(to_json(record));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(record));
  CHECK(back->run->state == record.run->state);
  for (const auto* bad : {"", "[]", "{\"run\":{}}", "{\"instance\":1}"}) CHECK_FALSE(parse_life(bad));
}

TEST_CASE("limits: what destroys is counted over time, not by commit") {
  Policy policy;
  policy.limits.resize(1);
  policy.limits[0].destructive = {.count = 3, .percent = 10, .per = 24h};
  const WallTime now{1000h};
  LifeLoad load{.installing = 0, .destructions = {}, .machines = 100};
  for (int commit = 0; commit < 40; ++commit) {
    const auto why = destructive_limit(policy, load, now + commit * 1min);
    CHECK(why.empty() == (commit < 3));
    if (why.empty())
      load.destructions.insert(load.destructions.begin(), now + commit * 1min);  // in no order
    else
      CHECK(why.find("it waits until " + base::to_rfc3339(now + 24h)) != std::string::npos);
  }
  CHECK(destructive_limit(policy, load, now + 24h).empty());
}
