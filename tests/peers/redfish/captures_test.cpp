// The driver against trees recorded from real servers, served as read-only BMCs.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/ports/bmc_observe.hpp"
#include "peer.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

std::string captures() {
  const char* other = ::getenv("NIMBUS_CAPTURES");
  return other != nullptr ? other : NIMBUS_SOURCE "/../shared/captures";
}

/// The recorded trees are not part of the project: without them and the Python of
/// scripts/setup the program ends as "skipped".
[[maybe_unused]] const bool kReady = [] {
  if (::access(captures().c_str(), R_OK) == 0 && ::access(python().c_str(), X_OK) == 0) return true;
  std::fprintf(stderr, "skipped: needs recorded trees in %s (or $NIMBUS_CAPTURES) and %s\n", captures().c_str(),
               python().c_str());
  std::_Exit(77);
}();

class Recorded {
 public:
  explicit Recorded(const std::string& archive) {
    const std::string command = "exec " + python() + " " NIMBUS_SOURCE "/tests/peers/captures/serve.py " + captures() +
                                "/" + archive + " " + folder_.path();
    pipe_ = ::popen(command.c_str(), "w");
    const auto deadline = in(60s);
    while (::access((folder_.path() + "/ready").c_str(), R_OK) != 0) {
      if (pipe_ == nullptr || std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no recorded BMC");
      std::this_thread::sleep_for(20ms);
    }
    std::ifstream(folder_.path() + "/ready") >> url >> pin;
  }
  ~Recorded() { ::pclose(pipe_); }
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;
  std::string posts() const {
    std::ifstream file(folder_.path() + "/posts");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string url;
  std::string pin;

 private:
  Folder folder_;
  FILE* pipe_ = nullptr;
};

struct Attached {
  const Recorded peer;
  const OneSecret secrets{"secret12"};
  std::unique_ptr<BmcDriver> driver = redfish::make_redfish_driver({});
  std::unique_ptr<Bmc> bmc;
  explicit Attached(const std::string& archive) : peer(archive) {
    auto attached = driver->attach(
        {.driver = "redfish", .address = peer.url, .tls = {.pins = {peer.pin}}, .credentials = {"bmc/1"}}, secrets);
    REQUIRE(attached.has_value());
    bmc = std::move(*attached);
  }
};

std::size_t count_of(const std::vector<SensorReading>& sensors, SensorKind kind) {
  return static_cast<std::size_t>(
      std::count_if(sensors.begin(), sensors.end(), [&](const auto& sensor) { return sensor.kind == kind; }));
}

struct Expected {
  const char* archive;
  Identity identity;
  PowerState power;
  const char* posts;  // what On and Reset send
};

void check(const Expected& expected) {
  const Recorded peer(expected.archive);
  const OneSecret secrets("secret12");
  const auto driver = redfish::make_redfish_driver({});
  auto bmc = driver->attach(
      {.driver = "redfish", .address = peer.url, .tls = {.pins = {peer.pin}}, .credentials = {"bmc/1"}}, secrets);
  REQUIRE(bmc.has_value());
  const auto power = (*bmc)->power()->power({in(20s)});
  REQUIRE_MESSAGE(power.has_value(), (power ? "" : power.error().text()));
  CHECK(*power == expected.power);
  const auto identity = (*bmc)->identity()->identity({in(20s)});
  REQUIRE_MESSAGE(identity.has_value(), (identity ? "" : identity.error().text()));
  CHECK_MESSAGE(*identity == expected.identity, identity->serial, " ", identity->uuid, " ", identity->bmc_guid);
  CHECK((*bmc)->power()->act(PowerAction::On, {in(20s)}) == WriteOutcome::Accepted);
  CHECK((*bmc)->power()->act(PowerAction::Reset, {in(20s)}) == WriteOutcome::Accepted);
  CHECK(peer.posts() == expected.posts);
  (*bmc)->close({in(5s)});
}

}  // namespace

TEST_CASE("recorded: Dell PowerEdge R750, iDRAC 9: the service tag is the serial") {
  check({.archive = "dell-r750-idrac9.tar.gz",
         .identity = {.serial = "F54P1G3",
                      .uuid = "4c4c4544-0035-3410-8050-c6c04f314733",
                      .bmc_guid = "3347314f-c0c6-5080-3410-00354c4c4544"},
         .power = PowerState::On,
         .posts =
             "/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset {\"ResetType\":\"On\"}\n"
             "/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset {\"ResetType\":\"ForceRestart\"}\n"});
}

TEST_CASE("recorded: HPE ProLiant DL325, iLO 5") {
  check({.archive = "hpe-dl325-ilo5.tar.xz",
         .identity = {.serial = "MXQ019020B",
                      .uuid = "36383150-3630-584d-5130-313930323042",
                      .bmc_guid = "1668bf7f-855a-5188-aece-3e5c1627ac7f"},
         .power = PowerState::On,
         .posts = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset {\"ResetType\":\"On\"}\n"
                  "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset {\"ResetType\":\"ForceRestart\"}\n"});
}

TEST_CASE("recorded: OpenBMC: resets by ActionInfo, no serial") {
  check({.archive = "openbmc-stock.tar.xz",
         .identity = {.serial = "", .uuid = "", .bmc_guid = "8e7365a4-ec9c-4e2d-be63-cf771c45267d"},
         .power = PowerState::Off,
         .posts = "/redfish/v1/Systems/system/Actions/ComputerSystem.Reset {\"ResetType\":\"On\"}\n"
                  "/redfish/v1/Systems/system/Actions/ComputerSystem.Reset {\"ResetType\":\"ForceRestart\"}\n"});
}

TEST_CASE("recorded: PowerEdge R750: parts, firmware, sensors, log as the tree has them") {
  const Attached at("dell-r750-idrac9.tar.gz");
  const auto parts = at.bmc->inventory()->inventory({in(30s)});
  REQUIRE_MESSAGE(parts.has_value(), (parts ? "" : parts.error().text()));
  CHECK(parts->vendor == "Dell Inc.");
  CHECK(parts->product == "PowerEdge R750");
  CHECK(parts->serial == "F54P1G3");
  CHECK(parts->memory == 549'755'813'888U);
  REQUIRE(parts->processors);  // the graphics processor in a slot is none
  REQUIRE(parts->processors->size() == 2);
  CHECK(parts->processors->front().model == "Intel(R) Xeon(R) Gold 6354 CPU @ 3.00GHz");
  CHECK(parts->processors->front().cores == 18U);
  REQUIRE(parts->modules);
  CHECK(parts->modules->size() == 16);
  REQUIRE(parts->drives);
  REQUIRE(parts->drives->size() == 3);
  const auto drive = std::find_if(parts->drives->begin(), parts->drives->end(),
                                  [](const Drive& one) { return one.serial == "61X0A002TCD8"; });
  REQUIRE(drive != parts->drives->end());
  CHECK(drive->kind == DriveKind::Nvme);
  CHECK(drive->size == 1'920'383'410'176U);
  REQUIRE(parts->ports);
  CHECK(parts->ports->size() == 5);
  CHECK(std::any_of(parts->ports->begin(), parts->ports->end(),
                    [](const NetworkPort& port) { return port.mac == "70:b5:e8:f0:52:dc" && port.link_up == false; }));

  const auto firmware = at.bmc->inventory()->firmware({in(30s)});
  REQUIRE(firmware.has_value());
  CHECK((*firmware)[0] == FirmwareVersion{"BIOS", "1.8.2"});
  CHECK((*firmware)[1] == FirmwareVersion{"BMC", "6.00.30.00"});
  CHECK(std::find(firmware->begin(), firmware->end(), FirmwareVersion{"TPM", "7.2.2.0"}) != firmware->end());

  const auto sensors = at.bmc->sensors()->sensors({in(30s)});
  REQUIRE(sensors.has_value());
  CHECK(sensors->size() == 63);
  CHECK(count_of(*sensors, SensorKind::Fan) == 6);
  CHECK(sensors->front().name == "CPU1 Temp");
  CHECK(sensors->front().value == 37);

  const auto log = at.bmc->event_log()->entries(3, {in(30s)});  // it lists the newest first
  REQUIRE(log.has_value());
  REQUIRE(log->size() == 3);
  CHECK((*log)[0].id == "1022");
  CHECK((*log)[2].id == "1024");
  CHECK((*log)[2].severity == Health::Ok);
}

TEST_CASE("recorded: DL325: no drives outside HPE's own schema; the log lists the oldest first") {
  const Attached at("hpe-dl325-ilo5.tar.xz");
  const auto parts = at.bmc->inventory()->inventory({in(30s)});
  REQUIRE_MESSAGE(parts.has_value(), (parts ? "" : parts.error().text()));
  REQUIRE(parts->processors);
  CHECK(parts->processors->front() ==
        Processor{"Proc 1", "Advanced Micro Devices, Inc.", "AMD EPYC 7302P 16-Core Processor", 16U, 32U});
  REQUIRE(parts->modules);
  CHECK(parts->modules->size() == 4);  // of 16 slots
  REQUIRE(parts->drives);
  CHECK(parts->drives->empty());
  REQUIRE(parts->ports);
  CHECK(parts->ports->at(2).mac == "14:02:ec:d9:3a:a0");
  CHECK(parts->ports->at(2).speed_mbps == 25'000U);
  const auto sensors = at.bmc->sensors()->sensors({in(30s)});
  REQUIRE(sensors.has_value());
  CHECK(sensors->front() == SensorReading{"01-Inlet Ambient", SensorKind::Temperature, "Cel", 17, "", Health::Ok});
  const auto log = at.bmc->event_log()->entries(3, {in(30s)});
  REQUIRE(log.has_value());
  CHECK(log->back().id == "143");
}

TEST_CASE("recorded: OpenBMC: a tree with next to nothing in it") {
  const Attached at("openbmc-stock.tar.xz");
  const auto parts = at.bmc->inventory()->inventory({in(30s)});
  REQUIRE_MESSAGE(parts.has_value(), (parts ? "" : parts.error().text()));
  REQUIRE(parts->modules);
  CHECK(parts->modules->empty());
  CHECK(!parts->ports);  // not offered is not "none"
  const auto firmware = at.bmc->inventory()->firmware({in(30s)});
  REQUIRE(firmware.has_value());
  CHECK(firmware->front() == FirmwareVersion{"BMC", "2.15.0-dev-686-g100c36de90"});
  const auto log = at.bmc->event_log()->entries(5, {in(30s)});
  REQUIRE(log.has_value());
  CHECK(log->empty());
}

TEST_CASE("recorded: the firmware's boot order, with its names") {
  const Attached dell("dell-r750-idrac9.tar.gz");
  const auto order = dell.bmc->boot()->boot_order({in(20s)});
  REQUIRE_MESSAGE(order.has_value(), (order ? "" : order.error().text()));
  REQUIRE(order->next.size() == 5);
  CHECK(order->next[0] == BootEntry{.id = "Boot0000", .name = "HTTP Device 1: NIC in Slot 5 Port 1"});
  CHECK(order->next[4].name == "PCIe SSD in Slot 2 in Bay 1: EFI Fixed Disk Boot Device 1");
  CHECK(order->now == std::vector<std::string>{"Boot0000", "Boot0001", "Boot0003", "Boot0004", "Boot0002"});

  const Attached hpe("hpe-dl325-ilo5.tar.xz");
  const auto other = hpe.bmc->boot()->boot_order({in(20s)});
  REQUIRE_MESSAGE(other.has_value(), (other ? "" : other.error().text()));
  REQUIRE(other->next.size() == 5);
  CHECK(other->next[1] == BootEntry{.id = "Boot0001", .name = "cray (sda1)"});

  const Attached openbmc("openbmc-stock.tar.xz");
  CHECK(openbmc.bmc->boot()->boot_order({in(20s)}).error().code == Code::Unsupported);
}
