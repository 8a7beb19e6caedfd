#include "drivers/redfish/session.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "drivers/redfish/machine.hpp"
#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

const Call kCall{.deadline = MonoTime::max()};
constexpr const char* kSystem = "/redfish/v1/Systems/1";

struct Reader {
  FakeService service;
  FakeSecrets secrets;
  BmcEndpoint endpoint{.driver = "redfish", .address = "https://bmc.example", .credentials = {"bmc/good"}};
  std::shared_ptr<LearntQuirks> learnt = std::make_shared<LearntQuirks>();
  SharedSession session{
      Session(endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service))};
  Machine machine{endpoint, session, learnt};

  /// The next read of the System is answered so, once.
  void answer_once(int status, std::string retry_after) {
    service.before = [this, status, retry_after,
                      told = false](const ClientRequest& request) mutable -> std::optional<Answer> {
      if (told || request.target != kSystem) return std::nullopt;
      told = true;
      return FakeService::response(status, "", {{"Retry-After", retry_after}});
    };
  }
  void set_firmware(const std::string& version) {
    service.resources["/redfish/v1/Managers/1"] =
        R"({"UUID":"AAAAAAAA-0000-0000-0000-000000000001","ManagerType":"BMC","FirmwareVersion":")" + version + "\"}";
  }
};

}  // namespace

TEST_CASE("session: a BMC that names a time is left alone until then") {
  for (const int status : {429, 503}) {
    Reader r;
    REQUIRE(r.machine.identity(kCall).has_value());
    r.answer_once(status, "30");
    CHECK(!r.machine.read(kCall).has_value());
    r.service.log.clear();
    const auto again = r.machine.read(kCall);
    REQUIRE(!again.has_value());
    CHECK(again.error().code == Code::Busy);
    CHECK(again.error().text().find("30 s") != std::string::npos);
    const auto written =
        r.machine.session().write({.link = "/redfish/v1/Systems/1/Reset", .body = "{}"}, r.machine.number(), kCall);
    REQUIRE(!written.has_value());
    CHECK(!written.error().sent);
    CHECK(r.service.log.empty());
    r.machine.session().close(kCall);  // at shutdown there is no later
    CHECK(r.service.log.size() == 1);
  }
}

TEST_CASE("session: a BMC cannot ask to be left alone for more than a minute, or with nonsense") {
  Reader long_time;
  REQUIRE(long_time.machine.identity(kCall).has_value());
  long_time.answer_once(503, "99999999999999");
  CHECK(!long_time.machine.read(kCall).has_value());
  const auto again = long_time.machine.read(kCall);
  REQUIRE(!again.has_value());
  CHECK(again.error().text().find(" 60 s") != std::string::npos);
  for (const char* word : {"0", "", "soon", "-5", "Fri, 31 Dec 1999 23:59:59 GMT"}) {
    Reader r;
    REQUIRE(r.machine.identity(kCall).has_value());
    r.answer_once(503, word);
    CHECK(!r.machine.read(kCall).has_value());
    CHECK_MESSAGE(r.machine.read(kCall).has_value(), word);
  }
  Reader other_status;
  REQUIRE(other_status.machine.identity(kCall).has_value());
  other_status.answer_once(404, "30");
  CHECK(other_status.machine.read(kCall).has_value());  // looked for again, and found
}

TEST_CASE("session: what was learnt goes with the BMC and the firmware that taught it") {
  Reader r;
  REQUIRE(r.machine.identity(kCall).has_value());
  r.machine.learn(Effect::NoEtags);
  REQUIRE(r.machine.identity(kCall).has_value());
  CHECK(r.machine.has(Effect::NoEtags));
  r.service.log.clear();
  r.set_firmware("2.0");
  REQUIRE(r.machine.identity(kCall).has_value());
  CHECK(!r.machine.has(Effect::NoEtags));
  CHECK(std::ranges::count(r.service.log, "GET /redfish/v1/") == 1);  // what it can do is asked again
  r.machine.learn(Effect::NoEtags);
  r.service.resources[kSystem] = FakeService::system("1", "OTHER", true);
  REQUIRE(r.machine.identity(kCall).has_value());
  CHECK(!r.machine.has(Effect::NoEtags));
}
