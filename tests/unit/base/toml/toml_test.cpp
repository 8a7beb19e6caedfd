#include "base/toml/toml.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace nimbus::base;
using toml::Kind;

namespace {

toml::Table parsed(std::string_view text) {
  auto result = toml::parse(text);
  REQUIRE_MESSAGE(result.has_value(), text << ": " << (result ? "" : result.error().message));
  return std::move(*result);
}

toml::SyntaxError refused(std::string_view text) {
  const auto result = toml::parse(text);
  REQUIRE_MESSAGE(!result.has_value(), text);
  return result.error();
}

/// Every value that was written as one piece reads the same from its own span.
void check_spans(std::string_view text, const toml::Value& value) {
  const auto& span = value.span();
  CHECK(span.begin.line > 0);
  if (const auto* table = value.table(); table != nullptr && !value.is_inline()) {
    for (const auto& member : table->members()) check_spans(text, member.value);
    return;
  }
  const auto piece = text.substr(span.begin.offset, span.end.offset - span.begin.offset);
  if (const auto* array = value.array(); array != nullptr && !piece.starts_with("[")) return;
  if (value.array() != nullptr && piece.starts_with("[[")) return;
  const auto again = toml::parse("x = " + std::string(piece));
  REQUIRE_MESSAGE(again.has_value(), "[" << piece << "]");
  CHECK_MESSAGE(*again->find("x") == value, piece);
  if (const auto* array = value.array()) {
    for (const auto& item : *array) check_spans(text, item);
  }
}

}  // namespace

TEST_CASE("values of all kinds") {
  const auto root = parsed(R"(text = "a\tbé"
raw = 'C:\x'
multi = """
one
two"""
whole = -42
hex = 0xff
real = 6.25e2
yes = true
when = 2026-12-01T02:30:00+02:30
day = 2026-12-01
list = [1, 2, 3]
point = { x = 1, "y z" = [ "q" ] }
a.b.c = 1
[table]
key = "v"
[[items]]
n = 1
[[items]]
n = 2
)");
  CHECK(*root.find("text")->string() == "a\tb\xC3\xA9");
  CHECK(*root.find("raw")->string() == "C:\\x");
  CHECK(*root.find("multi")->string() == "one\ntwo");
  CHECK(*root.find("whole")->integer() == -42);
  CHECK(*root.find("hex")->integer() == 255);
  CHECK(*root.find("real")->floating() == 625.0);
  CHECK(*root.find("yes")->boolean());
  CHECK(root.find("when")->datetime()->text() == "2026-12-01T02:30:00+02:30");
  CHECK(toml::DateTime::from(*root.find("when")->datetime()->instant()).text() == "2026-12-01T00:00:00Z");
  CHECK(root.find("day")->datetime()->form == toml::DateTime::Form::Date);
  CHECK_FALSE(root.find("day")->datetime()->instant());
  CHECK(root.find("list")->array()->size() == 3);
  CHECK(root.find("point")->is_inline());
  CHECK(*root.find("point")->table()->find("y z")->array()->at(0).string() == "q");
  CHECK(*root.find("a")->table()->find("b")->table()->find("c")->integer() == 1);
  CHECK_FALSE(root.find("table")->is_inline());
  CHECK(root.find("items")->array()->size() == 2);
  CHECK(root.find("nothing") == nullptr);
}

TEST_CASE("positions count code points, offsets count bytes") {
  const std::string text =
      "# \xC3\xA9\n\"\xC3\xA9\" = \"\xE2\x82\xAC\" # \xC3\xA9\n  b.c = 12\n[t]\nx = [ 1,\n  { y = 'z' } "
      "]\n[[u]]\nv=1\n";
  for (const std::string& variant : {text, "\xEF\xBB\xBF" + text}) {
    const auto root = parsed(variant);
    const auto* member = root.member("\xC3\xA9");
    REQUIRE(member != nullptr);
    CHECK(member->key_span.begin.line == 2);
    CHECK(member->key_span.begin.column == 1);
    CHECK(member->value.span().begin.column == 7);
    CHECK(member->value.span().end.column == 10);
    CHECK(root.find("b")->table()->find("c")->span().begin.line == 3);
    CHECK(root.find("b")->table()->find("c")->span().begin.column == 9);
    CHECK(root.find("t")->span().begin.line == 4);
    for (const auto& each : root.members()) check_spans(variant, each.value);
  }
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto root = parsed(crlf);
  for (const auto& each : root.members()) check_spans(crlf, each.value);
}

TEST_CASE("key spans cover exactly the key") {
  const std::string text = "one = 1\n\"two words\" = 2\na.'b'.c=3\n[ d . e ]\nf=4\n[[g]]\n";
  const auto root = parsed(text);
  const auto piece = [&](const toml::Member* member) {
    REQUIRE(member != nullptr);
    return text.substr(member->key_span.begin.offset, member->key_span.end.offset - member->key_span.begin.offset);
  };
  CHECK(piece(root.member("one")) == "one");
  CHECK(piece(root.member("two words")) == "\"two words\"");
  CHECK(piece(root.member("a")->value.table()->member("b")) == "'b'");
  CHECK(piece(root.member("a")->value.table()->member("b")->value.table()->member("c")) == "c");
  CHECK(piece(root.member("d")->value.table()->member("e")) == "e");
  CHECK(piece(root.member("g")) == "g");
}

TEST_CASE("errors name line and column") {
  const auto error = refused("a = 1\nb = = 2\n");
  CHECK(error.at.line == 2);
  CHECK(error.at.column == 5);
  CHECK(error.cause == toml::SyntaxError::Cause::Syntax);
  CHECK(refused("a = 1\na = 2\n").at.line == 2);
  CHECK(refused("a = 1\n[t]\nx = \"unterminated\n").at.line == 3);
  CHECK(refused("x = \"\xFF\"\n").cause == toml::SyntaxError::Cause::NotUtf8);
}

// toml++ 3.3 aborts the process on these when built without its assertions cured.
TEST_CASE("trap: malformed keys that hit an assertion of the parser are errors with a line") {
  for (const std::string_view text :
       {"[", "[!]", "[.]", "[[", "[[.]]", "[a.]", "[a..b]", "[]", "[=]", "= 1", ". = 1"}) {
    CAPTURE(text);
    CHECK_FALSE(toml::parse(text).has_value());
    const auto later = refused("a = 1\n# comment\n\n" + std::string(text) + "\n");
    CHECK(later.at.line == 4);
  }
}

TEST_CASE("trap: a key of 32,000 parts is refused before the parser recurses over it") {
  std::string parts = "a";
  for (int i = 0; i < 32000; ++i) parts += ".a";
  for (const std::string& text :
       {parts + " = 1\n", "[" + parts + "]\n", "[[" + parts + "]]\n", "x = { " + parts + " = 1 }\n"}) {
    const auto error = refused(text);
    CHECK(error.cause == toml::SyntaxError::Cause::TooDeep);
    CHECK(error.at.line == 1);
  }
}

TEST_CASE("dots inside strings, comments and numbers are no key") {
  const std::string dots(100, '.');
  CHECK(toml::parse("a = \"" + dots + "\"\n").has_value());
  CHECK(toml::parse("a = '" + dots + "'\n").has_value());
  CHECK(toml::parse("a = \"\"\"" + dots + "\n" + dots + "\"\"\"\n").has_value());
  CHECK(toml::parse("a = '''" + dots + "'\n" + dots + "'''\n").has_value());
  CHECK(toml::parse("a = 1 # " + dots + "\n# " + dots).has_value());
  CHECK(toml::parse("a = \"\\\"" + dots + "\"\n").has_value());
  CHECK(toml::parse("\"" + dots + "\" = 1\n").has_value());
  std::string floats = "a = [ 1.5";
  for (int i = 0; i < 100; ++i) floats += ", 1.5";
  CHECK(toml::parse(floats + " ]\n").has_value());
}

TEST_CASE("a string cannot hide a long key from the look ahead") {
  std::string parts = "a";
  for (int i = 0; i < 40; ++i) parts += ".a";
  const std::string key = parts + " = 1\n";
  for (const std::string& before :
       {std::string("s = \"\"\"\"\"\"\n"), std::string("s = \"\"\"x\"\"\"\"\"\n"), std::string("s = '''''''\n"),
        std::string("s = \"\\\\\"\n"), std::string("s = '\\'\n"), std::string("s = \"\" # \"\n"),
        std::string("'\"' = 1\n"), std::string("s = \"\"\"\\\"\"\"\"\n"), std::string("s = \"\"\"\\\\\"\"\"\n"),
        std::string("s = '' # '''\n")}) {
    CAPTURE(before);
    CHECK(refused(before + key).cause == toml::SyntaxError::Cause::TooDeep);
  }
}

TEST_CASE("trap: nesting is capped for arrays and inline tables") {
  for (const std::size_t depth : {std::size_t{200}, std::size_t{100000}}) {
    CHECK_FALSE(toml::parse("a = " + std::string(depth, '[')).has_value());
    CHECK_FALSE(toml::parse("a = " + std::string(depth, '[') + std::string(depth, ']')).has_value());
    std::string inline_tables = "a = ";
    for (std::size_t i = 0; i < depth / 4; ++i) inline_tables += "{a=";
    CHECK_FALSE(toml::parse(inline_tables).has_value());
  }
  // 32 dots, nested: each part alone is within the limits.
  std::string part = "a";
  for (int i = 0; i < 32; ++i) part += ".a";
  std::string nested = "1";
  for (int i = 0; i < 60; ++i) nested = "{" + part + "=" + nested + "}";
  CHECK(refused("x = " + nested).cause == toml::SyntaxError::Cause::TooDeep);
}

TEST_CASE("trap: size, NUL, bad UTF-8, overflow") {
  CHECK(refused(std::string(toml::kMaxText + 1, ' ')).cause == toml::SyntaxError::Cause::TooLarge);
  CHECK(toml::parse(std::string(toml::kMaxText, ' ')).has_value());
  CHECK_FALSE(toml::parse(std::string_view("a = 1\0", 6)).has_value());
  CHECK_FALSE(toml::parse("a = \"\xC0\x80\"").has_value());
  CHECK_FALSE(toml::parse("a = 9223372036854775808").has_value());
  CHECK(*parsed("a = -9223372036854775808").find("a")->integer() == INT64_MIN);
  CHECK_FALSE(toml::parse("a = 1e400").has_value());
  CHECK(toml::parse("").has_value());
  CHECK(toml::parse("\xEF\xBB\xBF").has_value());
}

// The verdicts of TOML 1.0 on which parsers differ. Spec: toml.io/en/v1.0.0.
TEST_CASE("accepted by TOML 1.0") {
  for (const std::string_view text : {"",
                                      "\n\n",
                                      "# only a comment",
                                      "a=1",
                                      "a = 1 # c",
                                      "1234 = 'x'",
                                      "-_ = 1",
                                      "\"\" = 1",
                                      "'' = 1",
                                      "a.\"b.c\".d = 1",
                                      "a . b = 1",
                                      "3.14 = 'pi'",
                                      "a = 0",
                                      "a = +1",
                                      "a = -0",
                                      "a = 1_000",
                                      "a = 0xDEAD_beef",
                                      "a = 0o755",
                                      "a = 0b11",
                                      "a = inf",
                                      "a = -nan",
                                      "a = 1e6",
                                      "a = 1E+6",
                                      "a = 0.0",
                                      "a = -0.0",
                                      "a = []",
                                      "a = [1,]",
                                      "a = [1, 'two', [3]]",
                                      "a = [\n # c\n 1,\n 2 # d\n]",
                                      "a = {}",
                                      "a = { b = 1, c.d = 2 }",
                                      "[a]\n[a.b]\n[c]",
                                      "[a.b]\n[a]\nx = 1",
                                      "[[a]]\n[[a]]\n[a.b]\n[[a.c]]",
                                      "[a]\nb.c = 1\nb.d = 2",
                                      "a = 1979-05-27T07:32:00Z",
                                      "a = 1979-05-27 07:32:00Z",
                                      "a = 1979-05-27T00:32:00.999999-07:00",
                                      "a = 1979-05-27T07:32:00",
                                      "a = 1979-05-27",
                                      "a = 07:32:00",
                                      "a = 2024-02-29",
                                      "a = \"\\u00e9\\U0001F600\"",
                                      "a = \"\"\"\\\n   x\"\"\"",
                                      "a = '''\n'x'''",
                                      "a = \"\"\"a\"\"\"\"\"",
                                      "a = \"tab\there\"",
                                      "\"\xC3\xA9\" = 1"}) {
    CAPTURE(text);
    CHECK(toml::parse(text).has_value());
  }
}

TEST_CASE("refused by TOML 1.0") {
  for (const std::string_view text : {"a",
                                      "a =",
                                      "= 1",
                                      "a = 1 b = 2",
                                      "a b = 1",
                                      "a = b",
                                      "a = 01",
                                      "a = -01",
                                      "a = 1__0",
                                      "a = _1",
                                      "a = 1_",
                                      "a = 0x",
                                      "a = +0x1",
                                      "a = 0XFF",
                                      "a = 1.",
                                      "a = .5",
                                      "a = 1.e5",
                                      "a = 1e",
                                      "a = truE",
                                      "a = TRUE",
                                      "a = 'x",
                                      "a = \"x",
                                      "a = \"\\q\"",
                                      "a = \"\\uD800\"",
                                      "a = \"\\U00110000\"",
                                      "a = \"\"\"x",
                                      "a = '''x",
                                      "a = [1",
                                      "a = [1 2]",
                                      "a = [,1]",
                                      "a = {b=1,}",
                                      "a = {b=1\n}",
                                      "a = {b=1, b=2}",
                                      "a = {b.c=1, b=2}",
                                      "a = 1\na = 2",
                                      "[a]\n[a]",
                                      "a = 1\n[a]",
                                      "a = {}\n[a.b]",
                                      "a = []\n[[a]]",
                                      "[[a]]\n[a]",
                                      "[a]\n[[a]]",
                                      "a.b = 1\n[a]",
                                      "a = 1\na.b = 2",
                                      "[a.b]\nx = 1\n[a]\nb.y = 2",
                                      "a = {b = 1}\na.c = 2",
                                      "[a",
                                      "[a]]",
                                      "[[a]",
                                      "[ ]",
                                      "[a] b = 1",
                                      "a = 2021-02-30",
                                      "a = 2021-13-01",
                                      "a = 25:00:00",
                                      "a = 1979-05-27T07:32Z",
                                      "a = 1979-05-27T",
                                      "\xC3\xA9 = 1",
                                      "a = \"\x01\"",
                                      "a = '\x7F'",
                                      "# \x01",
                                      "a = 1\rb = 2",
                                      "\"a\nb\" = 1",
                                      "\"\"\"a\"\"\" = 1",
                                      "a = \"\\e\"",
                                      "a = \"\\x41\""}) {
    CAPTURE(text);
    CHECK_FALSE(toml::parse(text).has_value());
  }
}
