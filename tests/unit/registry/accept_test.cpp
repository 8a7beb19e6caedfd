#include <algorithm>

#include "support/memory_source.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

namespace {

const std::string kM017 = "providers/berlin-1/machines/b2/m017.toml";

/// A registry in force, and the commits that follow.
struct Story {
  MemorySource source = example();
  std::shared_ptr<const Snapshot> seen;
  Acceptance now;

  Story() {
    commit();
    REQUIRE(now.state == AcceptState::Accepted);
  }
  void commit() {
    auto result = loaded(source, seen.get());
    seen = result.snapshot;
    now = accept(now.effective, *seen);
  }
  const MachineEntry& machine(std::string_view name) const {
    const auto* found = find_machine(*now.effective, "berlin-1", name);
    REQUIRE(found != nullptr);
    return *found;
  }
};

}  // namespace

TEST_CASE("a bad machine file stalls that machine on its last accepted version, the rest proceeds") {
  Story story;
  story.source.edit(kM017, "unit = 17", "unit = 19\ncolour = \"red\"");
  story.source.edit("providers/berlin-1/machines/b2/m018.toml", "unit = 18", "unit = 20");
  story.commit();
  CHECK(story.now.state == AcceptState::Partly);
  CHECK(story.machine("m017").stalled);
  CHECK(story.machine("m017").value.location.unit == 17);
  REQUIRE(story.machine("m017").problems.size() == 1);
  CHECK(story.machine("m017").problems[0].code == ProblemCode::UnknownKey);
  CHECK_FALSE(story.machine("m018").stalled);
  CHECK(story.machine("m018").value.location.unit == 20);

  story.source.edit(kM017, "colour = \"red\"\n", "");
  story.commit();
  CHECK(story.now.state == AcceptState::Accepted);
  CHECK_FALSE(story.machine("m017").stalled);
  CHECK(story.machine("m017").value.location.unit == 19);
}

TEST_CASE("a broken class stalls its machines, a broken provider all of its own") {
  Story story;
  story.source.edit("providers/berlin-1/classes/r650.toml", "cpu_cores = 32", "cpu_cores = \"many\"");
  story.commit();
  CHECK(story.machine("m017").stalled);
  CHECK(story.machine("m017").value.hardware.cpu_cores == 32);
  CHECK(story.machine("m017").problems[0].file == "providers/berlin-1/classes/r650.toml");
  CHECK_FALSE(story.machine("m031").stalled);

  story.source.edit("providers/berlin-1/provider.toml", "region", "regoin");
  story.commit();
  CHECK(story.machine("m031").stalled);
  CHECK_FALSE(find_machine(*story.now.effective, "oslo-1", "a001")->stalled);
  CHECK(find_instance(*story.now.effective, "acme", "web-1")->stalled);
  CHECK_FALSE(find_instance(*story.now.effective, "globex", "build-1")->stalled);
}

TEST_CASE("an instance pinned to a stalled machine stalls with it, and takes brakes all the same") {
  const std::string web = "tenants/acme/instances/web-1.toml";
  Story story;
  story.source.edit(kM017, "unit = 17", "unit = \"x\"");
  story.source.edit(web, "\"web\", \"app\"", "\"web\"");
  story.source.edit("tenants/acme/instances/web-2.toml", "\"web\", \"app\"", "\"web\"");
  story.commit();
  const auto* stalled = find_instance(*story.now.effective, "acme", "web-1");
  REQUIRE(stalled != nullptr);
  CHECK(stalled->stalled);
  CHECK(stalled->value.profiles.size() == 3);
  REQUIRE(stalled->problems.size() == 1);
  CHECK(stalled->problems[0].file == kM017);
  CHECK_FALSE(find_instance(*story.now.effective, "acme", "web-2")->stalled);

  story.source.edit(kM017, "unit = \"x\"", "unit = 17");
  story.commit();
  CHECK_FALSE(find_instance(*story.now.effective, "acme", "web-1")->stalled);
  CHECK(find_instance(*story.now.effective, "acme", "web-1")->value.profiles.size() == 2);

  // Machine and instance are new, and the machine is bad: neither exists yet.
  auto source = example();
  source.edit(kM017, "unit = 17", "unit = \"x\"");
  const auto first = accept(nullptr, *loaded(source).snapshot);
  CHECK(find_instance(*first.effective, "acme", "web-1") == nullptr);
  CHECK(std::ranges::count(first.unusable_instances, "acme/web-1") == 1);
}

TEST_CASE("a machine that is new and bad does not exist yet; one that goes is gone") {
  Story story;
  story.source.files["providers/berlin-1/machines/b2/m019.toml"] = "class = \"r650\"\n";
  story.source.files.erase("providers/berlin-1/machines/b1/m012.toml");
  story.commit();
  CHECK(story.now.state == AcceptState::Partly);
  CHECK(find_machine(*story.now.effective, "berlin-1", "m019") == nullptr);
  CHECK(find_machine(*story.now.effective, "berlin-1", "m012") == nullptr);
  CHECK(story.now.unusable_machines == std::vector<MachineId>{{"berlin-1", "m019"}});
}

TEST_CASE("registry.toml and policy refuse the whole commit") {
  for (const auto& [file, from, to] : {std::tuple{"registry.toml", "format = 1", "format = 2"},
                                       std::tuple{"policy/limits.toml", "count = 3", "count = \"3\""},
                                       std::tuple{"policy/bindings.toml", "\"bob\"", "\"bbo\""}}) {
    Story story;
    story.source.edit(file, from, to);
    story.source.edit(kM017, "unit = 17", "unit = 19");
    story.commit();
    CHECK(story.now.state == AcceptState::Refused);
    CHECK(story.machine("m017").value.location.unit == 17);
  }
  Story story;
  story.source.files.erase("registry.toml");
  story.commit();
  CHECK(story.now.state == AcceptState::Refused);
  CHECK(story.now.effective->machines.size() == 12);

  auto source = example();
  source.files.erase("registry.toml");
  const auto first = accept(nullptr, *loaded(source).snapshot);
  CHECK(first.state == AcceptState::Refused);
  CHECK(first.effective->machines.empty());
  CHECK(first.unusable_machines.size() == 12);
}

TEST_CASE("brakes take effect from the newest commit, even a refused one, if the file parses") {
  Story refused;
  refused.source.edit("policy/limits.toml", "count = 3", "cuont = 3");
  refused.source.files.at(kM017) += "\n[lifecycle]\nhands_off = true\nreason = \"smoke\"\n";
  refused.source.files.at("tenants/globex/instances/build-1.toml") =
      "protected = true\n" + refused.source.files.at("tenants/globex/instances/build-1.toml");
  refused.source.edit("tenants/globex/instances/build-1.toml", "protected = false\n", "");
  const auto digest = refused.machine("m017").value.digest;
  refused.commit();
  CHECK(refused.now.state == AcceptState::Refused);
  CHECK(refused.machine("m017").value.lifecycle.hands_off);
  CHECK(refused.machine("m017").value.lifecycle.reason == "smoke");
  CHECK(refused.machine("m017").value.digest != digest);
  CHECK_FALSE(refused.machine("m018").value.lifecycle.hands_off);
  CHECK(find_instance(*refused.now.effective, "globex", "build-1")->value.is_protected);

  Story stalled;
  stalled.source.files.at(kM017) += "\n[lifecycle]\nstate = \"maintenance\"\ncolour = 1\n";
  stalled.commit();
  CHECK(stalled.machine("m017").stalled);
  CHECK(stalled.machine("m017").value.lifecycle.state == LifecycleState::Maintenance);

  Story unreadable;
  unreadable.source.files.at(kM017) += "\n[lifecycle]\nhands_off = true\n= =\n";
  unreadable.commit();
  CHECK(unreadable.machine("m017").stalled);
  CHECK_FALSE(unreadable.machine("m017").value.lifecycle.hands_off);
}

TEST_CASE("a refused release of the brake does not release it") {
  Story story;
  story.source.files.at(kM017) += "\n[lifecycle]\nhands_off = true\n";
  story.commit();
  CHECK(story.machine("m017").value.lifecycle.hands_off);
  story.source.edit(kM017, "hands_off = true", "hands_off = false");
  story.source.edit("registry.toml", "format = 1", "format = 7");
  story.commit();
  CHECK(story.machine("m017").value.lifecycle.hands_off);
}

TEST_CASE("two machines with one BMC address stall each other; the older one stays in force") {
  Story story;
  story.source.files["providers/berlin-1/machines/b1/m001.toml"] =
      "class = \"r650\"\n[bmc]\naddress = \"https://bmc-m017.berlin-1.example\"\n[identity]\nserial = \"CZNEW\"\n";
  story.commit();
  CHECK(story.now.state == AcceptState::Partly);
  CHECK(find_machine(*story.now.effective, "berlin-1", "m001") == nullptr);
  CHECK(story.machine("m017").value.bmc.address == "https://bmc-m017.berlin-1.example");
}

TEST_CASE("moving a machine's file to another group keeps its accepted version") {
  Story story;
  auto text = story.source.files.at(kM017);
  story.source.files.erase(kM017);
  story.source.files["providers/berlin-1/machines/b1/m017.toml"] = "colour = 1\n" + text;
  story.commit();
  CHECK(story.machine("m017").stalled);
  CHECK(story.machine("m017").path == "providers/berlin-1/machines/b1/m017.toml");
}
