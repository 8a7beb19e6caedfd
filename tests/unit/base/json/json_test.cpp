#include "base/json/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace nimbus;
using namespace nimbus::base;

TEST_CASE("json: values, order, absent against null") {
  const auto json = parse_json(R"({"b":1,"a":[true,null,"x",2.5],"n":null,"big":18446744073709551615,"e":1e2})");
  REQUIRE(json.has_value());
  CHECK(json->members()[0].key == "b");
  CHECK((*json)["b"].as_int() == 1);
  CHECK((*json)["a"].at(0).as_bool() == true);
  CHECK((*json)["a"].at(2).as_string() == "x");
  CHECK((*json)["a"].at(3).as_double() == 2.5);
  CHECK((*json)["a"].at(3).as_int() == std::nullopt);
  CHECK((*json)["a"].at(9).is_null());
  CHECK((*json)["e"].as_int() == 100);
  CHECK((*json)["big"].as_int() == std::nullopt);
  CHECK((*json)["big"].as_double() == 18446744073709551615.0);
  CHECK(json->find("n") != nullptr);
  CHECK(json->find("m") == nullptr);
  CHECK((*json)["m"]["deeper"]["still"].as_string() == std::nullopt);
  CHECK((*json)["b"].find("x") == nullptr);
}

TEST_CASE("json: what is refused") {
  for (const std::string bad :
       {"", " ", "{", "[1,]", "{\"a\":1,}", "nul", "1 2", "\"\xff\"", "\"\\ud800\"", "{\"a\" 1}", "[1e999]", "'a'",
        "NaN", "// c\n1", "{\"a\":1,\"a\":2}", "\"a\nb\"", "[01]"}) {
    const auto json = parse_json(bad);
    REQUIRE_MESSAGE(!json, bad);
    CHECK(json.error().code == Code::Corrupt);
  }
}

TEST_CASE("json: limits on bytes, depth and values") {
  CHECK(!parse_json(std::string(1'000'000, '[')));
  CHECK(parse_json(std::string(64, '[') + std::string(64, ']')));
  const auto deep = parse_json(std::string(65, '[') + std::string(65, ']'));
  REQUIRE(!deep);
  CHECK(deep.error().message.find("deeper than 64") != std::string::npos);
  CHECK(!parse_json("[1,2,3]", {.values = 3}));
  CHECK(parse_json("[1,2,3]", {.values = 4}));
  CHECK(!parse_json("[1,2,3]", {.bytes = 6}));
  CHECK(parse_json("[1]", {.bytes = kMostJsonBytes + 1}).error().code == Code::Invalid);
}

TEST_CASE("json: duplicate members kept first on request, in order") {
  const auto json = parse_json(R"({"b":1,"a":2,"b":3,"c":4,"a":5})", {.duplicates = DuplicateKeys::KeepFirst});
  REQUIRE(json.has_value());
  CHECK(json->text() == R"({"b":1,"a":2,"c":4})");
}

TEST_CASE("json: a byte order mark is skipped") { CHECK(parse_json("\xef\xbb\xbf{}").has_value()); }

TEST_CASE("json: written text is valid and reads back") {
  Json json = Json::object({{"s", "q\"\\\n\x01\x7f ä"}, {"i", 42}, {"d", 0.1}});
  json.set("list", Json::array({1, "two", nullptr, false}));
  json.set("i", 43);
  json.set("nan", std::numeric_limits<double>::quiet_NaN());
  CHECK(json.text() ==
        "{\"s\":\"q\\\"\\\\\\n\\u0001\\u007f ä\",\"i\":43,\"d\":0.1,\"list\":[1,\"two\",null,false],\"nan\":null}");
  CHECK(Json("a\xff\xc3").text() == "\"a\\ufffd\\ufffd\"");
  const auto back = parse_json(json.text(JsonStyle::Pretty));
  REQUIRE(back.has_value());
  json.set("nan", nullptr);
  CHECK(*back == json);
  CHECK(Json(-0.0).text() == "-0.0");
  CHECK(Json(1e30).text() == "1e+30");
  CHECK(Json::object().text(JsonStyle::Pretty) == "{}");
  CHECK(Json(std::uint64_t{18446744073709551615U}).kind() == Json::Kind::Double);
}

TEST_CASE("json schema: Draft 4 breaches name place and keyword") {
  const auto schema = parse_json(R"({"type":"object","required":["name"],"additionalProperties":false,
    "properties":{"name":{"type":"string","pattern":"^[a-z]+$"},"n":{"type":"integer","minimum":1}}})");
  REQUIRE(schema.has_value());
  CHECK(validate_json_schema(*schema, *parse_json(R"({"name":"abc","n":1})")).has_value());
  const auto wrong = validate_json_schema(*schema, *parse_json(R"({"name":"abc","n":0})"));
  REQUIRE(!wrong);
  CHECK(wrong.error().code == Code::Invalid);
  CHECK(wrong.error().message.find("#/n breaks 'minimum'") != std::string::npos);
  CHECK(!validate_json_schema(*schema, *parse_json(R"({"name":"ABC"})")));
  CHECK(!validate_json_schema(*schema, *parse_json(R"({"n":1})")));
  CHECK(!validate_json_schema(*schema, *parse_json(R"({"name":"a","x":1})")));
  CHECK(validate_json_schema(Json(1), Json()).error().code == Code::Internal);
}
