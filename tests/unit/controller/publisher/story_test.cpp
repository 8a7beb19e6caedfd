#include "controller/publisher/story.hpp"

#include <doctest/doctest.h>

using namespace nimbus::controller;

namespace {
Chapter machine(const std::string& name, const std::string& event) {
  return {"providers/berlin-1/machines/b2/" + name + ".toml", event};
}
}  // namespace

TEST_CASE("subjects that read as a story") {
  CHECK(tell({}, "berlin-1/ctl-1: term 7").subject == "berlin-1/ctl-1: term 7");
  CHECK(tell({machine("m017", "power-on")}, "").subject == "m017: power-on");
  CHECK(tell({machine("m017", "")}, "").subject == "m017: status");
  const auto same = tell({machine("m1", "power-on"), machine("m2", "power-on")}, "");
  CHECK(same.subject == "2 machines: power-on");
  CHECK(same.body == "m1: power-on\nm2: power-on\n");
  CHECK(tell({machine("m1", "power-on"), machine("m2", ""), machine("m3", "off"), machine("m4", "off")}, "").subject ==
        "4 machines: m1 power-on, m2 status, m3 off, …");
  CHECK(tell({machine("m1", "x"), {"tenants/a/instances/web-1.toml", "x"}}, "").subject == "2 documents: x");
  CHECK(machines_in({machine("m1", "x"), {"tenants/a/instances/web-1.toml", "x"}}) == 1);
}

TEST_CASE("a long story is cut and cannot forge trailers") {
  std::vector<Chapter> many(500, machine("m1", "power-on\n\nNimbus-Term: 9"));
  const auto body = tell(many, "").body;
  CHECK(body.ends_with("and 400 more\n"));
  CHECK(body.find("\nNimbus-Term") == std::string::npos);
}
