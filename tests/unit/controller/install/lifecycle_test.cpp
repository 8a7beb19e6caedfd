#include "controller/install/lifecycle.hpp"

#include <doctest/doctest.h>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

TEST_CASE("an instance is installed, and then nothing more happens") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.installs == 1);
  CHECK(story.facts->installed->disk == "serial.D1");
  const auto journal = story.world.journal;
  const auto forge = story.world.forge;
  const int writes = story.world.power_writes;
  CHECK_FALSE(story.until([] { return false; }, 50));
  CHECK(story.world.power_writes == writes);
  CHECK(story.world.journal == journal);
  CHECK(story.world.forge == forge);
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml").find(kHostKey) != std::string::npos);
}

TEST_CASE("a crash at every durable write and every effect: converges, and each attempt writes once") {
  int crashed = 0;
  for (int at = 1; at < 60; ++at) {
    CAPTURE(at);
    Story story;
    story.push({instance()});
    story.world.effects_until_crash = at;
    REQUIRE(story.until([&] { return story.runs() || story.held(); }, 2000));
    CHECK(story.runs());
    CHECK(story.world.installs == 1);
    auto nonces = story.world.written_nonces;
    std::sort(nonces.begin(), nonces.end());
    CHECK(std::adjacent_find(nonces.begin(), nonces.end()) == nonces.end());
    crashed += story.crashes;
    if (story.crashes == 0) break;  // beyond the last effect
  }
  CHECK(crashed > 8);
}

TEST_CASE("a machine that dies while it is written is begun again, with another nonce, and given up in the end") {
  Story story;
  story.world.dies_while_writing = 2;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.written_nonces.size() == 3);

  Story hopeless;
  hopeless.world.dies_while_writing = 100;
  hopeless.push({instance()});
  REQUIRE(hopeless.until([&] { return hopeless.held(); }));
  CHECK(hopeless.world.written_nonces.size() == 3);
  CHECK_FALSE(hopeless.until([&] { return hopeless.world.written_nonces.size() > 3; }, 100));
}

TEST_CASE("forge down before the intent: nothing is switched; after it: it finishes") {
  Story story;
  story.world.forge_down = true;
  story.push({instance()});
  CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 100));
  story.world.forge_up();
  REQUIRE(story.until([&] { return story.world.power_writes > 0; }));
  story.world.forge_down = true;
  REQUIRE(story.until([&] { return story.runs(); }));
}

TEST_CASE("the journal is lost in the middle of an install: held, and nothing is written") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.power_writes > 0; }));
  story.world.journal.clear();
  story.world.told.clear();
  story.start();
  const int writes = story.world.power_writes;
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK_FALSE(story.until([&] { return story.world.power_writes > writes; }, 100));
  CHECK(story.held());
}

TEST_CASE("the journal is lost after an install: the claim is taken over from status") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  story.world.journal.clear();
  story.start();
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.installs == 1);
  CHECK(story.facts->claim->instance == "acme/web-1");
}

TEST_CASE("a machine with data and default settings is never placed, never switched") {
  Story story(ExistingData::Keep);
  story.push({instance()});
  CHECK_FALSE(story.until([&] { return story.facts.has_value(); }, 100));
  CHECK(story.world.power_writes == 0);
  CHECK(story.world.journal.empty());
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml").find("may hold data") != std::string::npos);
}

TEST_CASE("faults end held or waiting, explained, and unharmed") {
  Story story;
  SUBCASE("the BMC lies about the boot override") {
    story.world.arm_error = "took it and does not show it";
    story.push({instance()});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK(story.facts->held.find("does not show it") != std::string::npos);
    CHECK(story.world.power_writes == 0);
  }
  SUBCASE("another machine answers") {
    story.world.serial = "OTHER";
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  }
  SUBCASE("another machine answers after the claim") {
    story.world.forge_down = true;
    story.push({instance()});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.world.serial = "OTHER";
    story.world.forge_up();
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  }
  SUBCASE("the guard refuses") {
    story.world.guard_refuses = "hands_off = true";
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0 || story.world.armed; }, 50));
    CHECK(story.facts->waits.find("hands_off") != std::string::npos);
  }
  SUBCASE("nimbus-boot is down") {
    story.world.boot_down = true;
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 3));
    story.world.boot_down = false;
    CHECK(story.until([&] { return story.runs(); }));
  }
  SUBCASE("the installer refuses") {
    story.world.installer_fails = "several disks match";
    story.push({instance()});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK(story.facts->held.find("several disks match") != std::string::npos);
  }
  SUBCASE("another host key") {
    story.world.ssh = reconcilers::SshAnswer::OtherKey;
    story.push({instance()});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK_FALSE(story.runs());
  }
  CHECK(story.world.installs <= 1);
}

TEST_CASE("stopped inside the driver and deposed meanwhile: an install writes nothing more, at each write") {
  for (const int fatal : {1, 2}) {  // the boot override, and the power
    CAPTURE(fatal);
    Story story;
    int writes = 0;
    story.world.in_driver = [&] {
      if (++writes != fatal) return;
      story.world.clock.advance(20s);
      story.world.guard_refuses = "another controller took over";
    };
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.runs(); }, 50));
    CHECK(writes == fatal);
    CHECK(story.world.armed == (fatal == 2));
    CHECK(story.world.power_writes == 0);
    CHECK(story.world.installs == 0);
  }
}

TEST_CASE("who waits is looked at less often the longer it takes, and never seldom") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.power == PowerState::On; }));
  const auto pause = [&] {
    story.facts = story.controller->pass(story.desired);
    REQUIRE(story.facts);
    REQUIRE(story.facts->look_again);
    return *story.facts->look_again - story.world.clock.wall();
  };
  CHECK(pause() == 1s);
  story.world.clock.advance(100s);
  CHECK(pause() == 5s);
  story.world.clock.advance(600s);
  CHECK(pause() == 10s);
}
