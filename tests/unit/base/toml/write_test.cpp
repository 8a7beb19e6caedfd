#include "base/toml/write.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/toml/toml.hpp"

using namespace nimbus::base::toml;

namespace {

/// Any table that a program could build: odd keys, odd strings, deep and empty things.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Table table(int depth) {
    Table out;
    for (int i = pick(5); i > 0; --i) out.set(text(), value(depth));
    return out;
  }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  std::string text() {
    static const std::string kPieces[] = {"a",  "Z",  "0",    "-",    "_",    ".",  " ", "\"", "\\",
                                          "\n", "\t", "\x01", "\x7f", "\x1f", "ä",  "€", "😀",  "'",
                                          "#",  "=",  "]",    "[",    "\r\n", "\b", "\f"};
    std::string out;
    for (int i = pick(6); i > 0; --i) out += kPieces[random_() % std::size(kPieces)];
    return out;
  }

  Value value(int depth) {
    switch (pick(depth > 0 ? 9 : 6)) {
      case 0:
        return text();
      case 1:
        return static_cast<std::int64_t>(random_()) - 2'000'000'000;
      case 2:
        return pick(2) == 0;
      case 3:
        return std::ldexp(static_cast<double>(random_()), pick(200) - 100);
      case 4:
        return DateTime::from(
            nimbus::WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(random_()) * 1000 + pick(1000)}});
      case 5:
        return Array{};
      case 6: {
        Array mixed;
        for (int i = pick(4); i > 0; --i) mixed.push_back(value(depth - 1));
        return mixed;
      }
      case 7: {
        Array tables;
        for (int i = pick(4); i > 0; --i) tables.emplace_back(table(depth - 1));
        return tables;
      }
      default:
        return table(depth - 1);
    }
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("the canonical form") {
  Table reason;
  reason.set("status", "true").set("reason", "Reconciled");
  Table run;
  run.set("action", "install").set("extra", Table{}.set("deep", 1));
  Table root;
  root.set("run", Array{run, Table{}})
      .set("power", "on")
      .set("condition", Table{}.set("ready", reason).set("drift", Table{}))
      .set("identity", Table{}.set("serial", "CZ\"1\"").set("mac", "x\x1b\n"))
      .set("since", DateTime::from(nimbus::WallTime{std::chrono::seconds{1795428000}}))
      .set("odd key", 1.0)
      .set("list", Array{1, 2})
      .set("mixed", Array{Table{}.set("a", 1), 2})
      .set("none", Array{});
  CHECK(write(root) ==
        "list = [1, 2]\n"
        "mixed = [{ a = 1 }, 2]\n"
        "none = []\n"
        "\"odd key\" = 1.0\n"
        "power = \"on\"\n"
        "since = 2026-11-23T10:00:00Z\n"
        "[condition.drift]\n"
        "[condition.ready]\n"
        "reason = \"Reconciled\"\n"
        "status = \"true\"\n"
        "[identity]\n"
        "mac = \"x\\u001B\\n\"\n"
        "serial = \"CZ\\\"1\\\"\"\n"
        "[[run]]\n"
        "action = \"install\"\n"
        "[run.extra]\n"
        "deep = 1\n"
        "[[run]]\n");
  CHECK(write(Table{}).empty());
}

TEST_CASE("whatever is written reads back equal, and writes to the same bytes again") {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const auto table = Generator(seed).table(4);
    const auto text = write(table);
    const auto back = parse(text);
    REQUIRE_MESSAGE(back.has_value(), seed << ": " << back.error().message << "\n" << text);
    CHECK_MESSAGE(*back == table, seed << "\n" << text);
    CHECK(write(*back) == text);
    CHECK((text.empty() || text.back() == '\n'));
  }
}

TEST_CASE("numbers keep their kind and value") {
  for (const double value : {0.0, -0.0, 1.0, 1e300, 5e-324, 0.1, 1e16, -123456789.125, 1e22,
                             std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    const auto back = parse(write(Table{}.set("x", value)));
    REQUIRE(back);
    REQUIRE(back->find("x")->floating() != nullptr);
    CHECK(*back->find("x")->floating() == value);
    CHECK(std::signbit(*back->find("x")->floating()) == std::signbit(value));
  }
  CHECK(write(Table{}.set("x", std::numeric_limits<double>::quiet_NaN())) == "x = nan\n");
  for (const std::int64_t value : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
    CHECK(*parse(write(Table{}.set("x", value)))->find("x")->integer() == value);
  }
}

TEST_CASE("bytes that are no text cannot make a document that nobody can read") {
  CHECK(write(Table{}.set("x", "a\xff\xc3z")) == "x = \"a\xEF\xBF\xBD\xEF\xBF\xBDz\"\n");
  CHECK(parse(write(Table{}.set("\xff", "\xed\xa0\x80"))).has_value());
}
