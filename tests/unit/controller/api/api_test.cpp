#include "controller/api/api.hpp"

#include <doctest/doctest.h>

#include <set>

#include "api_fixture.hpp"
#include "base/file/file.hpp"
#include "base/json/json.hpp"
#include "controller/api/explanation.hpp"
#include "controller/api/machine_json.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using base::Json;
using nimbus::testing::ApiFixture;
using DecisionKind = reconcilers::PowerDecision::Kind;

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

std::string text_of(const Json& value) { return std::string(value.as_string().value_or("(no text)")); }

}  // namespace

TEST_CASE_FIXTURE(ApiFixture,
                  "api: the description names exactly the routes, and says which of them change something") {
  const auto description = base::parse_json(openapi_text());
  REQUIRE(description.has_value());
  std::set<std::string> described;
  std::set<std::string> described_changes;
  for (const auto& path : (*description)["paths"].members()) {
    for (const auto& operation : path.value.members()) {
      const std::string name = operation.key + " " + path.key;
      described.insert(name);
      if (operation.value["x-nimbus-listener"].as_string() == "control") described_changes.insert(name);
    }
  }
  // Served by controller/serve, and asked for by the end-to-end tests.
  std::set<std::string> served = {"get /livez", "get /healthz", "get /readyz", "get /metrics",
                                  "post /webhook/{webhook}"};
  std::set<std::string> served_changes;
  for (const auto& route : reading_routes(context)) {
    CHECK(route.method == "GET");
    served.insert(lower(route.method) + " " + route.path);
  }
  for (const auto& route : changing_routes(context)) served_changes.insert(lower(route.method) + " " + route.path);
  served.insert(served_changes.begin(), served_changes.end());
  CHECK(described == served);
  CHECK(described_changes == served_changes);
}

TEST_CASE("api: paths with named parts") {
  CHECK(match_path("/v1/machines", "/v1/machines").has_value());
  CHECK_FALSE(match_path("/v1/machines", "/v1/machines/m1").has_value());
  const auto one = match_path("/v1/machines/{machine}", "/v1/machines/m1");
  REQUIRE(one.has_value());
  CHECK(one->at("machine") == "m1");
  CHECK_FALSE(match_path("/v1/machines/{machine}", "/v1/machines/m1:reconcile").has_value());
  CHECK_FALSE(match_path("/v1/machines/{machine}", "/v1/machines/").has_value());
  CHECK_FALSE(match_path("/v1/machines/{machine}", "/v1/machines").has_value());
  CHECK_FALSE(match_path("/v1/machines/{machine}:reconcile", "/v1/machines/m1").has_value());
  CHECK_FALSE(match_path("/v1/machines/{machine}:reconcile", "/v1/machines/:reconcile").has_value());
  CHECK(match_path("/v1/machines/{machine}:reconcile", "/v1/machines/m1:reconcile")->at("machine") == "m1");
  CHECK(match_path("/v1/machines/{machine}/journal", "/v1/machines/m1/journal")->at("machine") == "m1");
}

TEST_CASE_FIXTURE(ApiFixture, "api: lists in pages, every machine once, filters kept") {
  std::vector<std::string> names;
  for (int i = 0; i < 25; ++i) names.push_back("m" + std::to_string(100 + i));
  accept(names);
  for (std::size_t i = 0; i < names.size(); i += 2) board.seen(facts(names[i]));
  std::vector<std::string> got;
  std::string token;
  int pages = 0;
  do {
    const auto page = json("/v1/machines?page_size=10&page_token=" + token);
    for (const auto& machine : page["machines"].items()) got.push_back(text_of(machine["name"]));
    token = text_of(page["next_page_token"]);
    pages += 1;
  } while (!token.empty() && pages < 10);
  CHECK(got == names);
  CHECK(pages == 3);
  // 13 machines were seen; exactly full pages end without a further one.
  const auto first = json("/v1/machines?health=ok&page_size=12");
  CHECK(first["machines"].size() == 12);
  const auto second = json("/v1/machines?health=ok&page_size=12&page_token=" + text_of(first["next_page_token"]));
  CHECK(second["machines"].size() == 1);
  CHECK(text_of(second["next_page_token"]).empty());
  CHECK(text_of(json("/v1/machines?health=ok&page_size=13")["next_page_token"]).empty());
  const auto refused = call("GET", "/v1/machines?page_token=" + text_of(first["next_page_token"]));
  CHECK(refused.status == 400);  // of another filter
  for (const char* bad : {"/v1/machines?page_size=0", "/v1/machines?page_size=-1", "/v1/machines?page_size=x",
                          "/v1/machines?page_token=zz", "/v1/machines?health=fine"}) {
    CAPTURE(bad);
    CHECK(call("GET", bad).status == 400);
  }
  CHECK(json("/v1/machines?page_size=999999")["machines"].size() == 25);
}

TEST_CASE_FIXTURE(ApiFixture, "api: entity tags") {
  accept({"m1"});
  const auto first = call("GET", "/v1/machines");
  const auto tag = base::find_header(first.headers, "ETag");
  REQUIRE(tag.has_value());
  for (const std::string& sent :
       {std::string(*tag), "W/" + std::string(*tag), "\"x\", " + std::string(*tag), std::string("*")}) {
    CAPTURE(sent);
    const auto again = call("GET", "/v1/machines", "", true, {{"If-None-Match", sent}});
    CHECK(again.status == 304);
    CHECK(again.body.empty());
  }
  board.seen(facts("m1"));
  CHECK(call("GET", "/v1/machines", "", true, {{"If-None-Match", std::string(*tag)}}).status == 200);
}

TEST_CASE_FIXTURE(ApiFixture, "api: changes need the control socket and an admitted user") {
  accept({"m1"});
  for (const auto& route : changing_routes(context)) {
    CAPTURE(route.path);
    base::HttpRequest request{.method = route.method,
                              .path = "",
                              .parameters = {},
                              .headers = {},
                              .body = R"({"reason":"x"})",
                              .remote = "127.0.0.1:1",
                              .peer = {}};
    CHECK(route.handler({request, {{"machine", "m1"}}}).status == 403);
    request.peer = base::PeerCredentials{.user = ::geteuid() + 1, .process = 1, .groups = {::getegid() + 1}};
    CHECK(route.handler({request, {{"machine", "m1"}}}).status == 403);
  }
  CHECK(looked_at.empty());
  CHECK(changes.empty());
  CHECK_FALSE(holds.of("m1").has_value());
}

TEST_CASE("api: who may change something") {
  const auto policy = PeerPolicy::make({"daemon"}, {"bin"});
  REQUIRE(policy.has_value());
  const auto may = [&](std::uint32_t user, std::vector<std::uint32_t> groups) {
    return policy->may_change({.user = user, .process = 1, .groups = std::move(groups)});
  };
  CHECK(may(0, {}));
  CHECK(may(::geteuid(), {}));
  CHECK(may(1, {}));           // daemon
  CHECK(may(4711, {100, 2}));  // bin, as a supplementary group
  CHECK_FALSE(may(4711, {1}));
  CHECK_FALSE(may(2, {}));  // a user with the group's number
  CHECK_FALSE(PeerPolicy::make({"no-such-user"}, {}).has_value());
  CHECK_FALSE(PeerPolicy::make({}, {"no-such-group"}).has_value());
  CHECK_FALSE(PeerPolicy::make({"nobody"}, {}).has_value());  // whom a user namespace shows for everybody
}

TEST_CASE_FIXTURE(ApiFixture, "api: hold, resume, reconcile") {
  accept({"m1", "m2"});
  CHECK(call("PUT", "/v1/holds/machines/m1", R"({"reason":"moving the rack"})").status == 200);
  REQUIRE(holds.of("m1").has_value());
  CHECK(holds.of("m1")->by.find("uid") != std::string::npos);
  CHECK(json("/v1/holds")["holds"].size() == 1);
  CHECK(call("PUT", "/v1/holds/all", R"({"reason":"power failure"})").status == 200);
  CHECK(json("/v1/fleet")["holds"].size() == 2);
  CHECK(call("DELETE", "/v1/holds/all").status == 204);
  CHECK(call("DELETE", "/v1/holds/all").status == 404);
  CHECK(call("DELETE", "/v1/holds/machines/m1").status == 204);
  CHECK(call("POST", "/v1/machines/m2:reconcile").status == 202);
  CHECK(call("POST", "/v1/machines/m9:reconcile").status == 404);
  CHECK(call("POST", "/v1/registry:fetch").status == 202);
  CHECK(looked_at == std::vector<std::string>{"m1", "*", "*", "m1", "m2", "fetch"});
  CHECK(changes.size() == 6);
  CHECK(changes.at(0).reason == "moving the rack");
  for (const char* body : {"", "{}", "[]", R"({"reason":1})", R"({"reason":" "})", R"({"reason":"x","y":1})"}) {
    CAPTURE(body);
    CHECK(call("PUT", "/v1/holds/machines/m1", body).status == 400);
  }
  CHECK(call("PUT", "/v1/holds/machines/M1", R"({"reason":"x"})").status == 400);
}

TEST_CASE_FIXTURE(ApiFixture, "api: a rewritten history is confirmed by naming what is held") {
  const std::string path = "/v1/registry:confirm";
  const auto body = [](const std::string& commit) {
    return Json::object({{"commit", commit}, {"reason", "meant"}}).text();
  };
  CHECK(call("POST", path, body(held), false).status == 403);
  CHECK(call("POST", path, body(std::string(40, 'd'))).status == 409);
  for (const char* bad : {"", "{}", "[]", R"({"commit":"x"})", R"({"commit":7,"reason":"x"})",
                          R"({"commit":"x","reason":"x","more":1})"}) {
    CHECK(call("POST", path, bad).status == 400);
  }
  CHECK(changes.empty());
  CHECK(call("POST", path, body(held)).status == 202);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].what == "confirm");
  CHECK(changes[0].reason == held + ": meant");
}

TEST_CASE_FIXTURE(ApiFixture, "api: a machine that cannot be read shows what was read last") {
  accept({"m1"});
  auto seen = facts("m1", PowerState::Off);
  const auto when = clock.wall();
  board.seen(seen);
  CHECK(json("/v1/machines/m1")["observation"]["power"]["last"].is_null());
  for (int i = 0; i < 3; ++i) {
    clock.advance(10s);
    seen.report.power = Observed<PowerState>::unknown("no answer");
    board.seen(seen);
  }
  const auto power = json("/v1/machines/m1")["observation"]["power"];
  CHECK(text_of(power["state"]) == "unknown");
  CHECK(text_of(power["last"]["state"]) == "off");
  CHECK(text_of(power["last"]["at"]) == text_of(time_json(when)));
}

TEST_CASE_FIXTURE(ApiFixture, "api: the journal in pages") {
  accept({"m1"});
  for (int i = 5; i > 0; --i) {
    Run run;
    run.id = i;
    runs.push_back(run);
  }
  const auto first = json("/v1/machines/m1/journal?page_size=2");
  CHECK(first["runs"].at(0)["id"].as_int() == 5);
  const auto second = json("/v1/machines/m1/journal?page_size=3&page_token=" + text_of(first["next_page_token"]));
  CHECK(second["runs"].size() == 3);
  CHECK(second["runs"].at(0)["id"].as_int() == 3);
  CHECK(text_of(second["next_page_token"]).empty());
  CHECK(call("GET", "/v1/machines/m9/journal").status == 404);
}

TEST_CASE_FIXTURE(ApiFixture, "api: explanations name whose move it is") {
  accept({"m1"});
  CHECK(explain(*board.machine("m1")).waiting_for == "its first look");
  const auto after = [&](MachineFacts f) {
    board.seen(f);
    return explain(*board.machine("m1"));
  };
  CHECK(after(facts("m1")).waiting_for.empty());
  SUBCASE("held") {
    auto f = facts("m1");
    f.report.local_hold = "moving the rack";
    const auto why = after(f);
    CHECK(why.waiting_for == "a person");
    CHECK(why.next_step.find("nimbusctl resume m1") != std::string::npos);
    CHECK_FALSE(why.until.has_value());
    CHECK(why.state.health == MachineHealth::Attention);
  }
  SUBCASE("an effect is awaited until its deadline") {
    auto f = facts("m1", PowerState::Off);
    f.report.decision = {.kind = DecisionKind::Wait, .reason = "power-on was sent", .look_again = clock.wall() + 7s};
    const auto why = after(f);
    CHECK(why.waiting_for == "power-on was sent");
    CHECK(why.until == clock.wall() + 7s);
  }
  SUBCASE("an unknown BMC is asked again") {
    auto f = facts("m1");
    f.report.power = Observed<PowerState>::unknown("no answer");
    f.report.error = Error{Code::Timeout, "no answer"};
    f.failures = 3;
    CHECK(after(f).waiting_for == "the BMC to answer");
    f.report.error = Error{Code::Auth, "refused"};
    CHECK(after(f).waiting_for == "a person");
  }
  SUBCASE("refused by the guard") {
    auto f = facts("m1", PowerState::Off);
    f.report.decision = {.kind = DecisionKind::Act, .action = PowerAction::On, .reason = "wanted on"};
    f.report.refusal = Refusal{"Window", "outside of all windows"};
    CHECK(after(f).waiting_for == "outside of all windows");
  }
}

TEST_CASE_FIXTURE(ApiFixture, "api: a machine that left the registry is gone, also after a late pass") {
  accept({"m1", "m2"});
  board.seen(facts("m1"));
  accept({"m2"});
  board.seen(facts("m1"));
  CHECK(call("GET", "/v1/machines/m1").status == 404);
  CHECK(json("/v1/machines")["machines"].size() == 1);
}

TEST_CASE_FIXTURE(ApiFixture, "api: the time since when is that of the status branch") {
  accept({"m1"});
  board.seen(facts("m1"));
  const auto text = registry::to_text(board.machine("m1")->live->status);
  clock.advance(1h);
  EventLog other_events(clock);
  LiveBoard restarted(clock, sink, other_events);
  restarted.seed({{"providers/lab/machines/m1.toml", text}, {"status.toml", ""}});
  auto registry = std::make_shared<AcceptedRegistry>();
  registry->machines["m1"] = {desired("m1"), ""};
  restarted.accepted(registry);
  restarted.seen(facts("m1"));
  CHECK(judge(restarted.machine("m1")->live->status).since == judge(board.machine("m1")->live->status).since);
}
