#include <doctest/doctest.h>

#include "support.hpp"

using namespace nimbus::simulator;
using namespace std::chrono_literals;
using test::Bench;

TEST_CASE("power on takes its time, then POST, then the host runs") {
  Bench bench;
  Machine& m = *bench.machine;
  CHECK(m.request_power(PowerRequest::On, Source::Ipmi) == PowerAnswer::Accepted);
  CHECK(m.power() == Power::PoweringOn);
  CHECK_FALSE(m.has_power());
  bench.after(1999ms);
  CHECK(m.power() == Power::PoweringOn);
  bench.after(1ms);
  CHECK(m.power() == Power::On);
  CHECK(m.phase() == HostPhase::Post);
  bench.after(20s);
  CHECK(m.phase() == HostPhase::Running);
  CHECK(m.last_boot().count == 1);
  CHECK(m.last_boot().device == BootDevice::Disk);
  CHECK_FALSE(m.next_due().has_value());
}

TEST_CASE("one long step does what many short ones do") {
  Bench fast;
  Bench slow;
  for (Bench* bench : {&fast, &slow}) bench->machine->request_power(PowerRequest::On, Source::Ipmi);
  fast.after(60s);
  for (int i = 0; i < 600; ++i) slow.after(100ms);
  CHECK(fast.machine->phase() == slow.machine->phase());
  CHECK(fast.machine->journal.total() == slow.machine->journal.total());
}

TEST_CASE("a boot override for once is consumed by one boot, a continuous one stays") {
  Bench bench;
  Machine& m = *bench.machine;
  m.set_boot_override({.enabled = BootEnabled::Once, .device = BootDevice::Pxe, .mode = BootMode::Uefi},
                      Source::Redfish);
  m.request_power(PowerRequest::On, Source::Redfish);
  bench.after(10s);
  CHECK(m.boot_override().enabled == BootEnabled::Once);  // still in POST
  bench.after(20s);
  CHECK(m.last_boot().device == BootDevice::Pxe);
  CHECK(m.boot_override().enabled == BootEnabled::Disabled);
  m.request_power(PowerRequest::ForceRestart, Source::Redfish);
  bench.after(30s);
  CHECK(m.last_boot().count == 2);
  CHECK(m.last_boot().device == BootDevice::Disk);

  m.set_boot_override({.enabled = BootEnabled::Continuous, .device = BootDevice::Cd}, Source::Redfish);
  for (int i = 0; i < 2; ++i) {
    m.request_power(PowerRequest::ForceRestart, Source::Redfish);
    bench.after(30s);
    CHECK(m.last_boot().device == BootDevice::Cd);
  }
}

TEST_CASE("boot flags expire after 60 s unless a power command comes") {
  Bench bench;
  Machine& m = *bench.machine;
  const BootOverride pxe{.enabled = BootEnabled::Once, .device = BootDevice::Pxe};
  m.set_boot_override(pxe, Source::Ipmi, Machine::Expiry::After60Seconds);
  bench.after(59s);
  CHECK(m.boot_override().enabled == BootEnabled::Once);
  bench.after(1s);
  CHECK(m.boot_override().enabled == BootEnabled::Disabled);
  CHECK(m.boot_override().device == BootDevice::Pxe);  // only the valid bit goes

  m.set_boot_override(pxe, Source::Ipmi, Machine::Expiry::After60Seconds);
  bench.after(50s);
  m.request_power(PowerRequest::On, Source::Ipmi);
  bench.after(15s);
  CHECK(m.boot_override().enabled == BootEnabled::Once);
  bench.after(10s);
  CHECK(m.last_boot().device == BootDevice::Pxe);
}

TEST_CASE("soft off: the machine stays on until the operating system has stopped") {
  Bench bench({}, Power::On);
  Machine& m = *bench.machine;
  CHECK(m.request_power(PowerRequest::GracefulShutdown, Source::Redfish) == PowerAnswer::Accepted);
  bench.after(9s);
  CHECK(m.power() == Power::On);
  bench.after(1s);
  CHECK(m.power() == Power::Off);
}

TEST_CASE("soft off in POST is ignored, force off is not") {
  Bench bench;
  Machine& m = *bench.machine;
  m.request_power(PowerRequest::On, Source::Redfish);
  bench.after(3s);
  m.request_power(PowerRequest::GracefulShutdown, Source::Redfish);
  bench.after(12s);
  CHECK(m.power() == Power::On);
  m.request_power(PowerRequest::ForceOff, Source::Redfish);
  CHECK(m.power() == Power::PoweringOff);
  bench.after(1s);
  CHECK(m.power() == Power::Off);
  bench.after(60s);
  CHECK(m.last_boot().count == 0);  // the boot that was cut off never happened
}

TEST_CASE("a power cycle goes off, then on; on a machine that is off it is refused") {
  Bench bench;
  Machine& m = *bench.machine;
  CHECK(m.request_power(PowerRequest::PowerCycle, Source::Ipmi) == PowerAnswer::WrongState);
  CHECK(m.request_power(PowerRequest::ForceRestart, Source::Ipmi) == PowerAnswer::WrongState);
  m.request_power(PowerRequest::On, Source::Ipmi);
  bench.after(30s);
  CHECK(m.request_power(PowerRequest::PowerCycle, Source::Ipmi) == PowerAnswer::Accepted);
  bench.after(1s);
  CHECK(m.power() == Power::PoweringOn);
  bench.after(22s);
  CHECK(m.last_boot().count == 2);
  CHECK(m.request_power(PowerRequest::On, Source::Ipmi) == PowerAnswer::AlreadySo);
}

TEST_CASE("settings wait for the next boot and are checked against the registry") {
  Bench bench({}, Power::On);
  Machine& m = *bench.machine;
  const Attribute& virtualization = *m.hardware().attribute("ProcVirtualization");
  CHECK(m.settings.stage({{"ProcVirtualization", std::string("Disabled")}}).has_value());
  CHECK(m.settings.current(virtualization) == AttributeValue(std::string("Enabled")));
  m.settings.want_secure_boot(true);
  m.request_power(PowerRequest::ForceRestart, Source::Redfish);
  bench.after(20s);
  CHECK(m.settings.current(virtualization) == AttributeValue(std::string("Disabled")));
  CHECK(m.settings.secure_boot());
  CHECK(m.settings.pending().empty());

  CHECK(m.settings.stage({{"Nonsense", true}}).error().code == nimbus::Code::NotFound);
  CHECK(m.settings.stage({{"ProcVirtualization", std::string("Maybe")}}).error().code == nimbus::Code::Invalid);
  CHECK(m.settings.stage({{"ProcVirtualization", true}}).error().code == nimbus::Code::Invalid);
  CHECK(m.settings.stage({{"AcPwrRcvryDelay", std::int64_t{601}}}).error().code == nimbus::Code::Invalid);
  CHECK(m.settings.stage({{"SystemBiosVersion", std::string("9")}}).error().code == nimbus::Code::Unsupported);
  // All or none: the good one of a bad pair is not staged.
  CHECK_FALSE(m.settings.stage({{"LogicalProc", std::string("Disabled")}, {"QuietBoot", std::int64_t{1}}}).has_value());
  CHECK(m.settings.pending().empty());
}

TEST_CASE("crossing a threshold writes an event, coming back writes its end") {
  Bench bench({}, Power::On);
  Machine& m = *bench.machine;
  const Sensor& inlet = *m.hardware().sensor(1);
  CHECK(m.events.records().empty());
  m.pin_reading(inlet, 40);
  REQUIRE(m.events.records().size() == 1);
  CHECK(m.events.records()[0].bytes[12] == 0x01);
  CHECK((m.events.records()[0].bytes[13] & 0x0f) == 0x07);
  m.pin_reading(inlet, 22);
  REQUIRE(m.events.records().size() == 2);
  CHECK(m.events.records()[1].bytes[12] == 0x81);
}

TEST_CASE("a reading is pinned to what one byte of its sensor can hold") {
  Bench bench({}, Power::On);
  Machine& m = *bench.machine;
  const Sensor& inlet = *m.hardware().sensor(1);
  m.pin_reading(inlet, 1e308);
  CHECK(m.reading(inlet).value() <= 255 * inlet.scale + inlet.offset);
  m.pin_reading(inlet, -1e308);
  CHECK(m.reading(inlet).value() >= inlet.offset);
}

TEST_CASE("a machine that is off has no fan speed but an inlet temperature") {
  Bench bench;
  CHECK_FALSE(bench.machine->reading(*bench.machine->hardware().sensor(5)).has_value());
  CHECK(bench.machine->reading(*bench.machine->hardware().sensor(1)).has_value());
}

TEST_CASE("a BMC that restarts is away for a while") {
  Bench bench;
  bench.machine->restart_bmc(Source::Control);
  CHECK_FALSE(bench.machine->bmc_up());
  bench.after(30s);
  CHECK(bench.machine->bmc_up());
  CHECK(bench.machine->bmc_restarts() == 1);
}

TEST_CASE("the event log refuses when full until it is cleared") {
  EventLog log;
  for (std::size_t i = 0; i < EventLog::kCapacity; ++i) CHECK(log.add({}, {}).has_value());
  CHECK_FALSE(log.add({}, {}).has_value());
  CHECK(log.overflowed());
  log.clear({});
  CHECK_FALSE(log.overflowed());
  CHECK(log.add({}, {}).has_value());
}

TEST_CASE("a long text is cut in the journal") {
  Bench bench;
  bench.machine->record(Source::Redfish, std::string(100'000, 'x'), "");
  CHECK(bench.machine->journal.entries().back().what.size() == Journal::kMostText);
}

TEST_CASE("the journal keeps the newest entries and counts all") {
  Journal journal;
  for (std::size_t i = 0; i < Journal::kCapacity + 5; ++i) journal.add({});
  CHECK(journal.entries().size() == Journal::kCapacity);
  CHECK(journal.entries().front().number == 6);
  CHECK(journal.total() == Journal::kCapacity + 5);
}

TEST_CASE("every quirk has its own id and evidence, and profiles name known ones") {
  CHECK(quirk_table().size() == kQuirkCount);
  for (std::size_t i = 0; i < quirk_table().size(); ++i) {
    const auto& info = quirk_table()[i];
    CHECK(static_cast<std::size_t>(info.quirk) == i);
    CHECK(find_quirk(info.id) == info.quirk);
    CHECK(info.evidence.size() > 20);
  }
  CHECK(quirks_of(*find_profile("polite")).none());
  CHECK(quirks_of(*find_profile("idrac9")).count() > 3);
}

namespace {

/// Notes what a virtual machine was asked to do.
struct NotingHost final : HostBackend {
  std::vector<std::string> asked;
  void power_on(const BootRecord& boot) override { note("on", boot); }
  void power_off() override { asked.emplace_back("off"); }
  void reset(const BootRecord& boot) override { note("reset", boot); }
  void restarted_itself(const BootRecord& boot) override { note("restarted", boot); }
  void press_power_button() override { asked.emplace_back("button"); }
  void inject_nmi() override { asked.emplace_back("nmi"); }
  void console_input(std::string_view bytes) override { asked.emplace_back(bytes); }
  void media_changed() override { asked.emplace_back("media"); }
  void note(std::string_view what, const BootRecord& boot) {
    asked.push_back(std::string(what) + " " + std::string(to_string(boot.device)));
  }
};

}  // namespace

TEST_CASE(
    "a guest that restarts itself takes the override that waits, once, and firmware's own restarts are no boots") {
  Bench bench;
  Machine& m = *bench.machine;
  NotingHost host;
  m.attach(&host);
  m.request_power(PowerRequest::On, Source::Ipmi);
  bench.after(2s);
  m.host_restarted_itself();  // still in POST
  CHECK(m.last_boot().count == 1);
  bench.after(30s);
  m.set_boot_override({.enabled = BootEnabled::Once, .device = BootDevice::Pxe}, Source::Redfish);
  m.host_restarted_itself();
  CHECK(m.phase() == HostPhase::Post);
  CHECK(m.boot_override().enabled == BootEnabled::Disabled);
  bench.after(30s);
  m.host_restarted_itself();
  CHECK(host.asked == std::vector<std::string>{"on disk", "restarted pxe", "restarted disk"});
  CHECK(m.console.since(0).empty());  // what it prints is the guest's own
  m.request_power(PowerRequest::ForceOff, Source::Ipmi);
  bench.after(30s);
  m.host_restarted_itself();
  CHECK(m.power() == Power::Off);
}

TEST_CASE("a boot goes by the firmware's order; one that is staged has effect with the boot, also the guest's own") {
  Bench bench;
  Machine& m = *bench.machine;
  NotingHost host;
  m.attach(&host);
  m.set_boot_order({BootDevice::Cd, BootDevice::Pxe, BootDevice::Disk}, Source::Redfish);
  m.request_power(PowerRequest::On, Source::Ipmi);
  bench.after(60s);
  m.stage_boot_order({BootDevice::Disk, BootDevice::Pxe, BootDevice::Cd}, Source::Redfish);
  CHECK(m.boot_order().front() == BootDevice::Cd);
  CHECK(m.next_boot_order().front() == BootDevice::Disk);
  m.host_restarted_itself();
  CHECK(m.boot_order().front() == BootDevice::Disk);
  CHECK(m.last_boot().order == m.boot_order());
  CHECK(host.asked == std::vector<std::string>{"on pxe", "restarted disk"});  // no disc is in
}
