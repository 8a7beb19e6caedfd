#include "controller/status/board.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using reconcilers::PowerDecision;
using registry::ConditionValue;

namespace {

const std::string kPath = "providers/lab/machines/m1.toml";

struct Fixture {
  nimbus::testing::FakeClock clock;
  std::vector<std::string> headlines;
  std::map<std::string, std::string> documents;
  std::vector<std::string> moved_away;
  std::vector<registry::ControllerStatus> controller;
  StatusBoard board{clock,
                    "lab",
                    {.machine =
                         [this](const std::string& path, const std::string& text, const std::string& headline) {
                           documents[path] = text;
                           headlines.push_back(headline);
                         },
                     .moved_away =
                         [this](const std::string& path) {
                           documents.erase(path);
                           moved_away.push_back(path);
                         },
                     .controller = [this](const registry::ControllerStatus& status) { controller.push_back(status); }}};
  DesiredMachine desired = [] {
    DesiredMachine d;
    d.id = {"lab", "m1"};
    d.path = kPath;
    d.digest = "d1";
    d.power = WantedPower::On;
    return d;
  }();

  MachineFacts facts(PowerState power = PowerState::On) {
    MachineFacts f;
    f.machine.desired = std::make_shared<DesiredMachine>(desired);
    f.report.power = Observed<PowerState>::known(power, clock.wall());
    f.report.match = {IdentityMatch::Verdict::Matches, "serial as declared"};
    f.report.identity.serial = "S1";
    f.report.decision = {.kind = PowerDecision::Kind::Nothing, .reason = "as wanted"};
    return f;
  }
  MachineFacts silent(int failures) {
    MachineFacts f;
    f.machine.desired = std::make_shared<DesiredMachine>(desired);
    f.report.error = Error{Code::Timeout, "no answer within 30s"};
    f.report.decision.kind = PowerDecision::Kind::Unknown;
    f.failures = failures;
    return f;
  }
  registry::MachineStatus document(const std::string& path = kPath) {
    return registry::parse_machine_status(documents.at(path), path).value();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "status: nothing is published before the branch was read back; then everything") {
  board.seen(facts());
  board.seed({});
  auto late = facts(PowerState::Off);
  late.report.refusal = Refusal{kNoTerm, "no term yet"};
  board.seen(late);
  CHECK(documents.empty());
  board.seen(facts());
  REQUIRE(documents.contains(kPath));
  CHECK(document().power == PowerState::On);
  CHECK(document().applied_digest == "d1");
  CHECK(document().conditions.at("ready").value == ConditionValue::True);
  CHECK(headlines == std::vector<std::string>{"enrolled"});
}

TEST_CASE_FIXTURE(Fixture, "status: looking again, or restarting, is no news") {
  board.seed({});
  board.seen(facts());
  const auto published = documents;
  clock.advance(1h);
  board.seen(facts());
  CHECK(headlines.size() == 1);
  StatusBoard restarted(clock, "lab",
                        {.machine = [](const auto&, const auto&, const auto&) { FAIL("published again"); },
                         .moved_away = [](const auto&) {},
                         .controller = [](const auto&) {}});
  restarted.seed(published);
  restarted.seen(facts());
}

TEST_CASE_FIXTURE(Fixture, "status: one unanswered pass is no news, two are; the power is then unknown") {
  board.seed({});
  board.seen(facts());
  board.seen(silent(1));
  CHECK(headlines.size() == 1);
  board.seen(silent(2));
  CHECK(headlines.back() == "BMC cannot be read");
  CHECK(!document().power);
  CHECK(document().conditions.at("reachable").reason == "Timeout");
  CHECK(document().identity.serial == "S1");
  board.seen(silent(3));
  CHECK(headlines.size() == 2);
  board.seen(facts());
  CHECK(headlines.back() == "BMC can be read again");
}

TEST_CASE_FIXTURE(Fixture, "status: drift is reported, and goes") {
  board.seed({});
  auto off = facts(PowerState::Off);
  off.report.decision = {.kind = PowerDecision::Kind::Report, .reason = "differs"};
  board.seen(off);
  CHECK(document().drifts.at(0) == registry::DriftRecord{"power", "on", "off"});
  CHECK(document().conditions.at("drift").value == ConditionValue::True);
  board.seen(facts());
  CHECK(document().drifts.empty());
  CHECK(!document().conditions.contains("drift"));
}

TEST_CASE_FIXTURE(Fixture, "status: another machine, a refusal, a stalled file") {
  board.seed({});
  auto other = facts();
  other.report.match = {IdentityMatch::Verdict::Differs, "the machine reports serial \"X\""};
  board.seen(other);
  CHECK(document().conditions.at("identity").reason == "WrongMachine");
  CHECK(document().conditions.at("ready").value == ConditionValue::False);
  auto refused = facts(PowerState::Off);
  refused.report.refusal = Refusal{"Maintenance", "lifecycle.state = \"maintenance\""};
  board.seen(refused);
  CHECK(document().conditions.at("ready").reason == "Maintenance");
  auto stalled = facts();
  stalled.machine.stalled = "m1.toml:7:1: unknown key";
  board.seen(stalled);
  CHECK(document().conditions.at("stalled").message.find(":7:") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "status: a removed machine becomes unmanaged, a broken one does not, a moved one moves") {
  auto registry = std::make_shared<AcceptedRegistry>();
  registry->machines["m1"] = {std::make_shared<DesiredMachine>(desired), ""};
  board.accepted(registry);
  board.seed({});
  board.seen(facts());
  SUBCASE("removed") {
    board.accepted(std::make_shared<AcceptedRegistry>());
    CHECK(document().phase == registry::MachinePhase::Unmanaged);
    board.seen(facts());  // a pass that ends late
    CHECK(document().phase == registry::MachinePhase::Unmanaged);
  }
  SUBCASE("broken, then removed") {
    auto broken = std::make_shared<AcceptedRegistry>();
    broken->unusable = {"m1"};
    board.accepted(broken);
    board.accepted(std::make_shared<AcceptedRegistry>());
    CHECK(document().phase == registry::MachinePhase::Unmanaged);
  }
  SUBCASE("broken, and never accepted by this controller") {
    auto broken = std::make_shared<AcceptedRegistry>();
    broken->unusable = {"m1"};
    const auto before = documents;
    board.accepted(broken);
    CHECK(documents == before);
  }
  SUBCASE("moved to another folder") {
    desired.path = "providers/lab/machines/b2/m1.toml";
    auto moved = std::make_shared<AcceptedRegistry>();
    moved->machines["m1"] = {std::make_shared<DesiredMachine>(desired), ""};
    board.accepted(moved);
    board.seen(facts());
    CHECK(moved_away == std::vector<std::string>{kPath});
    CHECK(document(desired.path).identity.serial == "S1");
    CHECK(document(desired.path).phase == registry::MachinePhase::Enrolled);
  }
}

TEST_CASE_FIXTURE(Fixture, "status: what the registry's state is, with its problems") {
  board.seed({});
  auto accepted = std::make_shared<AcceptedRegistry>();
  accepted->observed_commit = "c2";
  accepted->accepted_commit = "c1";
  accepted->state = AcceptedRegistry::State::Partly;
  accepted->problems.push_back({"unknown-key", "f.toml", 7, 1, "unknown key"});
  board.accepted(accepted);
  REQUIRE(controller.size() == 1);
  CHECK(controller[0].state == registry::RegistryState::Partly);
  CHECK(controller[0].problems.at(0).line == 7);
  CHECK(controller[0].accepted_commit == "c1");
}

TEST_CASE_FIXTURE(Fixture, "status: a local hold is shown, with or without an answer of the BMC, until it is lifted") {
  board.seed({});
  auto held = facts();
  held.report.local_hold = "moving the rack";
  board.seen(held);
  REQUIRE(document().conditions.contains("hold"));
  CHECK(document().conditions["hold"].reason == "LocalHold");
  CHECK(document().conditions["hold"].message == "moving the rack");
  CHECK(document().conditions["ready"].value == ConditionValue::True);  // nothing is to be done
  auto unread = silent(2);
  unread.report.local_hold = "moving the rack";
  board.seen(unread);
  CHECK(document().conditions.contains("hold"));
  SUBCASE("lifted while it does not answer") { board.seen(silent(3)); }
  SUBCASE("lifted while it answers") { board.seen(facts()); }
  CHECK_FALSE(document().conditions.contains("hold"));
}

TEST_CASE_FIXTURE(Fixture, "a BMC's wrong clock is a condition, told once and until it is nearly right") {
  board.seed({});
  const auto conditions = [&](std::optional<std::chrono::seconds> off, bool inspected = true) {
    auto seen = facts();
    seen.report.inspected = inspected;
    seen.report.clock_off = off;
    board.seen(seen);
    return document().conditions;
  };
  CHECK_FALSE(conditions(45s).contains("bmc-clock"));
  const auto told = conditions(-90s);
  REQUIRE(told.contains("bmc-clock"));
  CHECK(told.at("bmc-clock").value == ConditionValue::True);
  CHECK(told.at("bmc-clock").reason == "Behind");
  CHECK(told.at("ready").value == ConditionValue::True);  // it is no trouble of the machine
  CHECK(headlines.back() == "the BMC's clock is wrong");
  const auto published = documents;
  conditions(-45s);  // between the two limits: nothing new
  conditions({}, false);
  CHECK(documents == published);
  CHECK(conditions(25h).at("bmc-clock").message == "the BMC's clock is more than a day ahead");
  CHECK_FALSE(conditions(20s).contains("bmc-clock"));
  CHECK(conditions(2h).contains("bmc-clock"));
  CHECK_FALSE(conditions({}).contains("bmc-clock"));  // it tells none any more
}
