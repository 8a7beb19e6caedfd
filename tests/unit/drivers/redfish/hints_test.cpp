#include "drivers/redfish/hints.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "drivers/redfish/redfish_bmc.hpp"
#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

const Call kCall{.deadline = MonoTime::max()};
constexpr const char* kService = "/redfish/v1/EventService";

struct FakeStreams final : base::EventStreams {
  struct Stream final : base::EventStream {
    explicit Stream(FakeStreams& of) : streams(of) { streams.last = this; }
    ~Stream() override {
      ++streams.closed;
      if (streams.last == this) streams.last = nullptr;
    }
    bool stands() const override { return !error; }
    std::optional<Error> ended() const override { return error; }
    FakeStreams& streams;
    std::optional<Error> error;
  };

  Result<std::unique_ptr<base::EventStream>> open(base::EventStreamRequest request,
                                                  std::function<void(std::string_view)> on_event) override {
    if (full) return Error{Code::Busy, "full"};
    opened.push_back(std::move(request));
    send = std::move(on_event);
    return std::unique_ptr<base::EventStream>(std::make_unique<Stream>(*this));
  }
  std::size_t standing() const override { return last != nullptr ? 1 : 0; }

  std::vector<base::EventStreamRequest> opened;
  std::function<void(std::string_view)> send;
  Stream* last = nullptr;
  int closed = 0;
  bool full = false;
};

struct World {
  FakeService service;
  FakeSecrets secrets;
  FakeStreams streams;
  BmcEndpoint endpoint{.driver = "redfish", .address = "https://bmc.example", .credentials = {"bmc/good"}};
  std::shared_ptr<Service> shared;
  int hints = 0;

  World() {
    service.resources["/redfish/v1/"].insert(1, R"("EventService":{"@odata.id":"/redfish/v1/EventService"},)");
    service.resources[kService] = R"({"ServiceEnabled":true,"ServerSentEventUri":"/redfish/v1/EventService/SSE"})";
    shared = std::make_shared<Service>(
        Session(endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service)),
        std::chrono::milliseconds{0}, &streams, base::ClientOptions{.origin = "https://bmc.example"});
  }
  std::unique_ptr<Bmc> bmc(const std::string& system = "") {
    BmcEndpoint of = endpoint;
    of.system = system;
    return std::make_unique<RedfishBmc>(of, shared, std::make_shared<LearntQuirks>());
  }
  Result<> listen(Bmc& bmc) {
    return bmc.hints()->listen([this] { ++hints; }, kCall);
  }
  long count(std::string_view line) const { return std::count(service.log.begin(), service.log.end(), line); }
};

}  // namespace

TEST_CASE("hints: a stream with the login of the session, asked for once") {
  World w;
  const auto bmc = w.bmc();
  w.shared.reset();
  REQUIRE(bmc->power()->power(kCall));
  REQUIRE(w.listen(*bmc));
  REQUIRE(w.listen(*bmc));
  REQUIRE(w.streams.opened.size() == 1);
  CHECK(w.streams.opened[0].target == "/redfish/v1/EventService/SSE");
  CHECK(w.streams.opened[0].peer.origin == "https://bmc.example");
  REQUIRE(w.streams.opened[0].headers.size() == 1);
  CHECK(w.streams.opened[0].headers[0].name == "X-Auth-Token");
  CHECK(w.streams.opened[0].headers[0].value == "token-1");
  CHECK(w.count("GET /redfish/v1/EventService") == 1);
  CHECK(w.count("POST /redfish/v1/SessionService/Sessions") == 1);

  w.streams.send(R"({"@odata.type":"#Event.v1_7_0.Event"})");
  w.streams.send("nonsense is a reason to look, too");
  CHECK(w.hints == 2);
  w.streams.send(R"({"@odata.type":"#MetricReport.v1_5_0.MetricReport"})");
  CHECK(w.hints == 2);

  bmc->close(kCall);
  CHECK(w.streams.closed == 1);
  CHECK(w.service.log.back() == "DELETE /redfish/v1/SessionService/Sessions/7");
}

TEST_CASE("hints: only events are asked for where the BMC can tell them apart") {
  World w;
  w.service.resources[kService] = R"({"ServerSentEventUri":"/redfish/v1/EventService/SSE",
    "SSEFilterPropertiesSupported":{"EventFormatType":true}})";
  const auto bmc = w.bmc();
  REQUIRE(w.listen(*bmc));
  CHECK(w.streams.opened.at(0).target == "/redfish/v1/EventService/SSE?$filter=EventFormatType%20eq%20Event");
}

TEST_CASE("hints: where there are none the BMC is not asked again soon") {
  for (const char* service :
       {R"({"ServiceEnabled":true})", R"({"ServiceEnabled":false,"ServerSentEventUri":"/redfish/v1/EventService/SSE"})",
        R"({"ServerSentEventUri":"https://elsewhere.example/SSE"})", R"({"ServerSentEventUri":7})", "[]"}) {
    CAPTURE(service);
    World w;
    w.service.resources[kService] = service;
    const auto bmc = w.bmc();
    const auto first = w.listen(*bmc);
    REQUIRE(!first);
    CHECK((first.error().code == Code::Unsupported || first.error().code == Code::Corrupt));
    CHECK(w.listen(*bmc).error() == first.error());
    CHECK(w.count("GET /redfish/v1/EventService") == 1);
    CHECK(w.streams.opened.empty());
    CHECK(!bmc->hints()->offered(kCall));
    CHECK(bmc->power()->power(kCall));
  }
}

TEST_CASE("hints: a stream that was lost, or had no place, is not asked for again at once") {
  World w;
  const auto bmc = w.bmc();
  REQUIRE(w.listen(*bmc));
  w.streams.last->error = Error{Code::Unreachable, "the event stream ended"};
  CHECK(w.listen(*bmc).error().code == Code::Unreachable);
  CHECK(w.streams.closed == 1);
  CHECK(w.listen(*bmc).error().code == Code::Unreachable);
  CHECK(w.streams.opened.size() == 1);

  World full;
  full.streams.full = true;
  const auto other = full.bmc();
  CHECK(full.listen(*other).error().code == Code::Busy);
  CHECK(full.listen(*other).error().code == Code::Busy);
  CHECK(full.count("GET /redfish/v1/EventService") == 1);
}

TEST_CASE("hints: machines behind one BMC share one stream, until the last one goes") {
  World w;
  w.service.resources["/redfish/v1/Systems"] =
      R"({"Members":[{"@odata.id":"/redfish/v1/Systems/1"},{"@odata.id":"/redfish/v1/Systems/2"}]})";
  w.service.resources["/redfish/v1/Systems/2"] = FakeService::system("2", "S2", true);
  auto one = w.bmc("1");
  auto two = w.bmc("2");
  int second = 0;
  REQUIRE(w.listen(*one));
  REQUIRE(two->hints()->listen([&] { ++second; }, kCall));
  CHECK(w.streams.opened.size() == 1);
  w.streams.send("x");
  CHECK(w.hints == 1);
  CHECK(second == 1);
  one->close(kCall);
  one.reset();
  w.streams.send("x");
  CHECK(w.hints == 1);
  CHECK(second == 2);
  CHECK(w.streams.closed == 0);
  two.reset();
  CHECK(w.streams.closed == 1);
}

TEST_CASE("several Systems: one login, one connection, one request at a time") {
  World w;
  w.service.resources["/redfish/v1/Systems"] =
      R"({"Members":[{"@odata.id":"/redfish/v1/Systems/1"},{"@odata.id":"/redfish/v1/Systems/2"}]})";
  w.service.resources["/redfish/v1/Systems/2"] = FakeService::system("2", "S2", true);
  w.shared = std::make_shared<Service>(
      Session(w.endpoint, *Origin::parse(w.endpoint.address), w.secrets, std::make_unique<FakeHttp>(w.service)));
  std::atomic<int> at_once = 0, most = 0;
  w.service.before = [&](const ClientRequest&) -> std::optional<Answer> {
    most = std::max<int>(most, ++at_once);
    std::this_thread::yield();
    --at_once;
    return std::nullopt;
  };
  auto one = w.bmc("1");
  auto two = w.bmc("2");
  w.shared.reset();
  const auto work = [](Bmc& bmc) {
    for (int i = 0; i < 50; ++i) {
      CHECK(bmc.identity()->identity(kCall).has_value());
      CHECK(bmc.power()->power(kCall).has_value());
    }
  };
  {
    std::jthread first(work, std::ref(*one));
    std::jthread second(work, std::ref(*two));
  }
  CHECK(most == 1);
  CHECK(w.count("POST /redfish/v1/SessionService/Sessions") == 1);
  CHECK(one->identity()->identity(kCall)->serial == "S1");
  CHECK(two->identity()->identity(kCall)->serial == "S2");

  // The session ends with the last of them.
  one->close(kCall);
  one.reset();
  CHECK(w.count("DELETE /redfish/v1/SessionService/Sessions/7") == 0);
  CHECK(two->power()->act(PowerAction::On, kCall) == WriteOutcome::Accepted);
  two->close(kCall);
  CHECK(w.count("DELETE /redfish/v1/SessionService/Sessions/7") == 1);
}

TEST_CASE("several Systems: who does not get a turn in time has sent nothing") {
  World w;
  std::atomic<bool> inside = false, go_on = false;
  w.service.before = [&](const ClientRequest& request) -> std::optional<Answer> {
    if (request.target != "/redfish/v1/slow") return std::nullopt;
    inside = true;
    while (!go_on) std::this_thread::yield();
    return std::nullopt;
  };
  auto& session = w.shared->session;
  REQUIRE(session.get("/redfish/v1/Systems/1", kCall));
  const auto number = session.number();
  std::jthread slow([&] { (void)session.get("/redfish/v1/slow", kCall); });
  while (!inside) std::this_thread::yield();
  const auto before = w.service.log.size();
  const Call brief{std::chrono::steady_clock::now() + std::chrono::milliseconds(20)};
  CHECK(session.get("/redfish/v1/Systems/1", brief).error().code == Code::Timeout);
  const auto write = session.write({.link = "/redfish/v1/x", .body = "{}"}, number, brief);
  REQUIRE(!write);
  CHECK(write.error().error.code == Code::Conflict);
  CHECK(!write.error().sent);
  std::stop_source stopped;
  stopped.request_stop();
  CHECK(session.get("/redfish/v1/Systems/1", {MonoTime::max(), stopped.get_token()}).error().code == Code::Cancelled);
  CHECK(w.service.log.size() == before);
  CHECK(session.number() == number);  // does not wait
  go_on = true;
}

TEST_CASE("several Systems: a write of one after the other's connection was lost is not sent") {
  World w;
  w.service.resources["/redfish/v1/Systems"] =
      R"({"Members":[{"@odata.id":"/redfish/v1/Systems/1"},{"@odata.id":"/redfish/v1/Systems/2"}]})";
  w.service.resources["/redfish/v1/Systems/2"] = FakeService::system("2", "S2", true);
  auto one = w.bmc("1");
  auto two = w.bmc("2");
  REQUIRE(one->identity()->identity(kCall));
  REQUIRE(two->identity()->identity(kCall));
  w.service.connection_lost = true;
  REQUIRE(two->power()->power(kCall));  // on a new connection
  const auto act = one->power()->act(PowerAction::On, kCall);
  REQUIRE(!act);
  CHECK(act.error().code == Code::Conflict);
  CHECK(w.service.resets.empty());
  REQUIRE(one->identity()->identity(kCall));
  CHECK(one->power()->act(PowerAction::On, kCall) == WriteOutcome::Accepted);
}
