#include "drivers/redfish/boot.hpp"

#include <doctest/doctest.h>

#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

BootProperties boot_of(std::string_view json) { return read_boot(*base::parse_json(json)); }

BootOverride once(BootDevice device, std::optional<BootMode> mode = {}) {
  return {.device = device, .times = BootTimes::Once, .mode = mode, .http_uri = {}};
}

}  // namespace

TEST_CASE("boot: what is shown; disabled, consumed and unknown") {
  CHECK(shown_override(boot_of("{}"), {}).error().code == Code::Unsupported);
  const auto armed = boot_of(
      R"({"Boot":{"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once","BootSourceOverrideMode":"UEFI"}})");
  CHECK(shown_override(armed, {}) == once(BootDevice::Pxe, BootMode::Uefi));
  const auto off = boot_of(
      R"({"Boot":{"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Disabled","BootSourceOverrideMode":"Legacy"}})");
  CHECK(shown_override(off, {}) == once(BootDevice::Default, BootMode::Bios));
  CHECK(shown_override(armed, off)->device == BootDevice::Default);
  CHECK(shown_override(boot_of(R"({"Boot":{"BootSourceOverrideTarget":"Usb\u001b"}})"), {}).error().code ==
        Code::Unsupported);
  CHECK(shown_override(boot_of(R"({"Boot":{"BootSourceOverrideTarget":null}})"), {})->device == BootDevice::Default);
}

TEST_CASE("boot: only what differs, each property to the resource that has it") {
  const auto system = boot_of(
      R"({"Boot":{"BootSourceOverrideTarget":"None","BootSourceOverrideEnabled":"Once","BootSourceOverrideMode":"UEFI"}})");
  const auto changed = boot_change(once(BootDevice::Pxe, BootMode::Uefi), system, {}, Send::Changed, ModeToo::Yes);
  REQUIRE(changed.has_value());
  CHECK(changed->for_system.text() == R"({"BootSourceOverrideTarget":"Pxe"})");
  CHECK(changed->for_settings.is_null());
  const auto all = boot_change(once(BootDevice::Pxe), system, {}, Send::All, ModeToo::Yes);
  CHECK(all->for_system.text() ==
        R"({"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once","BootSourceOverrideMode":"UEFI"})");
  CHECK(boot_change(once(BootDevice::Pxe), system, {}, Send::All, ModeToo::No)->for_system.size() == 2);
  // XCC's settings resource has only the boot order; iDRAC10's has everything.
  const auto order_only = boot_of(R"({"Boot":{"BootOrder":[]}})");
  CHECK(boot_change(once(BootDevice::Pxe), system, order_only, Send::All, ModeToo::Yes)->for_settings.is_null());
  CHECK(boot_change(once(BootDevice::Pxe), system, system, Send::All, ModeToo::Yes)->for_system.is_null());
}

TEST_CASE("boot: allowable values: Supermicro's UsbCd, no UefiHttp, no Continuous") {
  const auto system = boot_of(R"({"Boot":{"BootSourceOverrideTarget":"None","BootSourceOverrideEnabled":"Disabled",
    "BootSourceOverrideTarget@Redfish.AllowableValues":["Pxe","UsbCd"],
    "BootSourceOverrideEnabled@Redfish.AllowableValues":["Once","Disabled"]}})");
  CHECK(boot_change(once(BootDevice::Cd), system, {}, Send::All, ModeToo::Yes)
            ->for_system["BootSourceOverrideTarget"]
            .as_string() == "UsbCd");
  CHECK(boot_change(once(BootDevice::Http), system, {}, Send::All, ModeToo::Yes).error().code == Code::Unsupported);
  CHECK(boot_change({.device = BootDevice::Pxe, .times = BootTimes::Always, .mode = {}, .http_uri = {}}, system, {},
                    Send::All, ModeToo::Yes)
            .error()
            .code == Code::Unsupported);
  CHECK(boot_change({}, system, {}, Send::All, ModeToo::Yes).has_value());
}

namespace {

/// A service whose System takes PATCHes, with a rule about If-Match.
struct BootService {
  FakeService service;
  FakeSecrets secrets;
  std::string target = "None";
  std::string etag = "\"1\"";
  std::vector<std::string> tags;  // If-Match of each PATCH, "-" without
  std::function<int(const std::string& tag)> rule = [](const std::string&) { return 200; };
  BmcEndpoint endpoint{.driver = "redfish", .address = "https://bmc.example", .credentials = {"bmc/good"}};
  SharedSession session{
      Session(endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service))};
  Machine machine{endpoint, session, std::make_shared<LearntQuirks>()};
  BootControl boot{machine, "/redfish/v1/Systems/1"};

  BootService() {
    service.before = [this](const ClientRequest& request) -> std::optional<Answer> {
      if (request.target != "/redfish/v1/Systems/1") return std::nullopt;
      if (request.method == "GET") {
        return FakeService::response(
            200,
            R"({"SerialNumber":"S1","Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":")" + target +
                "\"}}",
            {{"ETag", etag}});
      }
      tags.emplace_back(base::find_header(request.headers, "If-Match").value_or("-"));
      const int status = rule(tags.back());
      if (status == 200)
        target = (*base::parse_json(request.body))["Boot"]["BootSourceOverrideTarget"].as_string().value_or("?");
      return FakeService::response(status);
    };
  }
  Result<WriteOutcome> arm() {
    const Call call{.deadline = MonoTime::max()};
    if (auto read = machine.identity(call); !read) return std::move(read.error());
    return boot.arm(once(BootDevice::Pxe), call);
  }
};

}  // namespace

TEST_CASE("boot: ETags: as given, then strong, then without") {
  using V = std::vector<std::string>;
  BootService plain;
  CHECK(plain.arm() == WriteOutcome::Accepted);
  CHECK(plain.tags == V{"\"1\""});
  BootService weak;
  weak.etag = "W/\"a-b+c\"";
  weak.rule = [](const std::string& tag) { return tag == "\"a-b+c\"" ? 200 : 412; };
  CHECK(weak.arm() == WriteOutcome::Accepted);
  CHECK(weak.tags == V{"W/\"a-b+c\"", "\"a-b+c\""});
  BootService without;
  without.rule = [](const std::string& tag) { return tag == "-" ? 200 : 412; };
  CHECK(without.arm() == WriteOutcome::Accepted);
  CHECK(without.tags == V{"\"1\"", "-"});
  BootService empty;
  empty.etag = "\"\"";
  CHECK(empty.arm() == WriteOutcome::Accepted);
  CHECK(empty.tags == V{"-"});
}

TEST_CASE("boot: a 412 because somebody else writes is a conflict, not overridden") {
  BootService s;
  s.rule = [&](const std::string&) {
    s.target = "Cd";
    return 412;
  };
  CHECK(s.arm().error().code == Code::Conflict);
  CHECK(s.tags.size() == 1);
}

TEST_CASE("boot: nothing is patched on a session that came about while arming") {
  BootService s;
  s.rule = [&](const std::string&) {
    s.service.connection_lost = true;  // the read before the next try connects anew
    return 412;
  };
  CHECK(s.arm().error().code == Code::Conflict);
  CHECK(s.tags.size() == 1);
}
