#include "base/toml/reader.hpp"

#include <doctest/doctest.h>

#include "base/toml/toml.hpp"

using namespace nimbus::base::toml;

TEST_CASE("a configuration is read and every fault is noted with its place") {
  const auto root = parse(
      "port = 70000\nnmae = 'x'\nlevel = 'debg'\n[tls]\ncert = 1\n[[user]]\nname = 'a'\n[[user]]\nnam = 'b'\n"
      "[ok]\nlist = ['a', 'b']\nshare = 1\nyes = true\n");
  REQUIRE(root.has_value());
  std::vector<Fault> faults;
  TableReader top(*root, "", faults);
  CHECK_FALSE(top.integer("port", 1, 65535));
  CHECK_FALSE(top.string("name"));
  CHECK_FALSE(top.choice("level", {"debug", "info"}));
  auto tls = top.table("tls");
  REQUIRE(tls);
  CHECK_FALSE(tls->string("cert"));
  tls->require("key").finish();
  for (auto& user : top.tables("user")) {
    user.require("name").finish();
  }
  auto ok = top.table("ok");
  REQUIRE(ok);
  CHECK(ok->strings("list")->size() == 2);
  CHECK(*ok->number("share") == 1.0);
  CHECK(*ok->boolean("yes"));
  ok->finish();
  top.finish();

  std::vector<std::uint32_t> lines;
  for (const auto& fault : faults) lines.push_back(fault.at.line);
  CHECK(lines == std::vector<std::uint32_t>{1, 3, 5, 4, 8, 9, 2});
  CHECK(faults.back().message == "unknown key 'nmae' at the top; did you mean 'name'?");
}
