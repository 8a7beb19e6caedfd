// The firmware's boot order: read, written, refused, and what is booted by it.
#include <doctest/doctest.h>

#include <algorithm>

#include "client.hpp"

using namespace nimbus::simulator;
using namespace std::chrono_literals;
using nimbus::base::Json;
using test::Client;
using test::header;
using test::with;

namespace {

const std::string kNetworkFirst = R"("BootOrder":["Boot0001","Boot0000","Boot0002","Boot0003","Boot0004"])";
const std::string kDiscFirst = R"("BootOrder":["Boot0002","Boot0001","Boot0000","Boot0003","Boot0004"])";
const std::string kUsualOrder = R"(["Boot0000","Boot0001","Boot0002","Boot0003","Boot0004"])";

BootDevice booted(Client& c) {
  const bool off = c.bench.machine->power() == Power::Off;
  c.status("POST", c.reset, off ? R"({"ResetType":"On"})" : R"({"ResetType":"ForceRestart"})");
  c.bench.after(60s);
  return c.bench.machine->last_boot().device;
}

/// "outcome: detail" of each entry of this kind.
std::vector<std::string> journal(const Client& c, std::string_view what) {
  std::vector<std::string> out;
  for (const auto& entry : c.bench.machine->journal.entries()) {
    if (entry.what == what) out.push_back(entry.outcome + ": " + entry.detail);
  }
  return out;
}

std::string message_id(const http::Response& response) {
  const auto body = nimbus::base::parse_json(response.body);
  return std::string((*body)["error"]["@Message.ExtendedInfo"].at(0)["MessageId"].as_string().value_or(""));
}

std::string related(const http::Response& response) {
  const auto body = nimbus::base::parse_json(response.body);
  const Json& first = (*body)["error"]["@Message.ExtendedInfo"].at(0);
  return std::string(first["RelatedProperties"].at(0).as_string().value_or(""));
}

}  // namespace

TEST_CASE("boot order: each reference has its option, and options that the BMC does not have are not there") {
  Client c;
  CHECK(c.boot()["BootOrder"].text() == kUsualOrder);
  const std::string path(*c.boot()["BootOptions"]["@odata.id"].as_string());
  const Json list = c.get(path);
  REQUIRE(list["Members"].size() == 5);
  for (std::size_t i = 0; i < list["Members"].size(); ++i) {
    const Json option = c.get(std::string(*list["Members"].at(i)["@odata.id"].as_string()));
    CHECK(option["BootOptionReference"].text() == c.boot()["BootOrder"].at(i).text());
    CHECK_FALSE(option["DisplayName"].as_string().value_or("").empty());
  }
  CHECK(c.get(path + "/Boot0001")["Alias"].as_string() == "Pxe");
  CHECK(c.status("GET", path + "/Boot0009") == 404);
  CHECK(c.status("GET", "/redfish/v1/Systems/2/BootOptions") == 404);
  Client no_http(with({Quirk::NoUefiHttp}));
  CHECK(no_http.boot()["BootOrder"].size() == 4);
  CHECK(no_http.status("GET", path + "/Boot0004") == 404);
  CHECK(no_http.set_boot(kNetworkFirst) == 400);
}

TEST_CASE("boot order: written, it decides what is booted where no override says otherwise") {
  Client c;
  CHECK(booted(c) == BootDevice::Disk);
  const auto answer = c.ask("PATCH", c.system, R"({"Boot":{)" + kNetworkFirst + "}}");
  CHECK(answer.status == 200);
  CHECK(c.boot()["BootOrder"].at(0).as_string() == "Boot0001");
  CHECK(booted(c) == BootDevice::Pxe);
  CHECK(c.bench.machine->last_boot().override_kind == BootEnabled::Disabled);
  CHECK(c.set_boot(R"("BootSourceOverrideTarget":"Cd","BootSourceOverrideEnabled":"Once")") == 200);
  CHECK(booted(c) == BootDevice::Cd);
  CHECK(booted(c) == BootDevice::Pxe);
  CHECK(journal(c, "boot-order") == std::vector<std::string>{"ok: pxe disk cd usb uefi-http"});
}

TEST_CASE("boot order: a drive without a medium is passed over") {
  Client c;
  CHECK(c.set_boot(kDiscFirst) == 200);
  CHECK(booted(c) == BootDevice::Pxe);
  CHECK(c.status("POST", c.disc + "/Actions/VirtualMedia.InsertMedia", R"({"Image":"https://x/boot.iso"})") == 204);
  CHECK(booted(c) == BootDevice::Cd);
}

TEST_CASE("boot order: refusals say which entry, and change nothing") {
  Client c;
  const auto refused = [&](const std::string& order) {
    const auto answer =
        c.ask("PATCH", c.system, R"({"Boot":{"BootSourceOverrideTarget":"Pxe","BootOrder":)" + order + "}}");
    CHECK(answer.status == 400);
    return message_id(answer) + " " + related(answer);
  };
  CHECK(refused(R"(["Boot0001","Boot0007"])") == "Base.1.13.PropertyValueNotInList #/Boot/BootOrder/1");
  CHECK(refused(R"(["Boot0001","Boot0001","Boot0002","Boot0003","Boot0004"])") ==
        "Base.1.13.PropertyValueIncorrect #/Boot/BootOrder/1");
  CHECK(refused(R"(["Boot0001"])") == "Base.1.13.PropertyValueIncorrect #/Boot/BootOrder");
  CHECK(refused("[]") == "Base.1.13.PropertyValueIncorrect #/Boot/BootOrder");
  CHECK(refused(R"([null])") == "Base.1.13.PropertyValueTypeError #/Boot/BootOrder/0");
  CHECK(refused(R"("Boot0001")") == "Base.1.13.PropertyValueTypeError #/Boot/BootOrder");
  CHECK(c.set_boot(R"("BootOptions":{})") == 400);
  CHECK(c.boot()["BootOrder"].text() == kUsualOrder);
  CHECK(c.boot()["BootSourceOverrideEnabled"].as_string() == "Disabled");
  CHECK(journal(c, "boot-order").empty());
}

TEST_CASE("boot order: a tag that is not the present one is refused, and the order has its part in the tag") {
  Client c;
  const std::string body = R"({"Boot":{)" + kNetworkFirst + "}}";
  const std::string before = header(c.ask("GET", c.system), "ETag");
  CHECK(c.status("PATCH", c.system, body, {{"if-match", "\"other\""}}) == 412);
  CHECK(c.boot()["BootOrder"].text() == kUsualOrder);
  CHECK(c.status("PATCH", c.system, body, {{"if-match", before}}) == 200);
  CHECK(c.status("PATCH", c.system, body, {{"if-match", before}}) == 412);
  CHECK(Client(with({Quirk::IfMatchRequired})).status("PATCH", c.system, body) == 428);
}

TEST_CASE("boot order: in the settings resource it waits for the next boot") {
  for (const Quirk quirk : {Quirk::BootOnlyInSettings, Quirk::BootOrderInSettings}) {
    CAPTURE(static_cast<int>(quirk));
    Client c(with({quirk}));
    const std::string settings(*c.get(c.system)["@Redfish.Settings"]["SettingsObject"]["@odata.id"].as_string());
    CHECK(c.set_boot(kNetworkFirst) == 400);
    CHECK(c.get(settings)["Boot"]["BootOrder"].text() == kUsualOrder);
    const std::string tag = header(c.ask("GET", settings), "ETag");
    const std::string body = R"({"@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"},"Boot":{)" + kNetworkFirst + "}}";
    CHECK(c.status("PATCH", settings, body, {{"if-match", tag}}) == 200);
    CHECK(c.status("PATCH", settings, body, {{"if-match", tag}}) == 412);
    CHECK(c.get(settings)["Boot"]["BootOrder"].at(0).as_string() == "Boot0001");
    CHECK(c.boot()["BootOrder"].text() == kUsualOrder);
    CHECK(booted(c) == BootDevice::Pxe);
    CHECK(c.boot()["BootOrder"].at(0).as_string() == "Boot0001");
    CHECK(journal(c, "boot-order") == std::vector<std::string>{"staged: pxe disk cd usb uefi-http"});
    CHECK(journal(c, "boot-order-applied") == std::vector<std::string>{"ok: pxe disk cd usb uefi-http"});
    CHECK(c.status("PATCH", settings,
                   R"({"@Redfish.SettingsApplyTime":{"ApplyTime":"Immediate"},"Boot":{)" + kDiscFirst + "}}") == 400);
    CHECK(c.get(settings)["Boot"]["BootOrder"].at(0).as_string() == "Boot0001");
  }
  Client order(with({Quirk::BootOrderInSettings}));
  CHECK(order.status("PATCH", order.system + "/Settings", R"({"Boot":{"BootSourceOverrideTarget":"Pxe"}})") == 400);
  CHECK(order.get(order.system + "/Settings")["Boot"].find("BootSourceOverrideTarget") == nullptr);
  CHECK(order.set_boot(R"("BootSourceOverrideTarget":"Pxe")") == 200);
}

TEST_CASE("boot order: a BMC that wants the whole override in every request takes an order alone") {
  Client c(with({Quirk::FullBootRequired}));
  CHECK(c.set_boot(kNetworkFirst) == 200);
  CHECK(c.set_boot(R"("BootSourceOverrideTarget":"Pxe",)" + kDiscFirst) == 400);
  CHECK(c.boot()["BootOrder"].at(0).as_string() == "Boot0001");
}
