// The console that is recorded, over the API.
#include <doctest/doctest.h>

#include "api_fixture.hpp"
#include "base/json/json.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::testing;

TEST_CASE_FIXTURE(ApiFixture, "api: a console is attached to, read and typed on; attaching is told") {
  const std::string output = "login: \xff";
  std::string typed;
  bool recorded = true;
  const Error none{Code::NotFound, "the console of m1 is not being recorded"};
  context.consoles = {.attach = [&](const std::string&) -> Result<std::int64_t> {
                        if (!recorded) return none;
                        return std::int64_t{7};
                      },
                      .read = [&](const std::string&, std::int64_t after) -> Result<ConsolePiece> {
                        if (!recorded) return none;
                        return ConsolePiece{.bytes = after < 15 ? output : "", .next = 15};
                      },
                      .type = [&](const std::string&, const std::string& keys) -> Result<> {
                        typed += keys;
                        return {};
                      }};
  accept({"m1"});
  const auto attached = call("POST", "/v1/machines/m1:attach");
  REQUIRE(attached.status == 200);
  CHECK((*base::parse_json(attached.body))["after"].as_int() == 7);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].what == "console");
  CHECK(changes[0].machine == "m1");

  const auto read = call("POST", "/v1/machines/m1:console", R"({"after":7})");
  REQUIRE(read.status == 200);
  CHECK((*base::parse_json(read.body))["base64"].as_string() == "bG9naW46IP8=");
  CHECK((*base::parse_json(read.body))["next"].as_int() == 15);
  CHECK(call("POST", "/v1/machines/m1:type", R"({"base64":"cm9vdA0="})").status == 204);
  CHECK(typed == "root\r");
  for (const auto* bad : {"", "{}", R"({"base64":""})", R"({"base64":"-"})", R"({"base64":"cg==","x":1})"}) {
    CAPTURE(bad);
    CHECK(call("POST", "/v1/machines/m1:type", bad).status == 400);
  }
  for (const auto* bad : {"", "{}", R"({"after":"7"})", R"({"after":-1})"}) {
    CAPTURE(bad);
    CHECK(call("POST", "/v1/machines/m1:console", bad).status == 400);
  }
  recorded = false;
  CHECK(call("POST", "/v1/machines/m1:attach").status == 404);
  CHECK(call("POST", "/v1/machines/m9:attach").status == 404);
  CHECK(changes.size() == 1);
}
