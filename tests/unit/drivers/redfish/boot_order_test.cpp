#include "drivers/redfish/boot_order.hpp"

#include <doctest/doctest.h>

#include "drivers/redfish/redfish_bmc.hpp"
#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

using Ids = std::vector<std::string>;
const Call kCall{.deadline = MonoTime::max()};
constexpr const char* kSystem = "/redfish/v1/Systems/1";
constexpr const char* kSettings = "/redfish/v1/Systems/1/Pending";

std::string json_of(const Ids& order) {
  auto list = base::Json::array();
  for (const auto& id : order) list.push(id);
  return list.text();
}

/// A BMC with five entries; where `settings` the order is written there, and the System shows the present one.
struct OrderService {
  FakeService service;
  FakeSecrets secrets;
  BmcEndpoint endpoint{.driver = "redfish", .address = "https://bmc.example", .credentials = {"bmc/good"}};
  Ids now{"Boot0", "Boot1", "Boot2"}, next = now;
  const bool settings;
  bool keeps = true;  // what is written
  int status = 200;
  std::vector<std::string> patches;
  std::unique_ptr<Bmc> bmc;

  explicit OrderService(bool with_settings) : settings(with_settings) {
    service.resources["/redfish/v1/Systems/1/BootOptions"] = R"({"Members":[{"@odata.id":"/redfish/v1/o/1"},
      {"@odata.id":"/redfish/v1/o/2"},{"@odata.id":"/redfish/v1/gone"}]})";
    service.resources["/redfish/v1/o/1"] = R"({"BootOptionReference":"Boot1","DisplayName":"Disk"})";
    service.resources["/redfish/v1/o/2"] = R"({"BootOptionReference":"Boot2","Name":"Network"})";
    service.before = [this](const ClientRequest& request) { return answer(request); };
    bmc = std::make_unique<RedfishBmc>(endpoint,
                                       std::make_shared<Service>(Session(endpoint, *Origin::parse(endpoint.address),
                                                                         secrets, std::make_unique<FakeHttp>(service))),
                                       std::make_shared<LearntQuirks>());
    REQUIRE(bmc->identity()->identity(kCall).has_value());
  }
  std::optional<Answer> answer(const ClientRequest& request) {
    if (request.method == "PATCH") {
      patches.push_back(request.target + " " + request.body);
      if (status == 200 && keeps) {
        next.clear();
        const auto body = base::parse_json(request.body);
        for (const auto& id : (*body)["Boot"]["BootOrder"].items()) next.emplace_back(id.as_string().value_or("?"));
        if (!settings) now = next;
      }
      return FakeService::response(status, R"({"error":{"message":"no such luck"}})");
    }
    if (request.target == kSettings)
      return FakeService::response(200, R"({"Boot":{"BootOrder":)" + json_of(next) + "}}");
    if (request.target != kSystem) return std::nullopt;
    std::string extra =
        R"(,"Boot":{"BootOptions":{"@odata.id":"/redfish/v1/Systems/1/BootOptions"},"BootOrder":)" + json_of(now) + "}";
    if (settings)
      extra += R"(,"@Redfish.Settings":{"SettingsObject":{"@odata.id":")" + std::string(kSettings) +
               R"("},"SupportedApplyTimes":["OnReset"]})";
    auto text = FakeService::system("1", "S1", true, extra);
    text.replace(text.find("@POWER@"), 7, "Off");
    return FakeService::response(200, text);
  }
  Result<WriteOutcome> put_first(const Ids& first) { return bmc->boot()->set_boot_order(first, kCall); }
};

}  // namespace

TEST_CASE("boot order: entries with the names that the BMC has") {
  OrderService s(true);
  s.next = {"Boot2", "Boot1", "Boot0"};
  const auto order = s.bmc->boot()->boot_order(kCall);
  REQUIRE_MESSAGE(order.has_value(), (order ? "" : order.error().text()));
  CHECK(order->now == Ids{"Boot0", "Boot1", "Boot2"});
  CHECK(order->next == std::vector<BootEntry>{{"Boot2", "Network"}, {"Boot1", "Disk"}, {"Boot0", ""}});
}

TEST_CASE("boot order: written where the BMC has it, whole, and read back") {
  for (const bool settings : {false, true}) {
    CAPTURE(settings);
    OrderService s(settings);
    CHECK(s.put_first({"Boot2"}) == WriteOutcome::Accepted);
    REQUIRE(s.patches.size() == 1);
    const std::string time =
        R"(,"@Redfish.SettingsApplyTime":{"@odata.type":"#Settings.v1_1_0.PreferredApplyTime","ApplyTime":"OnReset"})";
    CHECK(s.patches[0] == std::string(settings ? kSettings : kSystem) +
                              R"( {"Boot":{"BootOrder":["Boot2","Boot0","Boot1"]})" + (settings ? time : "") + "}");
    CHECK(s.put_first({"Boot2", "Boot0"}) == WriteOutcome::AlreadySo);
    CHECK(s.put_first({}) == WriteOutcome::AlreadySo);
    CHECK(s.patches.size() == 1);
  }
}

TEST_CASE("boot order: nothing is sent for what is not in it; refusals and lies are told") {
  OrderService s(false);
  CHECK(s.put_first({"Boot9"}).error().code == Code::Invalid);
  CHECK(s.put_first({"Boot1", "Boot1"}).error().code == Code::Invalid);
  CHECK(s.patches.empty());
  s.keeps = false;
  CHECK(s.put_first({"Boot1"}).error().code == Code::Unsupported);
  s.status = 400;
  const auto refused = s.put_first({"Boot1"});
  CHECK(refused.error().code == Code::Invalid);
  CHECK(refused.error().text().find("no such luck") != std::string::npos);
  s.service.connection_lost = true;
  CHECK(s.bmc->power()->power(kCall).has_value());
  CHECK(s.put_first({"Boot1"}).error().code == Code::Conflict);
}

TEST_CASE("boot order: a BMC without one") {
  OrderService s(false);
  s.service.before = nullptr;
  CHECK(s.bmc->boot()->boot_order(kCall).error().code == Code::Unsupported);
}
