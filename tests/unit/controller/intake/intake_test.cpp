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

namespace {

/// Removes m1 and m2 of the three machines at once.
struct MassDeletion : Fixture {
  std::string accepted;
  MassDeletion() {
    commit({{"providers/lab/machines/m3.toml", machine("off", "s3")}});
    take();
    accepted = *tip;
    commit({{kM1, std::nullopt}, {kM2, std::nullopt}});
  }
  std::string approval(const std::string& digest) { return "policy/approvals/" + digest + ".toml"; }
  std::string text(const std::string& expires) { return "reason = \"meant\"\nexpires = " + expires + "\n"; }
};

}  // namespace

TEST_CASE_FIXTURE(MassDeletion,
                  "intake: a registry that lost most machines is held, also after a restart, until approved") {
  std::string digest;
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    if (restarted) restart();
    const auto held = take();
    CHECK(held->state == State::Held);
    CHECK(held->machines.size() == 3);
    CHECK(held->accepted_commit == accepted);
    digest = held->held_plan;
    REQUIRE(digest.size() == 64);
    REQUIRE(!held->problems.empty());
    CHECK(held->problems.back().message.find(digest) != std::string::npos);
  }
  SUBCASE("the approval of this plan releases it, whatever harmless thing comes along") {
    commit({{approval(digest), text("2999-01-01T00:00:00Z")},
            {"providers/lab/machines/m3.toml", "description = \"the last\"\n" + machine("off", "s3")}});
    const auto released = take();
    CHECK(released->state == State::Accepted);
    CHECK(released->machines.size() == 1);
  }
  SUBCASE("an expired approval is none") {
    commit({{approval(digest), text("1969-01-01T00:00:00Z")}});
    CHECK(take()->state == State::Held);
  }
  SUBCASE("the approval is void when the plan grew") {
    commit({{approval(digest), text("2999-01-01T00:00:00Z")}, {"providers/lab/machines/m3.toml", std::nullopt}});
    const auto held = take();
    CHECK(held->state == State::Held);
    CHECK(held->held_plan != digest);
  }
  SUBCASE("putting the files back needs no approval") {
    commit({{kM1, machine("off", "s1")}, {kM2, machine("off", "s2")}});
    CHECK(take()->state == State::Accepted);
  }
}

TEST_CASE_FIXTURE(MassDeletion, "intake: a commit cannot allow itself what the policy before it holds") {
  commit({{"policy/limits.toml", "[destructive]\ncount = 100\npercent = 100\n"}});
  CHECK(take()->state == State::Held);
}

TEST_CASE_FIXTURE(MassDeletion, "intake: brakes count while a commit is held") {
  commit({{"providers/lab/machines/m3.toml", machine("off", "s3") + "[lifecycle]\nhands_off = true\n"}});
  const auto held = take();
  CHECK(held->state == State::Held);
  CHECK(held->machines.at("m3").desired->lifecycle.hands_off);
  CHECK(!held->machines.at("m1").desired->lifecycle.hands_off);
}

TEST_CASE_FIXTURE(Fixture, "intake: a machine at a time may go, and one that moves does not leave") {
  take();
  SUBCASE("one") { commit({{kM1, std::nullopt}}); }
  SUBCASE("two that move to a rack, one that comes") {
    commit({{kM1, std::nullopt},
            {kM2, std::nullopt},
            {"providers/lab/machines/b2/m1.toml", machine("off", "s1")},
            {"providers/lab/machines/b2/m2.toml", machine("off", "s2")},
            {"providers/lab/machines/b2/m3.toml", machine("off", "s3")}});
  }
  CHECK(take()->state == State::Accepted);
}

TEST_CASE_FIXTURE(Fixture, "intake: newcomers do not hide machines that leave") {
  take();
  commit({{kM1, std::nullopt},
          {kM2, std::nullopt},
          {"providers/lab/machines/n1.toml", machine("off", "n1")},
          {"providers/lab/machines/n2.toml", machine("off", "n2")}});
  CHECK(take()->state == State::Held);
}

TEST_CASE_FIXTURE(Fixture, "intake: of a rewritten history only the brakes count") {
  take();
  const std::string accepted = *tip;
  commit({{kM1, machine("on", "s1")}, {kM2, machine("on", "s2") + "[lifecycle]\nstate = \"maintenance\"\n"}});
  const auto taken = intake->take_brakes(*tip, "rewritten").value();
  CHECK(taken->state == State::Held);
  CHECK(taken->accepted_commit == accepted);
  CHECK(taken->machines.at("m1").desired->power == WantedPower::Off);
  CHECK(taken->machines.at("m2").desired->lifecycle.state == LifecycleState::Maintenance);
  CHECK(taken->problems.back().code == "history-rewritten");
}

TEST_CASE_FIXTURE(Fixture, "intake: the limits of the policy before hold as well, also after a restart") {
  commit({{"policy/limits.toml", "[destructive]\ncount = 3\n"}});
  CHECK(take()->policy.limits.size() == 1);
  commit({{"policy/limits.toml", "[destructive]\ncount = 5\n"}});
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    if (restarted) restart();
    const auto taken = take();
    REQUIRE(taken->policy.limits.size() == 2);
    CHECK(taken->policy.limits[0].destructive.count == 5);
    CHECK(taken->policy.limits[1].destructive.count == 3);
  }
  commit({{kM1, machine("on", "s1")}});
  CHECK(take()->policy.limits.size() == 1);
}
