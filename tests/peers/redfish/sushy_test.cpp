// The driver against sushy-tools' emulator. What happened is asked of the emulator's
// own database, its journal of requests, and curl.
#include <doctest/doctest.h>

#include <algorithm>

#include "peer.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

const std::string kScript = NIMBUS_SOURCE "/tests/peers/sushy/sushy.py";

/// Ends the program as "skipped" if the peers were never set up.
[[maybe_unused]] const bool kReady = [] {
  if (::access(python().c_str(), X_OK) == 0) return true;
  std::fprintf(stderr, "skipped: no %s; run scripts/setup\n", python().c_str());
  std::_Exit(77);
}();

class Sushy {
 public:
  explicit Sushy(const std::string& options = "") {
    std::istringstream list(run(python() + " " + kScript + " start " + folder_.path() + " --power-delay 0 " + options));
    std::string number;
    list >> number >> url >> pin;
    for (std::string uuid; list >> uuid;) systems.push_back(uuid);
  }
  ~Sushy() { (void)command("stop"); }
  Sushy(const Sushy&) = delete;
  Sushy& operator=(const Sushy&) = delete;

  std::string command(const std::string& verb, const std::string& rest = "") {
    auto out = run(python() + " " + kScript + " " + verb + " " + folder_.path() + " " + rest);
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  std::string power() { return command("power", "1"); }
  std::string curl(const std::string& path) { return run("curl -sk -u admin:secret12 " + url + path); }
  long requests(const std::string& part = "") {
    std::istringstream lines(command("requests", "1"));
    long count = 0;
    for (std::string line; std::getline(lines, line);) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }
  BmcEndpoint endpoint() const {
    return {.driver = "redfish", .address = url, .tls = {.pins = {pin}}, .credentials = {"bmc/1"}};
  }

  std::string url;
  std::string pin;
  std::vector<std::string> systems;

 private:
  Folder folder_;
};

struct Connected {
  OneSecret secrets;
  std::unique_ptr<BmcDriver> driver = redfish::make_redfish_driver({});
  std::unique_ptr<Bmc> bmc;
  explicit Connected(const BmcEndpoint& endpoint, std::string password = "secret12") : secrets(std::move(password)) {
    auto attached = driver->attach(endpoint, secrets);
    REQUIRE_MESSAGE(attached.has_value(), (attached ? "" : attached.error().text()));
    bmc = std::move(*attached);
  }
  Result<PowerState> power(std::chrono::milliseconds time = 10s) { return bmc->power()->power({in(time)}); }
  Result<Identity> identity() { return bmc->identity()->identity({in(10s)}); }
  Result<WriteOutcome> act(PowerAction action) { return bmc->power()->act(action, {in(10s)}); }
};

std::string text(const auto& result) { return result ? "ok" : result.error().text(); }

}  // namespace

TEST_CASE("sushy-tools: power on and off, seen by curl and in its database; one read per poll") {
  Sushy peer;
  Connected c(peer.endpoint());
  const auto first = c.power();
  REQUIRE_MESSAGE(first.has_value(), text(first));
  CHECK(*first == PowerState::Off);
  const auto id = c.identity();
  REQUIRE_MESSAGE(id.has_value(), text(id));
  CHECK(id->uuid == peer.systems[0]);
  CHECK(!id->bmc_guid.empty());

  CHECK(c.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(peer.curl("/redfish/v1/Systems/" + peer.systems[0]).find("\"PowerState\": \"On\"") != std::string::npos);
  CHECK(peer.power() == "on");
  CHECK(c.power() == PowerState::On);
  REQUIRE(c.identity().has_value());
  CHECK(c.act(PowerAction::HardOff) == WriteOutcome::Accepted);
  CHECK(c.power() == PowerState::Off);
  CHECK(peer.power() == "off");
  CHECK(peer.requests("POST") == 2);  // its service root names no sessions, so no login was tried

  (void)peer.command("power", "1 on");  // behind our back
  CHECK(c.power() == PowerState::On);

  const auto before = peer.requests();
  const auto session = c.bmc->identity()->session();
  for (int i = 0; i < 50; ++i) REQUIRE(c.power() == PowerState::On);
  CHECK(peer.requests() == before + 50);
  CHECK(c.bmc->identity()->session() == session);
}

TEST_CASE("sushy-tools: a wrong password is sent once, then no more") {
  Sushy peer;
  Connected c(peer.endpoint(), "wrong-password");
  const auto refused = c.power();
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::Auth);
  CHECK(refused.error().text().find("wrong-password") == std::string::npos);
  CHECK(peer.requests(" 401 ") == 1);
  CHECK(c.power().error().code == Code::Auth);
  CHECK(peer.requests(" 401 ") == 1);
}

TEST_CASE("sushy-tools: another key than the pinned one, and no request reaches it") {
  Sushy peer;
  const auto before = peer.requests();
  auto endpoint = peer.endpoint();
  endpoint.tls.pins = {"spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="};
  Connected c(endpoint);
  CHECK(c.power().error().code == Code::Untrusted);
  CHECK(peer.requests() == before);
}

TEST_CASE("sushy-tools: a BMC that hangs costs its deadline and no more; afterwards all is as before") {
  Sushy peer;
  Connected c(peer.endpoint());
  REQUIRE(c.identity().has_value());
  (void)peer.command("fault", "1 hang");
  for (int i = 0; i < 2; ++i) {  // on the kept connection, then on a new one
    const auto started = std::chrono::steady_clock::now();
    const auto hung = c.power(700ms);
    const auto took = std::chrono::steady_clock::now() - started;
    CHECK_MESSAGE(hung.error().code == Code::Timeout, text(hung));
    CHECK(took >= 700ms);
    CHECK(took < 3s);
  }
  (void)peer.command("fault", "1 resume");
  const auto again = c.power();
  CHECK_MESSAGE(again == PowerState::Off, text(again));
}

TEST_CASE("sushy-tools: a BMC that restarts: reads go on, writes wait for a new look at the identity") {
  Sushy peer;
  Connected c(peer.endpoint());
  REQUIRE(c.identity().has_value());
  const auto session = c.bmc->identity()->session();
  (void)peer.command("fault", "1 kill");
  const auto refused = c.act(PowerAction::On);  // Unreachable where the end of the connection was not seen yet
  REQUIRE(!refused);
  CHECK_MESSAGE((refused.error().code == Code::Conflict || refused.error().code == Code::Unreachable), text(refused));
  CHECK(c.power().error().code == Code::Unreachable);
  (void)peer.command("fault", "1 revive");
  const auto read = c.power();
  CHECK_MESSAGE(read == PowerState::Off, text(read));
  CHECK(c.bmc->identity()->session() != session);
  CHECK(c.act(PowerAction::On).error().code == Code::Conflict);
  CHECK(peer.power() == "off");
  REQUIRE(c.identity().has_value());
  CHECK(c.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(peer.power() == "on");
}

TEST_CASE("sushy-tools: two Systems behind one BMC") {
  Sushy peer("--systems 2");
  REQUIRE(peer.systems.size() == 2);
  Connected unnamed(peer.endpoint());
  const auto unclear = unnamed.power();
  CHECK(unclear.error().code == Code::Invalid);
  CHECK_MESSAGE(unclear.error().message.find(peer.systems[1]) != std::string::npos, text(unclear));
  auto endpoint = peer.endpoint();
  endpoint.system = peer.systems[1];
  Connected second(endpoint);
  CHECK(second.identity()->uuid == peer.systems[1]);
  CHECK(second.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(peer.power() == "off");  // of the first
  CHECK(second.power() == PowerState::On);
}

TEST_CASE("sushy-tools: a connection for each request where the registry says so") {
  Sushy peer;
  auto endpoint = peer.endpoint();
  endpoint.quirks = {"RF-01"};
  Connected c(endpoint);
  REQUIRE(c.identity().has_value());
  const auto session = c.bmc->identity()->session();
  CHECK(c.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(c.power() == PowerState::On);
  CHECK(c.bmc->identity()->session() == session);
}

TEST_CASE("sushy-tools: a boot override is armed although the emulator shows Continuous for Once") {
  Sushy peer;
  Connected c(peer.endpoint());
  REQUIRE(c.identity().has_value());
  const auto pxe = c.bmc->boot()->arm_boot(
      {.device = BootDevice::Pxe, .times = BootTimes::Once, .mode = {}, .http_uri = {}}, {in(10s)});
  CHECK_MESSAGE(pxe == WriteOutcome::Accepted, text(pxe));
  CHECK(peer.curl("/redfish/v1/Systems/" + peer.systems[0]).find("\"BootSourceOverrideTarget\": \"Pxe\"") !=
        std::string::npos);
}
