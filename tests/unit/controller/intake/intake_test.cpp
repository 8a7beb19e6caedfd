#include "controller/intake/intake.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "registry/git/commit_builder.hpp"
#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::controller;
namespace git = nimbus::registry;
using State = AcceptedRegistry::State;

namespace {

std::string machine(const std::string& power, const std::string& serial) {
  return "power = \"" + power + "\"\n[bmc]\ndriver = \"ipmi\"\naddress = \"bmc-" + serial +
         ".lab.example\"\ncredentials = [\"bmc/lab\"]\n[identity]\nserial = \"" + serial + "\"\n";
}

const std::string kM1 = "providers/lab/machines/m1.toml";
const std::string kM2 = "providers/lab/machines/m2.toml";
const std::string kBroken = machine("on", "s1") + "[lifecycle]\nhands_of = true\n";  // line 9

struct Fixture {
  std::string folder = [] {
    std::string path = (std::filesystem::temp_directory_path() / "nimbus-intake-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    return path;
  }();
  nimbus::testing::FakeClock clock;
  git::GitRepository mirror = git::GitRepository::open_or_create(folder + "/mirror.git").value();
  std::unique_ptr<Intake> intake = std::make_unique<Intake>(mirror, clock, "lab");
  std::optional<git::ObjectId> tip;

  Fixture() {
    commit({{"registry.toml", "format = 1\nname = \"lab\"\n"},
            {"providers/lab/provider.toml", "region = \"here\"\n"},
            {kM1, machine("off", "s1")},
            {kM2, machine("off", "s2")}});
  }
  ~Fixture() { std::filesystem::remove_all(folder); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  std::string commit(git::FileChanges changes) {
    git::NewCommit change;
    change.base = tip;
    if (tip) change.parents = {*tip};
    change.changes = std::move(changes);
    change.author = change.committer = {.name = "A", .email = "a@lab.example", .when = WallTime{}};
    change.message = "change\n";
    tip = git::write_commit(mirror, change).value().value();
    return *tip;
  }
  std::shared_ptr<const AcceptedRegistry> take() {
    auto taken = intake->take(*tip);
    REQUIRE_MESSAGE(taken.has_value(), taken.error().text());
    return *taken;
  }
  /// As after kill -9: only the mirror is left.
  void restart() { intake = std::make_unique<Intake>(mirror, clock, "lab"); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "intake: a valid commit is in force as a whole") {
  const auto taken = take();
  CHECK(taken->state == State::Accepted);
  CHECK(taken->accepted_commit == *tip);
  CHECK(taken->machines.size() == 2);
  CHECK(taken->problems.empty());
  CHECK(taken->machines.at("m1").desired->power == WantedPower::Off);
}

TEST_CASE_FIXTURE(Fixture, "intake: a broken machine stays as accepted, alone, also after a restart") {
  take();
  commit({{kM1, machine("on", "s1")}});
  take();  // m1 was accepted as "on": an older version must not come back
  commit({{kM1, kBroken}, {kM2, machine("on", "s2")}});
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    if (restarted) restart();
    const auto taken = take();
    CHECK(taken->state == State::Partly);
    CHECK(taken->machines.at("m2").desired->power == WantedPower::On);
    CHECK(taken->machines.at("m2").stalled.empty());
    CHECK(taken->machines.at("m1").desired->power == WantedPower::On);
    CHECK(taken->machines.at("m1").stalled.find("m1.toml:9:") != std::string::npos);
    REQUIRE(!taken->problems.empty());
    CHECK(taken->problems.front().file == kM1);
    CHECK(taken->problems.front().line == 9);
  }
  commit({{kM1, machine("off", "s1")}});
  CHECK(take()->state == State::Accepted);
  CHECK(take()->machines.at("m1").stalled.empty());
}

TEST_CASE_FIXTURE(Fixture, "intake: with the mirror's memory lost, a broken machine is not known, and not gone") {
  take();
  commit({{kM1, kBroken}});
  REQUIRE(mirror.delete_reference(Intake::kInForce));
  restart();
  const auto taken = take();
  CHECK(!taken->machines.contains("m1"));
  CHECK(taken->unusable.contains("m1"));
  CHECK(taken->machines.contains("m2"));
}

TEST_CASE_FIXTURE(Fixture, "intake: a refused commit changes nothing but brakes") {
  take();
  const std::string accepted = *tip;
  commit({{"registry.toml", "format = 1\n"},
          {kM1, machine("on", "s1")},
          {kM2, machine("off", "s2") + "[lifecycle]\nhands_off = true\n"}});
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    if (restarted) restart();
    const auto taken = take();
    CHECK(taken->state == State::Refused);
    CHECK(taken->accepted_commit == accepted);
    CHECK(taken->observed_commit == *tip);
    CHECK(taken->machines.at("m1").desired->power == WantedPower::Off);
    CHECK(taken->machines.at("m2").desired->lifecycle.hands_off);
  }
}

TEST_CASE_FIXTURE(Fixture, "intake: another provider's machines are not ours") {
  commit({{"providers/other/provider.toml", "region = \"there\"\n"},
          {"providers/other/machines/x1.toml", machine("on", "s9")}});
  CHECK(!take()->machines.contains("x1"));
}
