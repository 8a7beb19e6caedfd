#include "drivers/redfish/redfish_bmc.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "drivers/redfish/driver.hpp"
#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

const Call kCall{.deadline = MonoTime::max()};

struct Setup {
  FakeService service;
  FakeSecrets secrets;
  BmcEndpoint endpoint{.driver = "redfish", .address = "https://bmc.example", .credentials = {"bmc/good"}};
  std::unique_ptr<Bmc> bmc;

  Setup() { attach(); }
  void attach() {
    auto shared = std::make_shared<Service>(
        Session(endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service)));
    bmc = std::make_unique<RedfishBmc>(endpoint, std::move(shared), std::make_shared<LearntQuirks>());
  }
  Result<PowerState> power() { return bmc->power()->power(kCall); }
  Result<Identity> identity() { return bmc->identity()->identity(kCall); }
  Result<WriteOutcome> act(PowerAction action) { return bmc->power()->act(action, kCall); }
  unsigned long session() { return bmc->identity()->session(); }
  long count(std::string_view line) { return std::count(service.log.begin(), service.log.end(), line); }
};

}  // namespace

TEST_CASE("redfish: login, discovery once, then one read per poll") {
  Setup s;
  CHECK(s.power() == PowerState::Off);
  CHECK(s.service.log == std::vector<std::string>{"GET /redfish/v1/", "POST /redfish/v1/SessionService/Sessions",
                                                  "GET /redfish/v1/Systems", "GET /redfish/v1/Systems/1"});
  s.service.log.clear();
  s.service.power = "On";
  CHECK(s.power() == PowerState::On);
  CHECK(s.power() == PowerState::On);
  CHECK(s.service.log == std::vector<std::string>{"GET /redfish/v1/Systems/1", "GET /redfish/v1/Systems/1"});
  CHECK(s.secrets.asked == std::vector<std::string>{"bmc/good for https://bmc.example"});
  CHECK(s.session() == 1);
  s.bmc->close(kCall);
  CHECK(s.service.log.back() == "DELETE /redfish/v1/SessionService/Sessions/7");
}

TEST_CASE("redfish: identity is normalised; Dell's serial is the SKU") {
  Setup s;
  const auto id = s.identity();
  REQUIRE(id.has_value());
  CHECK(*id == Identity{.serial = "S1",
                        .uuid = "4c4c4544-0033-4110-8041-b7c04f314232",
                        .bmc_guid = "aaaaaaaa-0000-0000-0000-000000000001"});
  s.service.resources["/redfish/v1/Systems/1"] =
      FakeService::system("1", "BOARD", true, R"(,"Manufacturer":"Dell Inc.","SKU":"F54P1G3")");
  CHECK(s.identity()->serial == "F54P1G3");
  s.service.resources.erase("/redfish/v1/Managers/1");
  CHECK(s.identity()->bmc_guid.empty());
}

TEST_CASE("redfish: actions are sent once, by allowable values") {
  Setup s;
  REQUIRE(s.identity().has_value());
  CHECK(s.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(s.act(PowerAction::SoftOff) == WriteOutcome::Accepted);
  CHECK(s.act(PowerAction::HardOff) == WriteOutcome::Accepted);
  CHECK(s.act(PowerAction::Reset) == WriteOutcome::Accepted);
  CHECK(s.service.resets == std::vector<std::string>{"On", "GracefulShutdown", "ForceOff", "ForceRestart"});
}

TEST_CASE("redfish: allowable values from ActionInfo, asked once") {
  Setup s;
  s.service.resources["/redfish/v1/Systems/1"] = FakeService::system(
      "1", "S1", false,
      R"(,"Actions":{"#ComputerSystem.Reset":{"target":"/redfish/v1/Systems/1/Reset","@Redfish.ActionInfo":"/redfish/v1/Info"}})");
  s.service.resources["/redfish/v1/Info"] =
      R"({"Parameters":[{"Name":"ResetType","AllowableValues":["ForceOn","ForceOff"]}]})";
  REQUIRE(s.identity().has_value());
  CHECK(s.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(s.act(PowerAction::SoftOff).error().code == Code::Unsupported);
  CHECK(s.service.resets == std::vector<std::string>{"ForceOn"});
  CHECK(s.count("GET /redfish/v1/Info") == 1);
}

TEST_CASE("redfish: nothing is written before the identity was read on this session, or after it was lost") {
  Setup s;
  CHECK(s.act(PowerAction::On).error().code == Code::Conflict);
  CHECK(s.service.log.empty());
  REQUIRE(s.power().has_value());
  CHECK(s.act(PowerAction::On).error().code == Code::Conflict);
  REQUIRE(s.identity().has_value());
  s.service.connection_lost = true;
  CHECK(s.act(PowerAction::On).error().code == Code::Conflict);
  const auto before = s.session();
  REQUIRE(s.power().has_value());
  CHECK(s.session() == before + 1);
  CHECK(s.act(PowerAction::On).error().code == Code::Conflict);
  CHECK(s.service.resets.empty());
  REQUIRE(s.identity().has_value());
  CHECK(s.act(PowerAction::On) == WriteOutcome::Accepted);
}

TEST_CASE("redfish: an expired session is renewed for reads and stops a write") {
  Setup s;
  REQUIRE(s.identity().has_value());
  s.service.token = "another";
  CHECK(s.power() == PowerState::Off);
  CHECK(s.service.tokens == 2);
  CHECK(s.session() == 2);
  REQUIRE(s.identity().has_value());
  s.service.token = "another";
  CHECK(s.act(PowerAction::On).error().code == Code::Conflict);
  CHECK(s.service.resets.empty());
  // A BMC that refuses every token is asked twice, not for ever.
  s.service.before = [](const ClientRequest& request) -> std::optional<Answer> {
    if (request.method == "GET" && request.target == "/redfish/v1/Systems/1") return FakeService::response(401);
    return std::nullopt;
  };
  s.service.log.clear();
  CHECK(s.power().error().code == Code::Auth);
  CHECK(s.count("GET /redfish/v1/Systems/1") <= 2);
}

TEST_CASE("redfish: a BMC without connections kept: the machine is looked at right before the write") {
  Setup s;
  s.service.keeps = false;
  REQUIRE(s.identity().has_value());
  CHECK(s.session() == 1);
  CHECK(s.act(PowerAction::On) == WriteOutcome::Accepted);
  REQUIRE(s.identity().has_value());
  s.service.resources["/redfish/v1/Systems/1"] = FakeService::system("1", "OTHER", true);
  CHECK(s.act(PowerAction::HardOff).error().code == Code::Conflict);
  CHECK(s.service.resets.size() == 1);
}

TEST_CASE("redfish: a BMC that promises to keep connections and never does can still be written to") {
  Setup s;
  s.service.before = [&](const ClientRequest&) -> std::optional<Answer> {
    s.service.connection_lost = true;  // for the next one
    return std::nullopt;
  };
  bool done = false;
  for (int i = 0; i < 5 && !done; ++i) {
    (void)s.identity();
    done = s.act(PowerAction::On).has_value();
  }
  CHECK(done);
  CHECK(s.service.resets.size() == 1);
}

TEST_CASE("redfish: Basic only where sessions never worked") {
  Setup s;
  s.service.sessions = false;
  CHECK(s.power() == PowerState::Off);
  REQUIRE(s.identity().has_value());
  CHECK(s.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(s.count("POST /redfish/v1/SessionService/Sessions") == 1);
  Setup had;
  CHECK(had.power() == PowerState::Off);
  had.service.sessions = false;
  had.service.token.clear();
  had.service.log.clear();
  CHECK(had.power().error().code == Code::Auth);
  CHECK(had.service.log ==
        std::vector<std::string>{"GET /redfish/v1/Systems/1", "POST /redfish/v1/SessionService/Sessions"});
}

TEST_CASE("redfish: credentials in order; a refused one is not sent again until it changes") {
  Setup s;
  s.endpoint.credentials = {"bmc/missing", "bmc/wrong", "bmc/good"};
  s.attach();
  CHECK(s.power() == PowerState::Off);
  CHECK(s.count("POST /redfish/v1/SessionService/Sessions") == 2);
  s.service.token.clear();
  CHECK(s.power() == PowerState::Off);
  CHECK(s.count("POST /redfish/v1/SessionService/Sessions") == 3);  // the good one first

  Setup locked;
  locked.endpoint.credentials = {"bmc/wrong"};
  locked.attach();
  const auto first = locked.power();
  CHECK(first.error().code == Code::Auth);
  CHECK(first.error().text().find("wrong\"") == std::string::npos);
  const auto sent = locked.service.log.size();
  CHECK(locked.power().error().code == Code::Auth);
  CHECK(locked.service.log.size() == sent);
  locked.secrets.passwords["bmc/wrong"] = "right";
  CHECK(locked.power() == PowerState::Off);
}

TEST_CASE("redfish: trouble with the BMC is not blamed on credentials") {
  Setup s;
  s.endpoint.credentials = {"bmc/wrong", "bmc/good"};
  s.attach();
  s.service.before = [](const ClientRequest& request) -> std::optional<Answer> {
    if (request.method != "POST") return std::nullopt;
    return FakeService::response(
        503,
        R"({"error":{"@Message.ExtendedInfo":[{"MessageId":"IDRAC.2.4.RAC0218","Message":"too many sessions"}]}})");
  };
  const auto busy = s.power();
  CHECK(busy.error().code == Code::Busy);
  CHECK(busy.error().message.find("too many sessions") != std::string::npos);
  CHECK(s.count("POST /redfish/v1/SessionService/Sessions") == 1);
}

TEST_CASE("redfish: what became of a write") {
  struct Case {
    Answer answer;
    std::optional<WriteOutcome> outcome;
    Code code;
  };
  const auto r = [](int status, std::string body = "") {
    return Answer(FakeService::response(status, std::move(body)));
  };
  const Case cases[] = {
      {r(200), WriteOutcome::Accepted, Code::Internal},
      {r(202), WriteOutcome::Accepted, Code::Internal},
      {r(500), WriteOutcome::Unknown, Code::Internal},
      {FakeService::failure(Code::Timeout, true), WriteOutcome::Unknown, Code::Internal},
      {FakeService::failure(Code::Unreachable, true), WriteOutcome::Unknown, Code::Internal},
      {FakeService::failure(Code::Unreachable, false), std::nullopt, Code::Unreachable},
      {FakeService::failure(Code::Untrusted, false), std::nullopt, Code::Untrusted},
      {r(401), std::nullopt, Code::Conflict},
      {r(403), std::nullopt, Code::Auth},
      {r(404), std::nullopt, Code::Conflict},
      {r(429), std::nullopt, Code::RateLimited},
      {r(501), std::nullopt, Code::Unsupported},
      {r(503), std::nullopt, Code::Busy},
      {r(409), std::nullopt, Code::Busy},
      {r(400, R"({"error":{"code":"iLO.2.14.InvalidOperationForSystemState"}})"), std::nullopt, Code::Busy},
      {r(400, R"({"error":{"code":"Base.1.8.ActionParameterNotSupported"}})"), std::nullopt, Code::Unsupported},
      {r(400, R"({"error":{"code":"Base.1.12.NoOperation"}})"), WriteOutcome::AlreadySo, Code::Internal},
  };
  for (const auto& one : cases) {
    Setup s;
    REQUIRE(s.identity().has_value());
    s.service.on_reset = [&](const ClientRequest&) { return one.answer; };
    const auto got = s.act(PowerAction::On);
    const std::string what = one.answer ? std::to_string(one.answer->status) : "failure";
    CHECK_MESSAGE(got.has_value() == one.outcome.has_value(), what);
    if (got && one.outcome) CHECK_MESSAGE(*got == *one.outcome, what);
    if (!got && !one.outcome) CHECK_MESSAGE(got.error().code == one.code, what);
    CHECK(s.service.resets.size() == 1);
  }
}

TEST_CASE("redfish: refused because it is so already") {
  Setup s;
  s.service.power = "On";
  REQUIRE(s.identity().has_value());
  s.service.on_reset = [](const ClientRequest&) {
    return Answer(FakeService::response(409, R"({"error":{"message":"Host is powered on"}})"));
  };
  CHECK(s.act(PowerAction::On) == WriteOutcome::AlreadySo);
}

TEST_CASE("redfish: a BMC that refuses to be asked for uncompressed answers") {
  Setup s;
  s.service.before = [](const ClientRequest& request) -> std::optional<Answer> {
    if (request.target != "/redfish/v1/Systems/1" || request.coding == base::Coding::Unsaid) return std::nullopt;
    return FakeService::response(406);
  };
  CHECK(s.power() == PowerState::Off);
}

TEST_CASE("redfish: several Systems: named, or the only one with a Reset, or a list to choose from") {
  Setup s;
  s.service.resources["/redfish/v1/Systems"] =
      R"({"Members":[{"@odata.id":"/redfish/v1/Systems/HGX"},{"@odata.id":"/redfish/v1/Systems/1"}]})";
  s.service.resources["/redfish/v1/Systems/HGX"] = FakeService::system("HGX", "GPU", false);
  CHECK(s.identity()->serial == "S1");
  s.service.resources["/redfish/v1/Systems/HGX"] = FakeService::system("HGX", "GPU", true);
  s.attach();
  const auto unclear = s.power();
  CHECK(unclear.error().code == Code::Invalid);
  CHECK(unclear.error().message.find("HGX, 1") != std::string::npos);
  s.endpoint.system = "HGX";
  s.attach();
  CHECK(s.identity()->serial == "GPU");
  s.endpoint.system = "nope";
  s.attach();
  CHECK(s.power().error().message.find("HGX, 1") != std::string::npos);
}

TEST_CASE("redfish: odd power states are errors with the BMC's word, not guesses") {
  Setup s;
  s.service.power = "Paused\x1b";
  CHECK(s.power().error().code == Code::Corrupt);
  s.service.power = "Paused";
  CHECK(s.power().error().message.find("'Paused'") != std::string::npos);
  s.service.resources["/redfish/v1/Systems/1"] = R"({"Id":"1"})";
  CHECK(s.power().error().code == Code::Unsupported);
  s.service.power = "PoweringOff";
  s.service.resources["/redfish/v1/Systems/1"] = FakeService::system("1", "S1", true);
  CHECK(s.power() == PowerState::PoweringOff);
}

TEST_CASE("redfish: paths that move are found again") {
  Setup s;
  CHECK(s.power() == PowerState::Off);
  s.service.resources["/redfish/v1/Systems"] = R"({"Members":[{"@odata.id":"/redfish/v1/Systems/new/"}]})";
  s.service.resources["/redfish/v1/Systems/new/"] = FakeService::system("new", "S2", true);
  s.service.resources.erase("/redfish/v1/Systems/1");
  CHECK(s.identity()->serial == "S2");
}

TEST_CASE("redfish: links to elsewhere are not followed") {
  Setup s;
  s.service.resources["/redfish/v1/Systems"] =
      R"({"Members":[{"@odata.id":"https://evil.example/redfish/v1/Systems/1"}]})";
  CHECK(s.power().error().code == Code::Corrupt);
  CHECK(s.count("GET https://evil.example/redfish/v1/Systems/1") == 0);
}

TEST_CASE("redfish driver: endpoints that cannot be used are refused before anything is sent") {
  const auto driver = make_redfish_driver({});
  const FakeSecrets secrets;
  const BmcEndpoint good{.driver = "redfish",
                         .address = "https://bmc.example",
                         .tls = {.pins = {"spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="}},
                         .credentials = {"bmc/good"}};
  CHECK(driver->attach(good, secrets).has_value());
  const auto refused = [&](auto change) {
    BmcEndpoint bad = good;
    change(bad);
    const auto bmc = driver->attach(bad, secrets);
    return !bmc && bmc.error().code == Code::Invalid;
  };
  CHECK(refused([](BmcEndpoint& e) { e.address = "http://bmc.example"; }));
  CHECK(refused([](BmcEndpoint& e) { e.tls.pins = {}; }));
  CHECK(refused([](BmcEndpoint& e) { e.tls.pins = {"sha256//x"}; }));
  CHECK(refused([](BmcEndpoint& e) { e.tls = {.pins = {}, .ca = "unknown"}; }));
  CHECK(refused([](BmcEndpoint& e) { e.credentials = {}; }));
  CHECK(refused([](BmcEndpoint& e) { e.quirks = {"IP-99"}; }));
}

TEST_CASE("redfish: how far the BMC's clock is off") {
  Setup s;
  const auto manager = [&](const std::string& time) {
    s.service.resources["/redfish/v1/Managers/1"] = R"({"ManagerType":"BMC","DateTime":")" + time + "\"}";
    REQUIRE(s.identity().has_value());
    return s.bmc->traits().clock_off;
  };
  const auto off = manager("2001-01-01T00:00:00Z");
  REQUIRE(off);
  CHECK(*off < -std::chrono::hours(24 * 365 * 20));
  const auto ahead = manager("2100-01-01T01:00:00+01:00");
  REQUIRE(ahead);
  CHECK(*ahead > std::chrono::hours(0));
  CHECK(!manager("yesterday"));
  CHECK(!manager(""));
}

TEST_CASE("redfish: of several managers the one that is a BMC") {
  Setup s;
  auto& resources = s.service.resources;
  const std::string one = R"([{"@odata.id":"/redfish/v1/Managers/1"}])";
  auto& system = resources["/redfish/v1/Systems/1"];
  system.replace(system.find(one), one.size(),
                 R"([{"@odata.id":"/redfish/v1/Managers/E"},{"@odata.id":"/redfish/v1/Managers/1"}])");
  resources["/redfish/v1/Managers/E"] =
      R"({"UUID":"AAAAAAAA-0000-0000-0000-00000000000E","ManagerType":"EnclosureManager","FirmwareVersion":"9"})";
  CHECK(s.identity().value().bmc_guid == "aaaaaaaa-0000-0000-0000-000000000001");
}

TEST_CASE("redfish: each request names the protocol's version, and a body its type") {
  Setup s;
  int seen = 0;
  s.service.before = [&](const ClientRequest& request) -> std::optional<Answer> {
    ++seen;
    CHECK(base::find_header(request.headers, "OData-Version") == "4.0");
    CHECK(base::find_header(request.headers, "Content-Type").has_value() == !request.body.empty());
    return std::nullopt;
  };
  CHECK(s.power() == PowerState::Off);
  CHECK(s.identity());
  CHECK(s.act(PowerAction::On) == WriteOutcome::Accepted);
  CHECK(seen > 5);
}
