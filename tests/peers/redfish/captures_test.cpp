// The driver against trees recorded from real servers, served as read-only BMCs.
#include <doctest/doctest.h>

#include "peer.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

std::string captures() {
  const char* other = ::getenv("NIMBUS_CAPTURES");
  return other != nullptr ? other : NIMBUS_SOURCE "/../shared/captures";
}

/// The recorded trees are not part of the project: without them these tests pass and
/// say so.
bool has(const std::string& archive) {
  if (::access((captures() + "/" + archive).c_str(), R_OK) == 0) return true;
  std::fprintf(stderr, "not checked: no recorded tree %s in %s\n", archive.c_str(), captures().c_str());
  return false;
}

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

struct Expected {
  const char* archive;
  Identity identity;
  PowerState power;
  const char* posts;  // what On and Reset send
};

void check(const Expected& expected) {
  if (!has(expected.archive)) return;
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
