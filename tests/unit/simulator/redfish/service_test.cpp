// Each quirk that changes an answer, one by one, against the polite service. That honest
// clients succeed is tested with curl and sushy in tests/peers.
#include <doctest/doctest.h>

#include "client.hpp"

using namespace nimbus::simulator;
using namespace std::chrono_literals;
using nimbus::base::Json;
using test::Client;
using test::header;
using test::with;

namespace {

const std::string kPxeOnce =
    R"("BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once","BootSourceOverrideMode":"UEFI")";

}  // namespace

TEST_CASE("polite: an override is armed, used once and reads back as disabled") {
  Client c;
  CHECK(c.set_boot(kPxeOnce) == 200);
  CHECK(c.boot()["BootSourceOverrideTarget"].as_string() == "Pxe");
  CHECK(c.status("POST", c.reset, R"({"ResetType":"On"})") == 204);
  c.bench.after(30s);
  CHECK(c.boot()["BootSourceOverrideEnabled"].as_string() == "Disabled");
  CHECK(c.boot()["BootSourceOverrideTarget"].as_string() == "None");
  CHECK(c.bench.machine->last_boot().device == BootDevice::Pxe);
}

TEST_CASE("without the right credentials nothing but the root is shown") {
  Client c;
  CHECK(c.service.answer({.method = "GET", .path = "/redfish/v1/"}).status == 200);
  CHECK(c.service.answer({.method = "GET", .path = "/redfish/v1/Systems"}).status == 401);
  CHECK(c.service.answer({.method = "POST", .path = c.reset, .body = R"({"ResetType":"On"})"}).status == 401);
  CHECK(c.bench.machine->power() == Power::Off);
}

TEST_CASE("sessions expire when idle and end with a restart of the BMC") {
  Client c;
  const std::string login = R"({"UserName":"admin","Password":"secret12"})";
  const auto opened =
      c.service.answer({.method = "POST", .path = "/redfish/v1/SessionService/Sessions", .body = login});
  REQUIRE(opened.status == 201);
  const std::string token = header(opened, "X-Auth-Token");
  const auto look = [&] {
    return c.service.answer({.method = "GET", .path = "/redfish/v1/Systems", .headers = {{"x-auth-token", token}}})
        .status;
  };
  c.bench.after(1799s);
  CHECK(look() == 200);
  c.bench.after(1799s);
  CHECK(look() == 200);
  c.bench.machine->restart_bmc(Source::Control, 1s);
  CHECK(look() == 401);
}

TEST_CASE("quirks of errors") {
  const auto error_of = [](Quirk quirk) { return Client(with({quirk})).ask("GET", "/redfish/v1/Nothing").body; };
  CHECK(nimbus::base::parse_json(error_of(Quirk::ExtendedInfoIsObject))
            .value()["error"]["@Message.ExtendedInfo"]
            .is_object());
  CHECK(nimbus::base::parse_json(error_of(Quirk::ErrorCodeMissing)).value()["error"].find("code") == nullptr);
  CHECK(nimbus::base::parse_json(error_of(Quirk::MessageIdWithoutRegistry))
            .value()["error"]["@Message.ExtendedInfo"]
            .at(0)["MessageId"]
            .as_string() == "ResourceMissingAtURI");
  CHECK_FALSE(nimbus::base::parse_json(Client(with({Quirk::PlainTextErrors}))
                                           .ask("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "{}")
                                           .body)
                  .has_value());
}

TEST_CASE("quirks of ETags") {
  const std::string body = R"({"AssetTag":"x"})";
  Client weak(with({Quirk::WeakEtagRefused}));
  const std::string tag = header(weak.ask("GET", weak.system), "ETag");
  REQUIRE(tag.starts_with("W/"));
  CHECK(weak.status("PATCH", weak.system, body, {{"if-match", tag}}) == 412);
  CHECK(weak.status("PATCH", weak.system, body, {{"if-match", tag.substr(2)}}) == 200);
  Client never(with({Quirk::IfMatchRefused}));
  CHECK(never.status("PATCH", never.system, body, {{"if-match", header(never.ask("GET", never.system), "ETag")}}) ==
        412);
  CHECK(never.status("PATCH", never.system, body) == 200);
  Client empty(with({Quirk::EmptyEtag}));
  CHECK(header(empty.ask("GET", empty.system), "ETag") == "\"\"");
  CHECK(empty.status("PATCH", empty.system, body, {{"if-match", "\"\""}}) == 412);
  Client required(with({Quirk::IfMatchRequired}));
  CHECK(required.status("PATCH", required.system, body) == 428);
  CHECK(required.status("PATCH", required.system, body, {{"if-match", "*"}}) == 200);
  Client refused(with({Quirk::IfMatchRefusedOnActions}));
  CHECK(refused.status("POST", refused.reset, R"({"ResetType":"On"})", {{"if-match", "*"}}) == 400);
}

TEST_CASE("quirks of sessions") {
  const std::string path = "/redfish/v1/SessionService/Sessions";
  const std::string login = R"({"UserName":"admin","Password":"secret12"})";
  Client eight(with({Quirk::EightSessions}));
  for (int i = 0; i < 8; ++i) CHECK(eight.status("POST", path, login) == 201);
  const auto ninth = eight.ask("POST", path, login);
  CHECK(ninth.status == 503);
  CHECK(ninth.body.find("RAC0218") != std::string::npos);
  Client bare(with({Quirk::SessionWithoutLocation}));
  const auto opened = bare.ask("POST", path, login);
  CHECK(header(opened, "Location").empty());
  CHECK_FALSE(header(opened, "X-Auth-Token").empty());
  Client none(with({Quirk::NoSessionService}));
  CHECK(none.status("POST", path, login) == 401);
  CHECK(none.status("GET", "/redfish/v1/Systems") == 200);
  Client brief(with({Quirk::ShortSessions}));
  CHECK(brief.get("/redfish/v1/SessionService")["SessionTimeout"].as_int() == 30);
}

TEST_CASE("quirks of boot") {
  Client settings(with({Quirk::BootOnlyInSettings}));
  CHECK(settings.set_boot(kPxeOnce) == 400);
  CHECK(settings.boot().find("BootSourceOverrideTarget") == nullptr);
  CHECK(settings.status("PATCH", settings.system + "/Settings", R"({"Boot":{)" + kPxeOnce + "}}") == 200);
  CHECK(settings.bench.machine->boot_override().device == BootDevice::Pxe);

  Client reverts(with({Quirk::RevertsToOnce}));
  CHECK(reverts.set_boot(R"("BootSourceOverrideTarget":"Hdd","BootSourceOverrideEnabled":"Continuous")") == 200);
  CHECK(reverts.set_boot(R"("BootSourceOverrideTarget":"Pxe")") == 200);
  CHECK(reverts.boot()["BootSourceOverrideEnabled"].as_string() == "Once");
  CHECK(reverts.set_boot(R"("BootSourceOverrideTarget":"Cd")") == 200);
  CHECK(reverts.boot()["BootSourceOverrideTarget"].as_string() == "UsbCd");

  Client legacy(with({Quirk::ModeFallsToLegacy}));
  CHECK(legacy.set_boot(R"("BootSourceOverrideTarget":"Pxe")") == 200);
  CHECK(legacy.boot()["BootSourceOverrideMode"].as_string() == "Legacy");

  Client full(with({Quirk::FullBootRequired}));
  CHECK(full.set_boot(R"("BootSourceOverrideTarget":"Pxe")") == 400);
  CHECK(full.set_boot(kPxeOnce) == 200);

  Client once(with({Quirk::NoContinuous}));
  CHECK(once.set_boot(R"("BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Continuous")") == 400);
  Client fixed(with({Quirk::ModeNotWritable}));
  CHECK(fixed.set_boot(kPxeOnce) == 400);
  Client changed(with({Quirk::UnchangedEnabledRefused}));
  CHECK(changed.set_boot(kPxeOnce) == 200);
  CHECK(changed.set_boot(kPxeOnce) == 400);
  Client no_http(with({Quirk::NoUefiHttp}));
  CHECK(no_http.set_boot(R"("BootSourceOverrideTarget":"UefiHttp","HttpBootUri":"http://x/y.efi")") == 400);
  CHECK(Client().set_boot(R"("BootSourceOverrideTarget":"UefiHttp","HttpBootUri":"http://x/y.efi")") == 200);

  Client liar(with({Quirk::BootChangeIgnored}));
  CHECK(liar.set_boot(kPxeOnce) == 200);
  CHECK(liar.boot()["BootSourceOverrideEnabled"].as_string() == "Disabled");
  CHECK(liar.boot()["BootSourceOverrideMode"].as_string() == "Legacy");

  Client post(with({Quirk::NoWritesDuringPost}));
  post.status("POST", post.reset, R"({"ResetType":"On"})");
  post.bench.after(5s);
  CHECK(post.set_boot(kPxeOnce) == 400);
  post.bench.after(30s);
  CHECK(post.set_boot(kPxeOnce) == 200);

  Client forgets(with({Quirk::ForgetsBootDevice}));
  forgets.set_boot(kPxeOnce);
  forgets.status("POST", forgets.reset, R"({"ResetType":"On"})");
  forgets.bench.after(30s);
  CHECK(forgets.bench.machine->last_boot().device == BootDevice::Disk);
}

TEST_CASE("quirks of power") {
  const std::string on = R"({"ResetType":"On"})";
  const std::string off = R"({"ResetType":"ForceOff"})";
  Client hidden(with({Quirk::ActionInfoOnly}));
  const Json action = hidden.get(hidden.system)["Actions"]["#ComputerSystem.Reset"];
  CHECK(action.find("ResetType@Redfish.AllowableValues") == nullptr);
  CHECK(hidden.get(std::string(*action["@Redfish.ActionInfo"].as_string()))["Parameters"]
            .at(0)["AllowableValues"]
            .size() > 3);
  Client already(with({Quirk::RefusesWhenAlreadySo}));
  CHECK(already.status("POST", already.reset, off) == 409);
  CHECK(Client().status("POST", hidden.reset, off) == 204);
  Client conflict(with({Quirk::OnConflictAfterOff}), Power::On);
  conflict.status("POST", conflict.reset, off);
  conflict.bench.after(5s);
  CHECK(conflict.status("POST", conflict.reset, on) == 409);
  conflict.bench.after(60s);
  CHECK(conflict.status("POST", conflict.reset, on) == 204);
  Client ilo(with({Quirk::InvalidStateAfterChange}));
  CHECK(ilo.status("POST", ilo.reset, on) == 204);
  CHECK(ilo.status("POST", ilo.reset, off) == 400);
  CHECK(Client().status("POST", ilo.reset, R"({"ResetType":"ForceRestart"})") == 409);
  Client turns(with({Quirk::RestartTurnsOn}));
  CHECK(turns.status("POST", turns.reset, R"({"ResetType":"ForceRestart"})") == 204);
  CHECK(turns.bench.machine->power() == Power::PoweringOn);
  Client ignored(with({Quirk::PowerCycleIgnored}), Power::On);
  CHECK(ignored.status("POST", ignored.reset, R"({"ResetType":"PowerCycle"})") == 204);
  CHECK(ignored.bench.machine->power() == Power::On);
  Client deaf(with({Quirk::SoftOffIgnored}), Power::On);
  CHECK(deaf.status("POST", deaf.reset, R"({"ResetType":"GracefulShutdown"})") == 204);
  CHECK(deaf.bench.after(600s).power() == Power::On);
  Client few(with({Quirk::LimitedResetTypes}), Power::On);
  CHECK(few.status("POST", few.reset, R"({"ResetType":"PowerCycle"})") == 400);
}

TEST_CASE("quirks of virtual media") {
  const std::string image = R"({"Image":"https://x/boot.iso"})";
  const std::string insert = "/Actions/VirtualMedia.InsertMedia";
  const std::string eject = "/Actions/VirtualMedia.EjectMedia";
  Client polite;
  CHECK(polite.status("POST", polite.disc + insert, image) == 204);
  CHECK(polite.status("POST", polite.disc + insert, image) == 409);
  CHECK(polite.get("/redfish/v1/Managers/1/VirtualMedia/2")["Image"].as_string() == "https://x/boot.iso");
  CHECK(polite.status("POST", polite.disc + eject) == 204);
  CHECK(polite.get(polite.disc)["Image"].is_null());
  CHECK(polite.status("POST", polite.disc + insert, R"({"Image":"not a uri"})") == 400);

  Client manager(with({Quirk::MediaUnderManager}));
  CHECK(manager.status("GET", manager.disc) == 404);
  CHECK(manager.status("POST", "/redfish/v1/Managers/1/VirtualMedia/2" + insert, image) == 204);
  Client first(with({Quirk::FirstSlotRefuses}));
  CHECK(first.status("POST", first.system + "/VirtualMedia/1" + insert, image) == 405);
  CHECK(first.status("POST", first.disc + insert, image) == 204);
  Client patch(with({Quirk::MediaByPatchOnly}));
  CHECK(patch.get(patch.disc).find("Actions") == nullptr);
  CHECK(patch.status("POST", patch.disc + insert, image) == 404);
  CHECK(patch.status("PATCH", patch.disc, R"({"Image":"https://x/boot.iso","Inserted":true})") == 200);
  CHECK(patch.status("PATCH", patch.disc, R"({"Image":null})") == 200);
  Client flags(with({Quirk::InsertedFlagRefused}));
  CHECK(flags.status("POST", flags.disc + insert, R"({"Image":"https://x/boot.iso","Inserted":true})") == 400);
  Client protocol(with({Quirk::TransferProtocolRequired}));
  CHECK(protocol.status("POST", protocol.disc + insert, image) == 400);
  CHECK(protocol.status("POST", protocol.disc + insert,
                        R"({"Image":"https://x/boot.iso","TransferProtocolType":"HTTPS"})") == 204);
  Client method(with({Quirk::TransferMethodRequired}));
  CHECK(method.status("POST", method.disc + insert, image) == 400);
  CHECK(method.status("POST", method.disc + insert, R"({"Image":"https://x/boot.iso","TransferMethod":"Stream"})") ==
        204);
  Client user(with({Quirk::MediaUserRequired}));
  CHECK(user.status("POST", user.disc + insert, R"({"Image":"https://x/boot.iso","UserName":"a"})") == 400);
  CHECK(user.status("POST", user.disc + insert, R"({"Image":"https://x/boot.iso","UserName":"a","Password":"b"})") ==
        204);
  Client liar(with({Quirk::InsertedStaysTrue}));
  liar.status("POST", liar.disc + insert, image);
  liar.status("POST", liar.disc + eject);
  CHECK(liar.get(liar.disc)["Inserted"].as_bool() == true);
  Client slow(with({Quirk::InsertFailsAfterEject}));
  slow.status("POST", slow.disc + eject);
  CHECK(slow.status("POST", slow.disc + insert, image) == 500);
  slow.bench.after(6s);
  CHECK(slow.status("POST", slow.disc + insert, image) == 204);
  Client body(with({Quirk::EjectNeedsBody}));
  CHECK(body.status("POST", body.disc + eject) == 415);
  CHECK(body.status("POST", body.disc + eject, "{}") == 204);
  Client none(with({Quirk::NoneImageText}));
  CHECK(none.get(none.disc)["Image"].as_string() == "None");
}

TEST_CASE("quirks of firmware settings") {
  const std::string path = "/redfish/v1/Systems/1/Bios/Settings";
  const std::string plain = R"({"Attributes":{"QuietBoot":false}})";
  const std::string timed =
      R"({"Attributes":{"QuietBoot":false},"@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"}})";
  Client required(with({Quirk::ApplyTimeRequired}));
  CHECK(required.status("PATCH", path, plain) == 200);
  CHECK(required.bench.machine->settings.pending().empty());
  CHECK(required.status("PATCH", path, timed) == 200);
  CHECK(required.bench.machine->settings.pending().size() == 1);
  Client refused(with({Quirk::ApplyTimeRefused}));
  CHECK(refused.status("PATCH", path, timed) == 400);
  CHECK(refused.status("PATCH", path, plain) == 200);
  CHECK(Client(with({Quirk::PendingShowsAll})).get(path)["Attributes"].size() > 5);
  CHECK(Client().get(path)["Attributes"].size() == 0);
  Client dropped(with({Quirk::SettingsSilentlyDropped}));
  dropped.status("PATCH", path, plain);
  dropped.status("POST", dropped.reset, R"({"ResetType":"On"})");
  dropped.bench.after(30s);
  CHECK(dropped.get("/redfish/v1/Systems/1/Bios")["Attributes"]["QuietBoot"].as_bool() == true);
  Client body(with({Quirk::ResetBiosNeedsBody}));
  CHECK(body.status("POST", "/redfish/v1/Systems/1/Bios/Actions/Bios.ResetBios") == 415);
  CHECK(body.status("POST", "/redfish/v1/Systems/1/Bios/Actions/Bios.ResetBios", "{}") == 204);
  Client license(with({Quirk::SecureBootNeedsLicense}));
  CHECK(license.status("PATCH", "/redfish/v1/Systems/1/SecureBoot", R"({"SecureBootEnable":true})") == 403);
}

TEST_CASE("quirks of the rest") {
  Client sku(with({Quirk::SerialIsSku}));
  CHECK(sku.get(sku.system)["SKU"].as_string() == "SER1");
  CHECK(sku.get(sku.system)["SerialNumber"].as_string() != "SER1");
  Client nics(with({Quirk::NoNicsShown}));
  CHECK(nics.get(nics.system).find("EthernetInterfaces") == nullptr);
  CHECK(nics.status("GET", nics.system + "/EthernetInterfaces") == 404);
  Client sensors(with({Quirk::NewSensorsOnly}));
  CHECK(sensors.status("GET", "/redfish/v1/Chassis/1/Thermal") == 404);
  CHECK(sensors.status("GET", "/redfish/v1/Chassis/1/ThermalSubsystem/ThermalMetrics") == 200);
  Client slashes(with({Quirk::TrailingSlashes}));
  CHECK(slashes.get(slashes.system)["Bios"]["@odata.id"].as_string() == "/redfish/v1/systems/1/bios/");
  CHECK(slashes.status("GET", "/redfish/v1/systems/1/bios/") == 200);
  CHECK(slashes.status("PATCH", "/redfish/v1/systems/1/bios/settings/", R"({"Attributes":{"QuietBoot":false}})") ==
        200);
  Client encoding(with({Quirk::RefuseIdentityEncoding}));
  CHECK(encoding.status("GET", "/redfish/v1/Registries/Base/Base", "", {{"accept-encoding", "identity"}}) == 406);
  CHECK(encoding.status("GET", "/redfish/v1/Registries/Base/Base") == 200);
  Client closes(with({Quirk::CloseConnections}));
  CHECK(closes.ask("GET", closes.system).after == http::Response::After::Close);
  Client starting(with({Quirk::DataSourcesUnavailable}));
  starting.bench.machine->restart_bmc(Source::Control, 1s);
  starting.bench.after(2s);
  CHECK(starting.status("GET", starting.system) == 503);
  starting.bench.after(20s);
  CHECK(starting.status("GET", starting.system) == 200);
}

TEST_CASE("an update is a task; the BMC restarts with it, the BIOS has it after a boot") {
  const std::string update = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate";
  const std::string inventory = "/redfish/v1/UpdateService/FirmwareInventory/";
  Client c;
  const auto answer = c.ask("POST", update, R"({"ImageURI":"https://x/bios-1.5.0.bin"})");
  REQUIRE(answer.status == 202);
  const std::string monitor = header(answer, "Location");
  const std::string task = "/redfish/v1/TaskService/Tasks/1";
  CHECK(c.get(task)["TaskState"].as_string() == "Running");
  CHECK(c.get(task)["TaskMonitor"].as_string() == monitor);
  CHECK(c.status("GET", monitor) == 202);
  CHECK(c.status("POST", update, R"({"ImageURI":"https://x/bios-1.6.0.bin"})") == 503);
  c.bench.after(5s);
  CHECK(c.get(task)["TaskState"].as_string() == "Completed");
  CHECK(c.status("GET", monitor) == 204);  // as the action itself would have answered
  CHECK(c.get(inventory + "BIOS")["Version"].as_string() == "1.4.2");
  c.status("POST", c.reset, R"({"ResetType":"On"})");
  c.bench.after(30s);
  CHECK(c.get(inventory + "BIOS")["Version"].as_string() == "1.5.0");
  CHECK(c.get(c.system)["BiosVersion"].as_string() == "1.5.0");

  CHECK(c.status("POST", update, R"({"ImageURI":"https://x/bmc-2.20.bin"})") == 202);
  c.bench.after(5s);
  CHECK_FALSE(c.bench.machine->bmc_up());
  c.bench.after(30s);
  CHECK(c.get(inventory + "BMC")["Version"].as_string() == "2.20");
  CHECK(c.get("/redfish/v1/TaskService/Tasks")["Members"].size() == 0);  // forgotten with the restart
  CHECK(c.status("POST", update, R"({"ImageURI":"ftp://x/bmc-2.20.bin"})") == 400);
  CHECK(c.status("POST", update, R"({"ImageURI":"https://x/firmware.bin"})") == 400);
  CHECK(c.service.answer({.method = "GET", .path = "/redfish/v1/$metadata"}).body.find("ComputerSystem_v1.xml") !=
        std::string::npos);
}

TEST_CASE("what a fault script interferes with") {
  Client c;
  c.service.interfere({.lie = true});
  CHECK(c.status("POST", c.reset, R"({"ResetType":"On"})") == 204);
  CHECK(c.status("PATCH", c.system, R"({"AssetTag":"new"})") == 200);
  CHECK(c.bench.machine->power() == Power::Off);
  CHECK(c.bench.machine->identity.asset_tag.empty());
  c.service.interfere({.stale = true});
  CHECK(c.get(c.system)["PowerState"].as_string() == "Off");
  CHECK(c.status("POST", c.reset, R"({"ResetType":"On"})") == 204);
  c.bench.after(30s);
  CHECK(c.get(c.system)["PowerState"].as_string() == "Off");
  c.service.interfere({});
  CHECK(c.get(c.system)["PowerState"].as_string() == "On");
  c.service.interfere({.status = 500});
  CHECK(c.status("GET", c.system) == 500);
}
