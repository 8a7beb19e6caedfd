#include "drivers/redfish/documents.hpp"

#include <doctest/doctest.h>

#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/origin.hpp"
#include "drivers/redfish/quirks.hpp"
#include "drivers/redfish/reset_types.hpp"

using namespace nimbus;
using namespace nimbus::redfish;

TEST_CASE("origin: https only, host and port in one form") {
  CHECK(Origin::parse("https://BMC-1.example/")->text() == "https://bmc-1.example:443");
  CHECK(Origin::parse("https://[::1]:8443")->text() == "https://[::1]:8443");
  for (const char* bad :
       {"", "bmc", "http://bmc", "https://", "https://a/b", "https://u@a", "https://a:0", "https://a?b"})
    CHECK_MESSAGE(Origin::parse(bad).error().code == Code::Invalid, std::string(bad));
}

TEST_CASE("origin: links are followed to the same place only") {
  const auto origin = *Origin::parse("https://bmc.example");
  CHECK(origin.target("/redfish/v1/Systems/1#/Boot") == "/redfish/v1/Systems/1");
  CHECK(origin.target("https://BMC.example:443/redfish/v1/x?a=b") == "/redfish/v1/x?a=b");
  for (const char* bad : {"", "redfish/v1", "https://evil.example/redfish", "https://bmc.example:8443/x",
                          "//evil.example/x", "http://bmc.example/x", "/a b", "/a\r\nX: y", "https://bmc.example",
                          "https://bmc.example@evil.example/", "https://bmc.example//evil"})
    CHECK_MESSAGE(origin.target(bad).error().code == Code::Corrupt, std::string(bad));
  CHECK(!origin.target("/" + std::string(3000, 'a')));
}

TEST_CASE("system: what is absent, null or of another type is empty") {
  const auto empty = read_system(*parse_document("{}"));
  CHECK(!empty.power);
  CHECK(!empty.reset);
  const auto odd = read_system(*parse_document(
      R"({"SerialNumber":null,"UUID":7,"PowerState":"Paused","Actions":[],"Links":{"ManagedBy":{"@odata.id":"/x"}}})"));
  CHECK(odd.serial.empty());
  CHECK(odd.uuid.empty());
  CHECK(odd.power_text == "Paused");
  CHECK(!odd.power);
  CHECK(odd.managers.empty());
  CHECK(read_system(*parse_document(R"({"PowerState":"poweringOn"})")).power == PowerState::PoweringOn);
  const auto old = read_system(*parse_document(R"({"Links":{"Managers":[{"@odata.id":"/m"},{"x":1}]}})"));
  CHECK(old.managers == std::vector<std::string>{"/m"});
  CHECK(!parse_document("[]"));
  CHECK(!parse_document("<html>"));
}

TEST_CASE("collection: members without a link are skipped, a flood is cut") {
  CHECK(read_members(*parse_document(R"({"Members":null})")).empty());
  CHECK(read_members(*parse_document(R"({"Members":[{},{"@odata.id":"/a"},null,{"@odata.id":""}]})")).size() == 1);
  std::string flood = R"({"Members":[)";
  for (int i = 0; i < 1000; ++i) flood += R"({"@odata.id":"/a"},)";
  CHECK(read_members(*parse_document(flood + "{}]}")).size() == kMostMembers);
}

TEST_CASE("reset types: the BMC's own spelling, fallbacks, never a toggle") {
  using V = std::vector<std::string>;
  CHECK(choose_reset_type(PowerAction::On, V{}) == "On");
  CHECK(choose_reset_type(PowerAction::On, V{"ForceOn", "ForceOff"}) == "ForceOn");
  CHECK(choose_reset_type(PowerAction::On, V{"PushPowerButton"}) == std::nullopt);
  CHECK(choose_reset_type(PowerAction::HardOff, V{"On", "ForceOff", "Off"}) == "ForceOff");
  CHECK(choose_reset_type(PowerAction::SoftOff, V{"On", "ForceOff"}) == std::nullopt);
  CHECK(choose_reset_type(PowerAction::SoftOff, V{"gracefulshutdown"}) == "gracefulshutdown");
  CHECK(choose_reset_type(PowerAction::Reset, V{"PowerCycle"}) == "PowerCycle");
  CHECK(
      read_reset_types(*parse_document(
          R"({"Parameters":[{"Name":"Other","AllowableValues":["x"]},{"Name":"ResetType","AllowableValues":["On","Nmi"]}]})")) ==
      V{"On", "Nmi"});
}

TEST_CASE("error body: list, object, keyed object, text, nothing") {
  const auto list = parse_error_body(R"({"error":{"code":"Base.1.0.GeneralError","message":"see below",
    "@Message.ExtendedInfo":[{"MessageId":"Base.1.8.Success","Severity":"OK","Message":"fine"},
    {"MessageId":"Base.1.8.ActionParameterNotSupported","MessageSeverity":"Warning","Message":"no such parameter"},
    {"MessageId":"IDRAC.2.8.SYS518","Severity":"Critical","Message":"data sources are not available"}]}})");
  CHECK(list.messages.size() == 4);
  CHECK(list.text() == "data sources are not available [IDRAC.2.8.SYS518]");
  CHECK(list.has("ActionParameterNotSupported"));
  CHECK(list.has("SYS518"));
  CHECK(!list.has("518"));
  const auto object = parse_error_body(R"({"error":{"@Message.ExtendedInfo":{"MessageId":"X.Y","Message":"one"}}})");
  CHECK(object.text() == "one [X.Y]");
  const auto keyed = parse_error_body(R"({"error":{"@Message.ExtendedInfo":{"0":{"Message":"Already powered OFF"}}}})");
  CHECK(keyed.says("already powered off"));
  CHECK(parse_error_body(R"({"@Message.ExtendedInfo":[{"Message":"at the top"}]})").text() == "at the top");
  CHECK(parse_error_body("plain text\nlabelled JSON\x1b[31m").text() == "plain text\\nlabelled JSON\\x1b[31m");
  CHECK(parse_error_body("<html>404</html>").text().empty());
  CHECK(parse_error_body("").text().empty());
  CHECK(parse_error_body("[1,2]").text().empty());
  CHECK(parse_error_body(R"({"error":{"message":")" + std::string(5000, 'x') + "\"}}").text().size() < 500);
}

TEST_CASE("error body: a message without a text has the summary's, and its own id") {
  const auto body = parse_error_body(R"({"error":{"code":"Base.1.0.GeneralError","message":"401 Unauthorized",
    "@Message.ExtendedInfo":[{"MessageId":"Base.1.8.NoValidSession"}]}})");
  CHECK(body.text() == "401 Unauthorized [Base.1.8.NoValidSession]");
  CHECK(parse_error_body(R"({"error":{"@Message.ExtendedInfo":[{"MessageId":"X.1.0.Y"}]}})").text() == "X.1.0.Y");
}

TEST_CASE("refusals: codes by status and message, Retry-After in the text") {
  const auto code = [](int status, std::string_view body, base::HttpHeaders headers = {}) {
    return refusal({.status = status, .headers = std::move(headers), .body = {}}, parse_error_body(body)).code;
  };
  CHECK(code(401, "") == Code::Auth);
  CHECK(code(403, "") == Code::Auth);
  CHECK(code(404, "") == Code::NotFound);
  CHECK(code(501, "") == Code::Unsupported);
  CHECK(code(409, "") == Code::Conflict);
  CHECK(code(429, "") == Code::RateLimited);
  CHECK(code(503, "") == Code::Busy);
  CHECK(code(400, "") == Code::Invalid);
  CHECK(code(302, "") == Code::Corrupt);
  CHECK(code(400, R"({"error":{"code":"Base.1.0.ActionNotSupported"}})") == Code::Unsupported);
  CHECK(code(400, R"({"error":{"@Message.ExtendedInfo":[{"MessageId":"Base.1.0.ResourceInUse"}]}})") == Code::Busy);
  const base::ClientResponse busy{.status = 503, .headers = {{"retry-after", "30"}}, .body = {}};
  CHECK(retry_after(busy) == std::chrono::seconds(30));
  CHECK(refusal(busy, {}).message == "the BMC answered 503 (it asks to wait 30 s)");
  CHECK(retry_after({.status = 503, .headers = {{"Retry-After", "-5"}}, .body = {}}) == std::nullopt);
  CHECK(retry_after({.status = 503, .headers = {{"Retry-After", "99999999999999999999"}}, .body = {}}) ==
        std::chrono::seconds(86'400));
}

TEST_CASE("quirks: matched by manufacturer, vendor and firmware, or forced") {
  CHECK(matches(BmcKind{.vendor = {}, .manufacturer = "Dell Inc.", .model = {}, .firmware = {}}, Effect::SerialInSku));
  CHECK(!matches(BmcKind{.vendor = {}, .manufacturer = "HPE", .model = {}, .firmware = {}}, Effect::SerialInSku));
  CHECK(is_forced({"IV-03"}, Effect::SerialInSku));
  CHECK(!matches(BmcKind{}, Effect::CloseConnections));
  // By the vendor that the service root names, and by a range of firmware.
  BmcKind dell{.vendor = "Dell", .manufacturer = "", .model = "PowerEdge R740", .firmware = "4.22.00.00"};
  CHECK(matches(dell, Effect::CdBootsPhysical));
  dell.firmware = "4.40.10.00";
  CHECK(!matches(dell, Effect::CdBootsPhysical));
  dell.firmware.clear();
  CHECK(!matches(dell, Effect::CdBootsPhysical));
}

TEST_CASE("versions: numbers as numbers, whatever separates them") {
  CHECK(is_older_version("4.9", "4.40.10"));
  CHECK(!is_older_version("4.40.10", "4.9"));
  CHECK(!is_older_version("6.00.30.00", "6.00.30.00"));
  CHECK(is_older_version("iLO 5 v2.46", "iLO 5 v2.47"));
  CHECK(is_older_version("1.2", "1.2.1"));
  CHECK(is_older_version("", "1"));
  CHECK(!is_older_version("99999999999999999999999999", "5"));
}

TEST_CASE("quirks: unknown ids are errors") {
  CHECK(check_quirk_ids({"RF-01"}));
  CHECK(check_quirk_ids({"RF-0l"}).error().message.find("did you mean 'RF-01'") != std::string::npos);
}
