#include "reconcilers/firmware/decide.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace nimbus;
using namespace nimbus::reconcilers;
using Kind = FirmwareDecision::Kind;

namespace {

DesiredMachine wanting(BiosAttributes bios, std::optional<bool> secure_boot = {}) {
  DesiredMachine machine;
  machine.enforcement = Enforcement::Enforce;
  machine.bios = std::move(bios);
  machine.boot.secure_boot = secure_boot;
  return machine;
}

FirmwareView seen(BiosAttributes current, BiosAttributes pending = {}) {
  return {.bios = BiosState{std::move(current), std::move(pending)}, .secure_boot = {}};
}

const FirmwareMoment kMayRestart{.closed = "", .on = true, .restarts = 0};

}  // namespace

TEST_CASE("firmware: only managed attributes are compared, and pending ones are shown") {
  const auto desired = wanting({{"Virt", "Enabled"}, {"Turbo", "On"}});
  CHECK(compare_firmware(desired, seen({{"Virt", "Enabled"}, {"Turbo", "On"}, {"Other", "x"}})).empty());
  CHECK(compare_firmware(desired, seen({{"Virt", "Disabled"}, {"Turbo", "On"}})) ==
        std::vector<Drift>{{"bios.Virt", "Enabled", "Disabled", ""}});
  CHECK(compare_firmware(desired, seen({{"Virt", "Disabled"}, {"Turbo", "On"}}, {{"Virt", "Enabled"}})) ==
        std::vector<Drift>{{"bios.Virt", "Enabled", "Disabled", "Enabled"}});
  CHECK(compare_firmware(desired, seen({{"Virt", "Enabled"}})) ==
        std::vector<Drift>{{"bios.Turbo", "On", "not offered", ""}});
  // As wanted now, and the next start takes it away.
  CHECK(compare_firmware(desired, seen({{"Virt", "Enabled"}, {"Turbo", "On"}}, {{"Turbo", "Off"}})) ==
        std::vector<Drift>{{"bios.Turbo", "On", "On", "Off"}});
  CHECK(compare_firmware(desired, {}).empty());  // not read: no drift
}

TEST_CASE("firmware: secure boot only if the file says something of it") {
  FirmwareView view;
  view.secure_boot = SecureBootState{.enabled_now = true, .enabled_next = true};
  CHECK(compare_firmware(wanting({}), view).empty());
  CHECK(compare_firmware(wanting({}, true), view).empty());
  CHECK(compare_firmware(wanting({}, false), view) == std::vector<Drift>{{"boot.secure_boot", "false", "true", ""}});
  view.secure_boot->enabled_next = false;
  CHECK(compare_firmware(wanting({}, false), view) ==
        std::vector<Drift>{{"boot.secure_boot", "false", "true", "false"}});
  CHECK(decide_firmware(wanting({}, false), view, kMayRestart).kind == Kind::Restart);
  view.secure_boot->enabled_next = true;
  CHECK(decide_firmware(wanting({}, false), view, kMayRestart).secure_boot == false);
}

TEST_CASE("firmware: a table of moments") {
  struct Row {
    const char* what;
    Enforcement enforcement;
    FirmwareView view;
    FirmwareMoment moment;
    Kind kind;
  };
  const auto differs = seen({{"Virt", "Disabled"}});
  const auto staged = seen({{"Virt", "Disabled"}}, {{"Virt", "Enabled"}});
  const auto converged = seen({{"Virt", "Enabled"}});
  using enum Enforcement;
  const Row rows[] = {
      {"converged", Enforce, converged, kMayRestart, Kind::Nothing},
      {"converged, and many restarts ago", Enforce, converged, {"", true, 9}, Kind::Nothing},
      {"not read", Enforce, {}, kMayRestart, Kind::Nothing},
      {"observe", Observe, differs, kMayRestart, Kind::Report},
      {"observe, staged by somebody", Observe, staged, kMayRestart, Kind::Report},
      {"differs, may restart", Enforce, differs, kMayRestart, Kind::Stage},
      {"differs, off: staged for the next start", Enforce, differs, {"", false, 0}, Kind::Stage},
      {"differs, may not restart", Enforce, differs, {"wait: closed", true, 0}, Kind::Wait},
      {"staged, may restart", Enforce, staged, kMayRestart, Kind::Restart},
      {"staged, may not restart any more", Enforce, staged, {"wait: closed", true, 0}, Kind::Wait},
      {"staged, off", Enforce, staged, {"", false, 0}, Kind::Wait},
      {"one restart did not help", Enforce, differs, {"", true, 1}, Kind::Stage},
      {"two did not", Enforce, differs, {"", true, 2}, Kind::Hold},
      {"no such setting", Enforce, seen({{"Other", "x"}}), kMayRestart, Kind::Hold},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    auto desired = wanting({{"Virt", "Enabled"}});
    desired.enforcement = row.enforcement;
    const auto decision = decide_firmware(desired, row.view, row.moment);
    CHECK(decision.kind == row.kind);
    CHECK((decision.kind == Kind::Stage) == !decision.bios.empty());
    CHECK((decision.kind == Kind::Nothing) == decision.reason.empty());
  }
}

TEST_CASE("firmware: what is staged and started is converged, from any state") {
  std::mt19937 random(1);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random()) % n; };
  const std::string names[] = {"A", "B", "C"}, values[] = {"0", "1"};
  for (int round = 0; round < 500; ++round) {
    BiosState firmware;
    auto desired = wanting({});
    for (const auto& name : names) {
      firmware.current[name] = values[pick(2)];
      if (pick(3) == 0) firmware.pending[name] = firmware.current[name] == "0" ? "1" : "0";
      if (pick(2) == 0) desired.bios[name] = values[pick(2)];
    }
    int restarts = 0, steps = 0;
    for (;; ++steps) {
      REQUIRE(steps < 4);
      const auto decision = decide_firmware(desired, {.bios = firmware, .secure_boot = {}}, {"", true, restarts});
      if (decision.kind == Kind::Nothing) break;
      if (decision.kind == Kind::Stage) {
        for (const auto& [name, value] : decision.bios) {
          CHECK(desired.bios.at(name) == value);  // nothing but managed attributes
          firmware.pending.erase(name);
          if (firmware.current[name] != value) firmware.pending[name] = value;
        }
      } else {
        REQUIRE(decision.kind == Kind::Restart);
        for (const auto& [name, value] : firmware.pending) firmware.current[name] = value;
        firmware.pending.clear();
        ++restarts;
      }
    }
    CHECK(restarts <= 1);
    for (const auto& [name, value] : desired.bios) CHECK(firmware.current.at(name) == value);
  }
}
