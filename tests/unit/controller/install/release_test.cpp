#include <doctest/doctest.h>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

TEST_CASE("release: unprotect first, published first; then erased, and the next tenant gets the machine") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));

  SUBCASE("removed while protected: held, nothing is erased") {
    story.push({});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 100));
  }
  SUBCASE("unprotected, but status could not tell it") {
    story.world.forge_down = true;
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.push({});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 100));
    CHECK(story.held());
  }
  SUBCASE("properly") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.push({});
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.world.erases == 1);
    CHECK(story.world.power == PowerState::Off);
    CHECK_FALSE(story.facts->installed);
    REQUIRE(story.facts->erases.size() == 1);
    CHECK(story.facts->erases[0].verified);
    CHECK(story.facts->erases[0].method == kErasedHow);  // all of it: it says why
    // Now the erase record is the proof: the owner's word is not needed any more.
    story.desired.lifecycle.existing_data = ExistingData::Keep;
    auto next = instance("db-1");
    next.tenant = "zeta";
    story.push({next});
    REQUIRE(story.until([&] { return story.runs(); }));
    CHECK(story.facts->claim->instance == "zeta/db-1");
    CHECK(story.world.installs == 2);
  }
}

TEST_CASE("an instance's file is renamed: the machine is erased first, then it is the new one's") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  SUBCASE("while it is protected: held, and the new one waits") {
    story.push({instance("web-9")});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0 || story.world.installs > 1; }, 100));
    CHECK(story.held());
    CHECK(story.world.forge.at("tenants/acme/instances/web-9.toml").find("in use by acme/web-1") != std::string::npos);
  }
  SUBCASE("unprotected before") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.push({instance("web-9", false)});
    REQUIRE(story.until([&] { return story.world.installs == 2 && story.runs(); }));
    CHECK(story.world.erases == 1);
    CHECK(story.facts->claim->instance == "acme/web-9");
  }
}

TEST_CASE("an instance that goes before anything was written frees the machine, and nothing is erased") {
  Story story;
  story.world.guard_refuses = "outside of its windows";
  story.push({instance()});
  CHECK_FALSE(story.until([] { return false; }, 10));
  CHECK(story.facts->claim->instance == "acme/web-1");
  story.desired.lifecycle.existing_data = ExistingData::Keep;  // the owner thinks better of it
  story.push({});
  story.world.guard_refuses.clear();
  CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  CHECK((!story.facts || !story.facts->claim));
  CHECK(story.world.written_nonces.empty());
}

TEST_CASE("a held install ends by unprotecting and removing: erased, on the proof that the install had") {
  Story story;
  story.world.installer_fails = "no disk";
  story.push({instance()});
  REQUIRE(story.until([&] { return story.held(); }));
  story.world.installer_fails.clear();
  SUBCASE("removed while protected: held") {
    story.push({});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 50));
  }
  SUBCASE("unprotected, but the owner's word is gone") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.desired.lifecycle.existing_data = ExistingData::Keep;
    story.push({});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 50));
  }
  SUBCASE("unprotected and removed") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    CHECK(story.held());
    story.push({});
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.world.erases == 1);
  }
}

TEST_CASE("reinstall: raised after unprotecting, once") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  auto raised = instance("web-1", false);
  story.push({raised});
  CHECK_FALSE(story.until([] { return false; }, 5));
  raised.reinstall = 1;
  story.push({raised});
  REQUIRE(story.until([&] { return story.world.installs == 2 && story.runs(); }));
  CHECK(story.facts->installed->reinstall == 1);
  CHECK_FALSE(story.until([&] { return story.world.installs > 2; }, 100));
  raised.reinstall = 0;  // lowered: nothing
  story.push({raised});
  CHECK_FALSE(story.until([&] { return story.world.installs > 2; }, 100));
}

TEST_CASE("reinstall while protected, or raised with the unprotecting commit: nothing") {
  for (const bool is_protected : {true, false}) {
    Story story;
    story.push({instance()});
    REQUIRE(story.until([&] { return story.runs(); }));
    auto raised = instance("web-1", is_protected);
    raised.reinstall = 1;
    story.push({raised});
    CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 100));
    CHECK(story.held());
  }
}

TEST_CASE("a second release within the time waits, with a reason, and is not erased") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  story.push({instance("web-1", false)});
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
  REQUIRE(story.until([&] { return story.available(); }));
  story.push({instance("web-2", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.policy.limits.resize(1);
  story.push({});
  CHECK_FALSE(story.until([&] { return story.world.erases > 1; }, 100));
  CHECK(story.facts->waits.find("releases and reinstalls") != std::string::npos);
  story.world.clock.advance(25h);
  CHECK(story.until([&] { return story.world.erases > 1; }));
}

TEST_CASE("a status branch that was put back contradicts the journal: nothing is erased") {
  Story story;
  story.push({instance("web-1", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
  // Each time the controller writes the machine's document, somebody takes the install out.
  bool asked = false;
  CHECK_FALSE(story.until(
      [&] {
        auto& text = story.world.forge.at(story.world.machine_path);
        auto status = registry::parse_machine_status(text, story.world.machine_path);
        REQUIRE(status);
        status->installed.reset();
        text = registry::to_text(*status);
        asked = asked || story.facts->waits.find("the journal knows of a write") != std::string::npos;
        return story.world.erases > 0;
      },
      60));
  CHECK(asked);
}

TEST_CASE("what was installed for another instance is not touched, whatever the owner says") {
  LifeRecord record;
  record.installed.emplace();
  record.installed->disk = "serial.D1";
  record.installed_for = "acme/old-1";
  Story story;
  story.world.journal["life/p/m1"] = to_json(record);
  story.start();
  story.push({instance()});
  CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml").find("was not erased") != std::string::npos);
}
