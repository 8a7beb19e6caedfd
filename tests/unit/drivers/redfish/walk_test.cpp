#include "drivers/redfish/walk.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "drivers/redfish/event_log.hpp"
#include "drivers/redfish/inventory.hpp"
#include "drivers/redfish/inventory_documents.hpp"
#include "drivers/redfish/sensors.hpp"
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
  SharedSession session{
      Session(endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service))};
  Machine machine{endpoint, session, std::make_shared<LearntQuirks>()};
  std::string& at(const std::string& path) { return service.resources["/redfish/v1" + path]; }
  long count(std::string_view line) { return std::count(service.log.begin(), service.log.end(), line); }
  void system(const std::string& extra) { at("/Systems/1") = FakeService::system("1", "S1", true, "," + extra); }
};

base::Json json(std::string_view text) { return *base::parse_json(text); }

}  // namespace

TEST_CASE("walk: pages are followed, and none twice: a list that leads back to itself ends") {
  Setup s;
  s.at("/L") = R"({"Members":[{"@odata.id":"/redfish/v1/a"}],"Members@odata.nextLink":"/redfish/v1/L?p=2"})";
  s.at("/L?p=2") = R"({"Members":[{"Id":"b","Name":"inline"}],"Members@odata.nextLink":"/redfish/v1/L"})";
  s.at("/a") = R"({"Id":"a"})";
  Walk walk(s.machine, kCall);
  const auto members = walk.members("/redfish/v1/L");
  REQUIRE(members);
  REQUIRE(members->size() == 2);
  CHECK((*members)[1]["Id"].as_string() == "b");
  CHECK(s.count("GET /redfish/v1/L") == 1);
  CHECK(!walk.trouble());
}

TEST_CASE("walk: a BMC whose pages never end costs a bounded number of reads") {
  Setup s;
  int page = 0;
  s.service.before = [&](const ClientRequest& request) -> std::optional<Answer> {
    if (!request.target.starts_with("/redfish/v1/endless")) return std::nullopt;
    const std::string number = std::to_string(++page);
    return FakeService::response(200, R"({"Members":[{"@odata.id":"/redfish/v1/endless/)" + number +
                                          R"("}],"Members@odata.nextLink":"/redfish/v1/endless?page=)" + number +
                                          "\"}");
  };
  Walk walk(s.machine, kCall, {.documents = 50, .members = 1'000, .pages = 1'000});
  CHECK(walk.members("/redfish/v1/endless").has_value());
  CHECK(walk.trouble()->code == Code::Corrupt);
  CHECK(walk.read() == 50);
  Walk paged(s.machine, kCall, {.documents = 500, .members = 1'000, .pages = 5});
  CHECK(paged.members("/redfish/v1/endless")->size() == 5);
  CHECK(!paged.trouble());
}

TEST_CASE("walk: $expand where the BMC says that it can; members that stay links are read singly") {
  Setup s;
  s.at("/") = R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},
    "ProtocolFeaturesSupported":{"ExpandQuery":{"NoLinks":true,"Levels":true}}})";
  s.service.sessions = false;
  s.at("/L?$expand=.($levels=1)") =
      R"({"Members":[{"@odata.id":"/redfish/v1/a","Id":"a"},{"@odata.id":"/redfish/v1/b"}]})";
  s.at("/b") = R"({"Id":"b"})";
  Walk walk(s.machine, kCall);
  const auto members = walk.members("/redfish/v1/L");
  REQUIRE(members);
  CHECK(members->size() == 2);
  CHECK(s.count("GET /redfish/v1/a") == 0);
  CHECK(s.count("GET /redfish/v1/b") == 1);
  // Promised and refused: as without.
  s.at("/M") = R"({"Members":[]})";
  CHECK(walk.members("/redfish/v1/M").has_value());
  // AMI loses fields that way.
  Setup ami;
  ami.at("/") = R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},"Vendor":"AMI",
    "ProtocolFeaturesSupported":{"ExpandQuery":{"NoLinks":true,"Levels":true}}})";
  ami.at("/L") = R"({"Members":[]})";
  ami.service.sessions = false;
  Walk one_by_one(ami.machine, kCall);
  CHECK(one_by_one.members("/redfish/v1/L").has_value());
  CHECK(ami.count("GET /redfish/v1/L?$expand=.($levels=1)") == 0);
}

TEST_CASE("walk: trouble with the BMC ends it, trouble with a document does not") {
  Setup s;
  s.at("/broken") = "{";
  s.at("/good") = R"({"Id":"good"})";
  Walk walk(s.machine, kCall);
  CHECK(walk.all({"/redfish/v1/broken", "/redfish/v1/missing", "https://elsewhere/x", "", "/redfish/v1/good"}).size() ==
        1);
  CHECK(!walk.trouble());
  s.service.before = [](const ClientRequest&) -> std::optional<Answer> {
    return FakeService::failure(Code::Timeout, true);
  };
  CHECK(!walk.get("/redfish/v1/good2"));
  const auto sent = s.service.log.size();
  CHECK(!walk.get("/redfish/v1/good3"));
  CHECK(s.service.log.size() == sent);
  CHECK(walk.trouble()->code == Code::Timeout);
}

TEST_CASE("walk: a BMC that denies every document is not asked for all of them") {
  Setup s;
  REQUIRE(s.machine.read(kCall).has_value());
  s.service.before = [](const ClientRequest& request) -> std::optional<Answer> {
    if (request.method == "GET") return FakeService::response(401);
    return std::nullopt;
  };
  Walk walk(s.machine, kCall);
  std::vector<std::string> links;
  for (int i = 0; i < 100; ++i) links.push_back("/redfish/v1/x" + std::to_string(i));
  CHECK(walk.all(links).empty());
  CHECK(walk.trouble()->code == Code::Auth);
  CHECK(s.service.tokens <= 4);
}

TEST_CASE("inventory: SimpleStorage where Storage has no drives; adapters where there are no interfaces") {
  Setup s;
  s.at("/Systems/1") =
      R"({"Storage":{"@odata.id":"/redfish/v1/St"},"SimpleStorage":{"@odata.id":"/redfish/v1/Si"},
      "Links":{"Chassis":[{"@odata.id":"/redfish/v1/C"}]},"MemorySummary":{"TotalSystemMemoryGiB":1.5}})";
  s.at("/St") = R"({"Members":[{"Id":"raid","Drives":[]}]})";
  s.at("/Si") =
      R"({"Members":[{"Id":"sata","Devices":[{"Name":"Bay 1","CapacityBytes":1000},{"Name":"backplane","CapacityBytes":null}]}]})";
  s.at("/C") = R"({"NetworkAdapters":{"@odata.id":"/redfish/v1/N"}})";
  s.at("/N") = R"({"Members":[{"Id":"nic","NetworkDeviceFunctions":{"@odata.id":"/redfish/v1/F"}}]})";
  s.at("/F") = R"({"Members":[{"Id":"f1","Ethernet":{"PermanentMACAddress":"AA-BB-CC-00-11-22"}},
                              {"Id":"f2","Ethernet":{"MACAddress":"aabbcc001122"}}]})";
  InventoryReader reader(s.machine);
  const auto parts = reader.inventory(kCall);
  REQUIRE(parts.has_value());
  CHECK(parts->memory == 1'610'612'736U);
  REQUIRE(parts->drives);
  REQUIRE(parts->drives->size() == 1);
  CHECK(parts->drives->front().slot == "Bay 1");
  REQUIRE(parts->ports);
  REQUIRE(parts->ports->size() == 1);
  CHECK(parts->ports->front().mac == "aa:bb:cc:00:11:22");
  CHECK(!parts->processors);  // not offered
}

TEST_CASE("inventory documents: empty slots, accelerators, odd numbers, MAC addresses") {
  CHECK(!read_processor(json(R"({"ProcessorType":"GPU","Model":"x"})")));
  CHECK(!read_processor(json(R"({"Status":{"State":"Absent"},"Model":"x"})")));
  CHECK(!read_processor(json("{}")));
  CHECK(read_processor(json(R"({"Model":"x","TotalCores":-4})"))->cores == std::nullopt);
  CHECK(!read_memory_module(json(R"({"CapacityMiB":0})")));
  CHECK(read_memory_module(json(R"({"CapacityMiB":16384,"Id":"1"})"))->size == 17'179'869'184U);
  CHECK(!read_drive(json(R"({"CapacityBytes":null})")));
  CHECK(read_drive(json(R"({"SerialNumber":"A","CapacityBytes":1e300,"MediaType":"HDD"})"))->size == std::nullopt);
  CHECK(read_drive(json(R"({"CapacityBytes":1,"Identifiers":[{"DurableNameFormat":"NAA","DurableName":"5000"}]})"))
            ->wwn == "5000");
  CHECK(normalize_mac(" 00-1A-2B-3C-4D-5E ") == "00:1a:2b:3c:4d:5e");
  for (const char* bad : {"", "00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF", "00:1a:2b:3c:4d", "N/A", "00:1a:2b:3c:4d:5g"})
    CHECK(normalize_mac(bad).empty());
  CHECK(!read_firmware(json(R"({"Id":"Previous-1","Name":"BIOS","Version":"1"})")));
}

TEST_CASE("sensors: the new list where the old documents have no reading; units by type") {
  CHECK(read_sensor(json(R"({"Name":"Fan 1","ReadingType":"Percent","Reading":30})")).kind == SensorKind::Fan);
  CHECK(read_sensor(json(R"({"Id":"x","Reading":null,"Status":{"State":"Disabled"}})")).state == "Disabled");
  CHECK(read_thermal(json(R"({"Fans":[{"FanName":"old","Reading":5},{"Status":{"State":"Absent"},"Name":"gone"}]})"))
            .size() == 1);
  Setup s;
  s.at("/") = R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},"Chassis":{"@odata.id":"/redfish/v1/Ch"}})";
  s.service.sessions = false;
  s.at("/Ch") =
      R"({"Members":[{"Id":"c","Thermal":{"@odata.id":"/redfish/v1/T"},"Sensors":{"@odata.id":"/redfish/v1/Se"}}]})";
  s.at("/T") = R"({"Temperatures":[{"Name":"off","ReadingCelsius":null}]})";
  s.at("/Se") =
      R"({"Members":[{"Name":"CPU","ReadingType":"Temperature","Reading":41.5,"Status":{"Health":"Warning"}}]})";
  SensorReader reader(s.machine);
  const auto sensors = reader.sensors(kCall);
  REQUIRE(sensors.has_value());
  CHECK(sensors->back() == SensorReading{"CPU", SensorKind::Temperature, "Cel", 41.5, "", Health::Warning});
}

TEST_CASE("event log: the hardware log is chosen; the newest are kept, oldest first") {
  CHECK(rank_of_log(json(R"({"Id":"Sel"})")) < rank_of_log(json(R"({"Id":"Lclog"})")));
  CHECK(rank_of_log(json(R"({"Id":"IML"})")) < rank_of_log(json(R"({"Id":"SL"})")));
  CHECK(rank_of_log(json(R"({"Id":"EventLog"})")) < rank_of_log(json(R"({"Id":"HostLogger"})")));
  Setup s;
  s.system(R"("LogServices":{"@odata.id":"/redfish/v1/Lo"})");
  s.at("/Lo") = R"({"Members":[{"Id":"Lclog","Entries":{"@odata.id":"/redfish/v1/no"}},
                               {"Id":"SEL","Entries":{"@odata.id":"/redfish/v1/E"}}]})";
  s.at("/E") = R"({"Members":[{"Id":"3","Created":"2026-01-03T00:00:00Z","Message":"c","Severity":"Critical"},
                              {"Id":"2","Created":"2026-01-02T00:00:00Z"},{"Id":"1","Created":"2026-01-01T00:00:00Z"}]})";
  EventLogReader reader(s.machine);
  const auto entries = reader.entries(2, kCall);
  REQUIRE(entries.has_value());
  REQUIRE(entries->size() == 2);
  CHECK((*entries)[0].id == "2");
  CHECK((*entries)[1].severity == Health::Critical);
  Setup none;
  CHECK(EventLogReader(none.machine).entries(2, kCall).error().code == Code::Unsupported);
}
