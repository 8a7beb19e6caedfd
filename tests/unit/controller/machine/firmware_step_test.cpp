#include "controller/machine/firmware_step.hpp"

#include <doctest/doctest.h>

#include <map>

#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using reconcilers::FirmwareDecision;
using Kind = FirmwareDecision::Kind;

namespace {

struct Facts final : FactLog {
  std::map<std::string, std::string> kept;
  bool broken = false;
  Result<> remember(const std::string& key, const std::string& value) override {
    if (broken) return Error{Code::Internal, "the disk is full"};
    kept[key] = value;
    return {};
  }
  Result<std::optional<std::string>> recall(const std::string& key) override {
    const auto found = kept.find(key);
    return found == kept.end() ? std::optional<std::string>() : std::optional(found->second);
  }
};

/// Firmware with one attribute; a start applies what is staged, unless it forgets.
struct Firmware final : Bmc, BmcSettings {
  BiosState state{.current = {{"Virt", "Disabled"}}, .pending = {}};
  std::optional<Error> refuses;
  bool forgets = false;
  int writes = 0;
  BmcSettings* settings() noexcept override { return this; }
  void close(const Call&) noexcept override {}
  Result<BiosState> bios(const Call&) override { return state; }
  Result<WriteOutcome> stage_bios(const BiosAttributes& wanted, const Call&) override {
    writes += 1;
    if (refuses) return *refuses;
    for (const auto& [name, value] : wanted) state.pending[name] = value;
    return WriteOutcome::Accepted;
  }
  Result<SecureBootState> secure_boot(const Call&) override { return Error{Code::Unsupported, "none"}; }
  Result<WriteOutcome> set_secure_boot(bool, const Call&) override { return Error{Code::Unsupported, "none"}; }
  void start() {
    if (!forgets) {
      for (const auto& [name, value] : state.pending) state.current[name] = value;
    }
    state.pending.clear();
  }
};

struct Fixture {
  nimbus::testing::FakeClock clock;
  Facts facts;
  Firmware firmware;
  RebootBudget reboots;
  InspectionPace pace{1h, 4};
  InspectionMemory inspection;
  FirmwareMemory memory;
  std::vector<std::string> notes;
  bool audit_broken = false;
  std::optional<Refusal> refusal;
  PowerState power = PowerState::On;
  Instance tenant = [] {
    Instance made;
    made.tenant = "acme";
    made.name = "web-1";
    return made;
  }();
  const Instance* instance = nullptr;
  Policy policy;
  DesiredMachine desired = [] {
    DesiredMachine machine;
    machine.id = {"lab", "m1"};
    machine.digest = "d1";
    machine.enforcement = Enforcement::Enforce;
    machine.bios = {{"Virt", "Enabled"}};
    return machine;
  }();
  const Call call{MonoTime::max(), {}};
  FirmwareTools tools{
      .clock = clock,
      .facts = facts,
      .reboots = &reboots,
      .zones = [](const std::string&, WallTime) { return std::optional<std::chrono::seconds>(0s); },
      .note = [this](const std::string& what, const std::string&, const std::string& detail) -> Result<> {
        if (audit_broken) return Error{Code::Internal, "the audit log cannot be written"};
        notes.push_back(what + " " + detail);
        return {};
      }};

  FirmwareStep step() { return {desired, tools, memory}; }

  /// One pass: the power was read, then settings as far as they are due.
  Result<FirmwareDecision> pass() {
    REQUIRE(step().load());
    const auto wants = step().continue_cycle(power, inspection);
    REQUIRE(wants);
    if (*wants) {
      // The power reconciler obeys at once.
      if (power == PowerState::Off && **wants == WantedPower::On) firmware.start();
      power = **wants == WantedPower::On ? PowerState::On : PowerState::Off;
      return FirmwareDecision{.kind = Kind::Restart, .bios = {}, .secure_boot = {}, .reason = "under way"};
    }
    inspection.read_if_due(firmware, desired, pace, clock.wall(), call);
    return step().improve({.bmc = firmware,
                           .inspection = inspection,
                           .instance = instance,
                           .policy = &policy,
                           .power = power,
                           .guard = [this] { return refusal; },
                           .call = call});
  }

  /// Passes until nothing is under way any more; the last decision.
  FirmwareDecision settle() {
    for (int i = 0; i < 20; ++i) {
      const auto decision = pass();
      REQUIRE(decision);
      if (decision->kind != Kind::Stage && decision->kind != Kind::Restart) return *decision;
    }
    FAIL("it never ends");
    return {};
  }
  int cycles() const { return static_cast<int>(memory.cycle->done.value_or(0)); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "firmware step: staged, one cycle, done; noted before and after") {
  CHECK(settle().kind == Kind::Nothing);
  CHECK(firmware.state.current.at("Virt") == "Enabled");
  CHECK(firmware.writes == 1);
  CHECK(cycles() == 1);
  CHECK(power == PowerState::On);
  CHECK(notes == std::vector<std::string>{"settings-intent Virt=Enabled", "settings-result staged"});
  CHECK(settle().kind == Kind::Nothing);
  CHECK(firmware.writes == 1);
  CHECK(reboots.begin("another", 1));  // the budget was given back
}

TEST_CASE_FIXTURE(Fixture, "firmware step: a crash after any pass costs no second cycle") {
  for (int crash = 1; crash < 6; ++crash) {
    CAPTURE(crash);
    firmware = Firmware();
    facts.kept.clear();
    memory = {};
    inspection.forget();
    power = PowerState::On;
    for (int i = 0; i < crash; ++i) REQUIRE(pass());
    memory = {};  // the journal and the machine stay
    inspection.forget();
    CHECK(settle().kind == Kind::Nothing);
    CHECK(firmware.state.current.at("Virt") == "Enabled");
    CHECK(cycles() == 1);
    CHECK(power == PowerState::On);
  }
}

TEST_CASE_FIXTURE(Fixture, "firmware step: firmware that forgets is held after two cycles") {
  firmware.forgets = true;
  CHECK(settle().kind == Kind::Hold);
  CHECK(cycles() == 2);
  desired.digest = "d2";  // the file changed: a new wish
  firmware.forgets = false;
  CHECK(settle().kind == Kind::Nothing);
}

TEST_CASE_FIXTURE(Fixture, "firmware step: what the BMC refuses is not sent again until the file changes") {
  firmware.refuses = Error{Code::Invalid, "no such value"};
  REQUIRE(pass());
  CHECK(settle().kind == Kind::Hold);
  CHECK(firmware.writes == 1);
  firmware.refuses.reset();
  desired.digest = "d2";
  CHECK(settle().kind == Kind::Nothing);
}

TEST_CASE_FIXTURE(Fixture, "firmware step: no write without the guard, nor without a line in the audit log") {
  refusal = Refusal{"HandsOff", "hands off"};
  CHECK(settle().kind == Kind::Wait);
  refusal.reset();
  audit_broken = true;
  CHECK(!pass());
  CHECK(firmware.writes == 0);
  CHECK(notes.empty());
}

TEST_CASE_FIXTURE(Fixture, "firmware step: no cycle begins that the journal does not know") {
  facts.broken = true;
  REQUIRE(pass());  // staged
  CHECK(!pass());
  CHECK(power == PowerState::On);
  facts.broken = false;
  CHECK(settle().kind == Kind::Nothing);
  CHECK(cycles() == 1);
}

TEST_CASE_FIXTURE(Fixture, "firmware step: a machine in use waits for a window, a busy budget for its turn") {
  instance = &tenant;
  CHECK(settle().kind == Kind::Wait);
  CHECK(firmware.writes == 0);
  tenant.windows = {{.days = {}, .from = "00:00", .to = "12:00"}, {.days = {}, .from = "12:00", .to = "00:00"}};
  policy.limits = {Limits{.disruption = {.machines_rebooting = 1, .machines_installing = {}}}};
  REQUIRE(reboots.begin("another", 1));
  CHECK(settle().kind == Kind::Wait);
  CHECK(power == PowerState::On);
  reboots.end("another");
  CHECK(settle().kind == Kind::Nothing);
}
