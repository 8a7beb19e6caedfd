// The driver against nimbus-sim: every vendor profile and every Redfish quirk, each
// on a machine of its own. The simulator shares no protocol code with the driver; its
// journal says what reached the machine.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/ports/bmc_observe.hpp"
#include "simulator.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

std::vector<Subject> subjects() {
  std::vector<Subject> all;
  for (const char* profile :
       {"polite", "idrac9", "idrac10", "ilo5", "ilo6", "xcc", "supermicro", "openbmc", "ami", "cisco"})
    all.push_back({.name = profile, .lines = "profile = \"" + std::string(profile) + "\"\n"});
  for (const char* quirk :
       {"RF-01", "RF-02", "RF-07", "RF-11", "RF-20", "RF-20b", "RF-21", "RF-22", "RF-30", "RF-32", "RF-33", "RF-36",
        "RF-41", "RF-45", "RF-61", "PW-02", "PW-06", "PW-07",  "PW-13", "PW-14", "PW-15", "PW-16", "IV-03", "IV-04"}) {
    std::string name = "q-" + std::string(quirk);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    // Without Dell's name on it the driver cannot know which number is the serial.
    const bool needs_telling = std::string(quirk) == "IV-03";
    all.push_back({.name = name,
                   .lines = "quirks = [\"" + std::string(quirk) + "\"]\n",
                   .forced = needs_telling ? std::vector<std::string>{quirk} : std::vector<std::string>{}});
  }
  return all;
}

/// As the controller does it: look, act once, look again; again after what may pass.
std::string bring_to(Bmc& bmc, PowerAction action, PowerState wanted) {
  std::string last = "nothing happened";
  bool asked = false;
  const auto deadline = in(25s);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto state = bmc.power()->power({in(5s)});
    if (state && *state == wanted && asked) return "";
    if (!state) {
      last = state.error().text();
      if (!is_transient(state.error().code)) return last;
    } else if (*state != wanted && !asked) {
      if (const auto identity = bmc.identity()->identity({in(5s)}); !identity) {
        last = identity.error().text();
      } else if (const auto done = bmc.power()->act(action, {in(5s)})) {
        asked = *done != WriteOutcome::Unknown;
      } else {
        last = done.error().text();
        if (!is_transient(done.error().code) && done.error().code != Code::Conflict) return last;
      }
    } else if (*state == wanted) {
      return "it was so already";
    }
    std::this_thread::sleep_for(50ms);
  }
  return last;
}

}  // namespace

TEST_CASE("nimbus-sim: inventory, firmware, sensors and log through every profile") {
  const auto all = profiles_and({"RF-11", "IV-04", "IV-09"});
  Simulator simulator(all);
  const OneSecret secrets("password");
  const auto driver = redfish::make_redfish_driver({});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& name = all[i].name;
    CAPTURE(name);
    auto bmc = driver->attach(
        {.driver = "redfish", .address = simulator.url(i), .tls = {.pins = {simulator.pin}}, .credentials = {"bmc/1"}},
        secrets);
    REQUIRE(bmc.has_value());
    const auto parts = (*bmc)->inventory()->inventory({in(20s)});
    REQUIRE_MESSAGE(parts.has_value(), (parts ? "" : parts.error().text()));
    CHECK(parts->serial == "SN-" + name);
    REQUIRE(parts->processors);
    CHECK(!parts->processors->empty());
    REQUIRE(parts->modules);
    CHECK(!parts->modules->empty());
    REQUIRE(parts->drives);
    CHECK(!parts->drives->empty());
    const bool shows_nics = name != "cisco" && name != "q-iv-04";
    CHECK(parts->ports.has_value() == shows_nics);
    const auto firmware = (*bmc)->inventory()->firmware({in(20s)});
    REQUIRE_MESSAGE(firmware.has_value(), (firmware ? "" : firmware.error().text()));
    CHECK(firmware->front().component == "BIOS");
    const auto sensors = (*bmc)->sensors()->sensors({in(20s)});
    REQUIRE_MESSAGE(sensors.has_value(), (sensors ? "" : sensors.error().text()));
    CHECK(std::any_of(sensors->begin(), sensors->end(), [](const SensorReading& sensor) {
      return sensor.kind == SensorKind::Temperature && sensor.value;
    }));
    CHECK((*bmc)->event_log()->entries(10, {in(20s)}).has_value());
    (*bmc)->close({in(5s)});
  }
}

TEST_CASE("nimbus-sim: boot overrides through every profile and quirk about them") {
  const auto all = profiles_and({"RF-20", "RF-40", "RF-42", "RF-41", "RF-44", "RF-50", "RF-52", "RF-53", "RF-53b",
                                 "RF-54", "RF-55", "RF-56", "RF-57", "RF-58", "RF-62"});
  Simulator simulator(all);
  const OneSecret secrets("password");
  const auto driver = redfish::make_redfish_driver({});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& name = all[i].name;
    auto bmc = driver->attach(
        {.driver = "redfish", .address = simulator.url(i), .tls = {.pins = {simulator.pin}}, .credentials = {"bmc/1"}},
        secrets);
    REQUIRE(bmc.has_value());
    const auto arm = [&](const BootOverride& wanted) -> Result<WriteOutcome> {
      Result<WriteOutcome> done = Error{};
      const auto deadline = in(15s);
      do {
        if (auto identity = (*bmc)->identity()->identity({in(5s)}); !identity) return std::move(identity.error());
        done = (*bmc)->boot()->arm_boot(wanted, {in(5s)});
      } while (!done && is_transient(done.error().code) && std::chrono::steady_clock::now() < deadline);
      return done;
    };
    const auto text = [](const auto& result) { return result ? std::string("ok") : result.error().text(); };
    const bool ignores = name == "q-rf-62";
    const auto pxe = arm({.device = BootDevice::Pxe, .times = BootTimes::Once, .mode = {}, .http_uri = {}});
    if (ignores) {
      CHECK(pxe.error().code == Code::Unsupported);
      continue;
    }
    CHECK_MESSAGE(pxe == WriteOutcome::Accepted, name, ": pxe: ", text(pxe));
    const auto shown = (*bmc)->boot()->boot_override({in(5s)});
    REQUIRE_MESSAGE(shown.has_value(), name, ": ", text(shown));
    CHECK_MESSAGE(shown->device == BootDevice::Pxe, name);
    CHECK_MESSAGE(shown->times == BootTimes::Once, name);
    CHECK_MESSAGE(shown->mode == BootMode::Uefi, name);
    CHECK_MESSAGE(arm({.device = BootDevice::Pxe, .times = BootTimes::Once, .mode = {}, .http_uri = {}}) ==
                      WriteOutcome::AlreadySo,
                  name);
    const auto cd = arm({.device = BootDevice::Cd, .times = BootTimes::Once, .mode = {}, .http_uri = {}});
    CHECK_MESSAGE(cd == WriteOutcome::Accepted, name, ": cd: ", text(cd));
    const auto always = arm({.device = BootDevice::Disk, .times = BootTimes::Always, .mode = {}, .http_uri = {}});
    const bool no_always = name == "q-rf-55" || name == "xcc";
    CHECK_MESSAGE(always.has_value() != no_always, name, ": always: ", text(always));
    const auto http =
        arm({.device = BootDevice::Http, .times = BootTimes::Once, .mode = {}, .http_uri = "http://192.0.2.1/b.efi"});
    const bool no_http = name == "q-rf-58" || name == "xcc" || name == "openbmc";
    CHECK_MESSAGE(http.has_value() != no_http, name, ": http: ", text(http));
    if (!no_http) CHECK_MESSAGE((*bmc)->boot()->boot_override({in(5s)})->http_uri == "http://192.0.2.1/b.efi", name);
    const auto none = arm({});
    CHECK_MESSAGE(none == WriteOutcome::Accepted, name, ": none: ", text(none));
    CHECK_MESSAGE((*bmc)->boot()->boot_override({in(5s)})->device == BootDevice::Default, name);
    (*bmc)->close({in(2s)});
  }
}

TEST_CASE("nimbus-sim: on and off through every profile and quirk, one action each") {
  const auto all = subjects();
  Simulator simulator(all);
  const OneSecret secrets("password");
  const auto driver = redfish::make_redfish_driver({});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& subject = all[i];
    CAPTURE(subject.name);
    auto bmc = driver->attach({.driver = "redfish",
                               .address = simulator.url(i),
                               .tls = {.pins = {simulator.pin}},
                               .credentials = {"bmc/1"},
                               .quirks = subject.forced},
                              secrets);
    REQUIRE(bmc.has_value());
    std::string failed = bring_to(**bmc, PowerAction::On, PowerState::On);
    CHECK_MESSAGE(failed.empty(), subject.name, ": on: ", failed);
    CHECK_MESSAGE(simulator.power(subject.name) == "on", subject.name);
    const auto identity = (*bmc)->identity()->identity({in(5s)});
    CHECK_MESSAGE(identity.has_value(), subject.name);
    if (identity) CHECK_MESSAGE(identity->serial == "SN-" + subject.name, subject.name, ": ", identity->serial);
    failed = bring_to(**bmc, PowerAction::HardOff, PowerState::Off);
    CHECK_MESSAGE(failed.empty(), subject.name, ": off: ", failed);
    CHECK_MESSAGE(simulator.power(subject.name) == "off", subject.name);
    CHECK_MESSAGE(simulator.count(subject.name, "powered-on") == 1, subject.name);
    CHECK_MESSAGE(simulator.count(subject.name, "powered-off") == 1, subject.name);
    (*bmc)->close({in(2s)});
  }
}
