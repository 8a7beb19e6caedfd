// Quirks that the simulator has no toggle for, forced by their ids.
#include "drivers/redfish/quirks.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "drivers/redfish/redfish_bmc.hpp"
#include "drivers/redfish/walk.hpp"
#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

const Call kCall{.deadline = MonoTime::max()};

struct Forced {
  FakeService service;
  FakeSecrets secrets;
  BmcEndpoint endpoint;
  explicit Forced(std::vector<std::string> quirks)
      : endpoint{.driver = "redfish",
                 .address = "https://bmc.example",
                 .credentials = {"bmc/good"},
                 .quirks = std::move(quirks)} {}
  Session session() {
    return {endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service)};
  }
};

}  // namespace

TEST_CASE("quirk RF-15: lists are read member by member") {
  for (const bool forced : {false, true}) {
    Forced s(forced ? std::vector<std::string>{"RF-15"} : std::vector<std::string>{});
    s.service.sessions = false;
    s.service.resources["/redfish/v1/"] = R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},
      "ProtocolFeaturesSupported":{"ExpandQuery":{"NoLinks":true,"Levels":true}}})";
    s.service.resources["/redfish/v1/L"] = R"({"Members":[{"@odata.id":"/redfish/v1/a"}]})";
    s.service.resources["/redfish/v1/a"] = R"({"Id":"a"})";
    SharedSession session(s.session());
    Machine machine(s.endpoint, session, std::make_shared<LearntQuirks>());
    Walk walk(machine, kCall);
    const auto members = walk.members("/redfish/v1/L");
    REQUIRE(members);
    CHECK(members->size() == 1);
    const bool expanded = std::ranges::any_of(
        s.service.log, [](const std::string& line) { return line.find("$expand") != std::string::npos; });
    CHECK(expanded == !forced);
  }
}

TEST_CASE("quirk VM-11: no boot from Cd, and nothing is sent for it") {
  Forced s({"VM-11"});
  RedfishBmc bmc(s.endpoint, std::make_shared<Service>(s.session()), std::make_shared<LearntQuirks>());
  Bmc& port = bmc;
  REQUIRE(port.identity()->identity(kCall).has_value());
  s.service.log.clear();
  const auto done =
      port.boot()->arm_boot({.device = BootDevice::Cd, .times = BootTimes::Once, .mode = {}, .http_uri = {}}, kCall);
  REQUIRE(!done);
  CHECK(done.error().code == Code::Unsupported);
  CHECK(s.service.log.empty());
}

TEST_CASE("quirk AC-01: a free slot is written, never the first two, and no account is made") {
  Forced s({"AC-01"});
  const std::string accounts = "/redfish/v1/AccountService/Accounts";
  s.service.resources["/redfish/v1/"] = R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},
    "AccountService":{"@odata.id":"/redfish/v1/AccountService"}})";
  s.service.sessions = false;
  s.service.resources["/redfish/v1/AccountService"] = R"({"Accounts":{"@odata.id":")" + accounts + "\"}}";
  s.service.resources[accounts] = R"({"Members":[)";
  for (const char* slot : {"1", "2", "3", "4"}) {
    const std::string link = accounts + "/" + slot;
    s.service.resources[accounts] += (*slot == '1' ? "" : ",") + (R"({"@odata.id":")" + link) + "\"}";
    s.service.resources[link] = R"({"@odata.id":")" + link + R"(","Id":")" + slot + R"(","UserName":")" +
                                (*slot == '3' ? "root" : "") + R"(","RoleId":"None","Enabled":false})";
  }
  s.service.resources[accounts] += "]}";
  std::vector<std::string> written;
  s.service.before = [&](const ClientRequest& request) -> std::optional<Answer> {
    if (request.method != "PATCH" && request.method != "POST") return std::nullopt;
    written.push_back(request.method + " " + request.target);
    s.service.resources[request.target] = R"({"@odata.id":")" + request.target +
                                          R"(","Id":"4","UserName":"new","RoleId":"Administrator","Enabled":true})";
    return FakeService::response(200);
  };
  RedfishBmc bmc(s.endpoint, std::make_shared<Service>(s.session()), std::make_shared<LearntQuirks>());
  Bmc& port = bmc;
  REQUIRE(port.identity()->identity(kCall).has_value());
  const auto made = port.accounts()->put_account("new", Secret("word"), AccountRole::Administrator, kCall);
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().text()));
  CHECK(made->id == "4");
  CHECK(written == std::vector<std::string>{"PATCH " + accounts + "/4"});
}

TEST_CASE("quirk IP-01: requests leave a pause between them") {
  constexpr std::chrono::milliseconds kPause{60};
  Forced s({"IP-01"});
  SharedSession session(s.session(), kPause);
  REQUIRE(session.get("/redfish/v1/Systems/1", kCall));  // service root and login belong to it
  std::vector<MonoTime> times;
  s.service.before = [&](const ClientRequest&) -> std::optional<Answer> {
    times.push_back(std::chrono::steady_clock::now());
    return std::nullopt;
  };
  for (int i = 0; i < 3; ++i) REQUIRE(session.get("/redfish/v1/Systems/1", kCall));
  REQUIRE(times.size() == 3);
  CHECK(times[1] - times[0] >= kPause);
  CHECK(times[2] - times[1] >= kPause);
  // Who cannot wait so long is not answered later, and nothing is sent for it.
  const auto late = session.get("/redfish/v1/Systems/1", {std::chrono::steady_clock::now() + kPause / 6});
  CHECK(late.error().code == Code::Timeout);
  CHECK(times.size() == 3);
}
