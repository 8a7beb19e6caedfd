#include "base/toml/edit.hpp"
#include "base/toml/edit_list.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/toml/tokens.hpp"
#include "base/toml/toml.hpp"

using namespace nimbus;
using namespace nimbus::base::toml;

namespace {

std::string set(std::string_view text, const KeyPath& path, const Value& value) {
  const auto edit = set_key(text, path, value);
  REQUIRE_MESSAGE(edit.has_value(), text << (edit ? "" : edit.error().message));
  return applied(text, *edit);
}

std::string removed(std::string_view text, const KeyPath& path) {
  const auto edit = remove_key(text, path);
  REQUIRE_MESSAGE(edit.has_value(), text << (edit ? "" : edit.error().message));
  return applied(text, *edit);
}

constexpr std::string_view kMachine = R"(# rack b2
class = "r650"   # since March
labels = { owner = "hpc",  tier= 'gold' }

# how it is reached
[bmc]
  address="https://bmc.example"  # not http
  tls = { pin = [ "a",  # old
                  "b" ] }

[[hardware.disk]]
size_gib = 480
[[hardware.disk]]
size_gib = 960

[identity]
serial = 'CZ3A1B2'
)";

constexpr std::string_view kPins = "{ pin = [ \"a\",  # old\n                  \"b\" ] }";

}  // namespace

TEST_CASE("a value is replaced between the bytes around it") {
  const std::string text(kMachine);
  const auto with = [&](std::string_view old, std::string_view now) {
    std::string out = text;
    out.replace(out.find(old), old.size(), now);
    return out;
  };
  CHECK(set(text, {"class"}, "r660") == with("\"r650\"", "\"r660\""));
  CHECK(set(text, {"labels", "tier"}, "bronze") == with("'gold'", "\"bronze\""));
  CHECK(set(text, {"bmc", "address"}, "x\"y") == with("\"https://bmc.example\"", R"("x\"y")"));
  CHECK(set(text, {"bmc", "tls"}, "no") == with(kPins, "\"no\""));
  CHECK(set(text, {"bmc", "tls", "pin"}, Array{"c"}) == with(kPins.substr(8, kPins.size() - 10), "[\"c\"]"));
  CHECK(set(text, {"class"}, "r650") == text);
}

TEST_CASE("a new key goes behind the last one of its table") {
  CHECK(set("", {"a"}, 1) == "a = 1\n");
  CHECK(set("# only a comment", {"a"}, 1) == "# only a comment\na = 1\n");
  CHECK(set("a = 1", {"b"}, true) == "a = 1\nb = true\n");
  CHECK(set("a = 1\r\n\r\n[t]\r\n", {"b"}, true) == "a = 1\r\nb = true\r\n\r\n[t]\r\n");
  CHECK(set("[t]\n  x = 1 # c\n  # d\n\n[u]\n", {"t", "y"}, 2) == "[t]\n  x = 1 # c\n  y = 2\n  # d\n\n[u]\n");
  CHECK(set("[t]\n[u]\n", {"t", "y"}, 2) == "[t]\ny = 2\n[u]\n");
  CHECK(set("# licence\n\n# about t\n[t]\nx = 1\n", {"a"}, 1) == "# licence\n\na = 1\n\n# about t\n[t]\nx = 1\n");
  CHECK(set("\xEF\xBB\xBF[t]\n", {"a"}, 1) ==
        "\xEF\xBB\xBF"
        "a = 1\n\n[t]\n");
  CHECK(set("a = { }", {"a", "b"}, 1) == "a = { b = 1 }");
  CHECK(set("a = { x = [ 1 ] } # c", {"a", "b", "c"}, 1) == "a = { x = [ 1 ], b.c = 1 } # c");
  CHECK(set("a = { x.y = 1 }", {"a", "x", "z"}, "}") == "a = { x.y = 1, x.z = \"}\" }");
  CHECK(set("a.b = 1\nc = 2\n", {"a", "d e"}, 3) == "a.b = 1\na.\"d e\" = 3\nc = 2\n");
}

TEST_CASE("a table that is missing gets a section at the end") {
  CHECK(set("a = 1\n", {"t", "x"}, 1) == "a = 1\n\n[t]\nx = 1\n");
  CHECK(set("[a.b]\nx = 1", {"a", "y"}, 1) == "[a.b]\nx = 1\n\n[a]\ny = 1\n");
  CHECK(set("[[l]]\nx = 1\n", {"t", "x"}, 1) == "[[l]]\nx = 1\n\n[t]\nx = 1\n");
  CHECK(set("", {"t", "u", "x"}, 1) == "[t.u]\nx = 1\n");
  Table table;
  table.set("x", 1).set("inner", Table{}.set("y", Array{1, 2}));
  CHECK(set("a = 1\r\n", {"t"}, table) == "a = 1\r\n\r\n[t]\r\nx = 1\r\n[t.inner]\r\ny = [1, 2]\r\n");
  Value small(Table{}.set("x", 1));
  small.set_inline(true);
  CHECK(set("a = 1\n", {"t"}, small) == "a = 1\nt = { x = 1 }\n");
}

TEST_CASE("a key goes with its line, a table with its sections") {
  CHECK(removed("a = 1 # why\nb = 2", {"a"}) == "b = 2");
  CHECK(removed("a = 1\nb = [ 1, # c\n 2 ] # d\nc = 3\n", {"b"}) == "a = 1\nc = 3\n");
  CHECK(removed("# of a\na = 1\n", {"a"}) == "# of a\n");
  CHECK(removed("x = 1\n\n[t]\na = 1\n# c\nb = 1\n\n# of u\n[u]\n", {"t"}) == "x = 1\n\n# of u\n[u]\n");
  CHECK(removed("x = 1\n\n[t]\na = 1\n", {"t"}) == "x = 1\n");
  CHECK(removed("[t.a]\nx = 1\n[u]\ny = 1\n[t.b]\nz = 1\n", {"t"}) == "[u]\ny = 1\n");
  CHECK(removed("[t.a]\nx = 1\n", {"t", "a"}).empty());
  CHECK(removed("[[l]]\nx = 1\n\n[[l]]\nx = 2\n[l.m]\ny = 1\n[n]\n", {"l"}) == "[n]\n");
  CHECK(removed("a.b = 1\na.c = 2\nd = 3\n", {"a"}) == "d = 3\n");
  CHECK(removed("a.b = 1\nd = 3\n", {"a", "b"}) == "d = 3\n");
  CHECK(removed("a = { b = 1, c = 2,  d = 3 }\n", {"a", "b"}) == "a = { c = 2,  d = 3 }\n");
  CHECK(removed("a = { b = 1, c = 2,  d = 3 }\n", {"a", "c"}) == "a = { b = 1,  d = 3 }\n");
  CHECK(removed("a = { b = 1, c = 2,  d = 3 }\n", {"a", "d"}) == "a = { b = 1, c = 2 }\n");
  CHECK(removed("a = { b = 1 }\n", {"a", "b"}) == "a = {}\n");
  CHECK(removed("a = { b.c = 1, d = 2, b.e = 3 }\n", {"a", "b"}) == "a = { d = 2 }\n");
}

TEST_CASE("what cannot be edited says why") {
  CHECK(set_key("a = ", {"a"}, 1).error().code == Code::Invalid);
  CHECK(set_key("a = 1", {}, 1).error().code == Code::Invalid);
  CHECK(set_key("a = 1", {"a", "b"}, 1).error().message == "a is no table");
  CHECK(set_key("[[a]]\nb = 1", {"a", "b"}, 1).error().message == "a is no table");
  CHECK(set_key("[a]\nb = 1", {"a"}, 1).error().code == Code::Conflict);
  CHECK(set_key("a.b = 1", {"a"}, 1).error().code == Code::Conflict);
  CHECK(remove_key("a = 1", {"b"}).error().code == Code::NotFound);
  CHECK(remove_key("[[a]]\nb = 1", {"a", "b"}).error().code == Code::NotFound);
  CHECK(set_key("a = 1", {std::string("\x1b\xff")}, 1).error().code == Code::Internal);  // no UTF-8: no TOML
}

TEST_CASE("keys of elements of [[lists]], and elements") {
  const std::string text =
      "[[a.b]] # first\nc = 1 # one\n\n[[a.b]]\n\n[[a.b]]\nc = 3\nd = { e = 1 }\n[a.b.f]\ng = 1\n\n[z]\n";
  const auto set = [&](std::size_t index, const KeyPath& key, const Value& value) {
    const auto edit = set_in_list(text, {{"a", "b"}, index, key}, value);
    return edit ? applied(text, *edit) : edit.error().message;
  };
  const auto with = [&](std::string_view old, std::string_view now) {
    std::string out = text;
    return out.replace(out.find(old), old.size(), now);
  };
  CHECK(set(0, {"c"}, 7) == with("c = 1", "c = 7"));
  CHECK(set(0, {"h"}, true) == with("# one\n", "# one\nh = true\n"));
  CHECK(set(1, {"c"}, 2) == with("[[a.b]]\n\n", "[[a.b]]\nc = 2\n\n"));
  CHECK(set(2, {"d", "e"}, 2) == with("e = 1", "e = 2"));
  CHECK(set(3, {"c"}, 4) == with("g = 1\n", "g = 1\n\n[[a.b]]\nc = 4\n"));
  CHECK(set(4, {"c"}, 4) == "a.b has 3 elements, counted from 0: there is no 4");
  const auto without = [&](std::size_t index, const KeyPath& key) {
    const auto edit = remove_from_list(text, {{"a", "b"}, index, key});
    return edit ? applied(text, *edit) : edit.error().message;
  };
  CHECK(without(0, {}) == with("[[a.b]] # first\nc = 1 # one\n\n", ""));
  CHECK(without(2, {}) == with("[[a.b]]\nc = 3\nd = { e = 1 }\n[a.b.f]\ng = 1\n\n", ""));
  CHECK(without(2, {"d", "e"}) == with("{ e = 1 }", "{}"));
  CHECK(without(1, {"c"}) == "there is no c");
  CHECK(without(3, {}) == "a.b has 3 elements, counted from 0: there is no 3");

  const std::string inside = "a = [{ b = 1 }]\n";
  CHECK(set_in_list(inside, {{"a"}, 0, {"b"}}, 2).error().code == Code::Conflict);
  CHECK(set_in_list("a = 1\n", {{"a"}, 0, {"b"}}, 2).error().code == Code::Internal);
  CHECK(set_in_list("a = ", {{"a"}, 0, {"b"}}, 2).error().code == Code::Invalid);
  const auto made = [](const std::string& before) {
    return applied(before, set_in_list(before, {{"a", "b"}, 0, {"c"}}, 1).value());
  };
  CHECK(made("") == "[[a.b]]\nc = 1\n");
  CHECK(made("x = 1\r\n") == "x = 1\r\n\r\n[[a.b]]\r\nc = 1\r\n");
  CHECK(made("[[a.b]]") == "[[a.b]]\nc = 1\n");
  CHECK(applied("[[a]]\nb = 1\n", remove_from_list("[[a]]\nb = 1\n", {{"a"}, 0, {}}).value()).empty());
}

TEST_CASE("key paths as people write them") {
  CHECK(parse_key_path("a.b").value() == KeyPath{"a", "b"});
  CHECK(parse_key_path("sysctl.\"net.core.somaxconn\"").value() == KeyPath{"sysctl", "net.core.somaxconn"});
  CHECK(parse_key_path("a.'x=y#'").value() == KeyPath{"a", "x=y#"});
  for (const std::string_view bad :
       {"", ".", "a.", "a b", "a=1", "a\nb", "[a]", "a#", "a = 1\nb", "a[0]", "'", "{a}", "a='x'\nb.\"c\""}) {
    CAPTURE(bad);
    CHECK(parse_key_path(bad).error().code == Code::Invalid);
  }
}

// ------------------------------------------------------------ property

namespace {

/// Random documents of every way to write a table, with comments, odd spaces and line ends.
class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed), line_end_(one_of(2) == 0 ? "\n" : "\r\n") {}

  std::string document() {
    std::string out = one_of(8) == 0 ? "\xEF\xBB\xBF" : "";
    body(out);
    for (std::size_t i = one_of(5); i > 0; --i) {
      out += comment() + (one_of(4) == 0 ? "[[ " + key_path(2) + " ]]" : "[" + key_path(3) + "]") + line_end_;
      body(out);
    }
    if (one_of(4) == 0 && out.ends_with('\n')) out.resize(out.size() - line_end_.size());
    return out;
  }

  KeyPath path() {
    KeyPath out;
    for (std::size_t i = one_of(3) + 1; i > 0; --i) out.push_back(kKeys[one_of(kKeys.size())]);
    return out;
  }
  std::size_t one_of(std::size_t count) { return random_() % count; }

 private:
  static inline const std::vector<std::string> kKeys = {"a", "b", "c", "d e", "x.y"};

  std::string key() {
    const auto& key = kKeys[one_of(kKeys.size())];
    const bool bare = key.size() == 1;
    return bare && one_of(4) > 0 ? key : one_of(2) == 0 ? "'" + key + "'" : "\"" + key + "\"";
  }
  std::string key_path(std::size_t most) {
    std::string out = key();
    for (std::size_t i = one_of(most); i > 0; --i) out += (one_of(4) == 0 ? " . " : ".") + key();
    return out;
  }
  std::string comment() {
    std::string out;
    for (std::size_t i = one_of(3); i > 0; --i) out += (one_of(2) == 0 ? "# [x] = { ' \"" : "") + line_end_;
    return out;
  }
  void body(std::string& out) {
    for (std::size_t i = one_of(4); i > 0; --i) {
      out += comment() + (one_of(4) == 0 ? "  " : "") + key_path(2) + (one_of(2) == 0 ? "=" : "  =  ") + value(0) +
             (one_of(3) == 0 ? " # } ] c" : "") + line_end_;
    }
  }
  std::string value(std::size_t depth) {
    switch (one_of(depth > 2 ? 5 : 8)) {
      case 0:
        return "1";
      case 1:
        return "'#]'";
      case 2:
        return "\"\\\"}=\"";
      case 3:
        return "\"\"\"" + line_end_ + "[t]\"\"\"";
      case 4:
        return "1979-05-27 07:32:00";
      case 5:
        return "[" + value(depth + 1) + ", # ]" + line_end_ + value(depth + 1) + " ]";
      default: {
        std::string out = "{";
        const auto items = one_of(4);
        for (std::size_t i = 0; i < items; ++i) out += (i > 0 ? " ," : " ") + key_path(2) + " = " + value(depth + 1);
        return out + (one_of(2) == 0 ? " }" : "}");
      }
    }
  }

  std::mt19937 random_;
  std::string line_end_;
};

std::string joined(std::string_view text) {
  std::string out;
  for (const auto& token : tokens_of(text)) out += token.text;
  return out;
}

std::size_t comments(std::string_view text) {
  std::size_t out = 0;
  for (const auto& token : tokens_of(text)) out += token.kind == TokenKind::Comment ? 1 : 0;
  return out;
}

/// The table on the way to the last key; null if there is none.
Table* table_at(Table& root, const KeyPath& path) {
  Table* table = &root;
  for (std::size_t i = 0; table != nullptr && i + 1 < path.size(); ++i) {
    Value* value = table->find(path[i]);
    table = value == nullptr ? nullptr : value->table();
  }
  return table;
}

}  // namespace

TEST_CASE("property: an edit changes the one value and no other byte") {
  std::size_t sets = 0, removals = 0, documents = 0;
  for (std::uint32_t seed = 0; seed < 6000; ++seed) {
    Generator generator(seed);
    const std::string text = generator.document();
    const auto before = parse(text);
    if (!before) continue;  // a key twice
    ++documents;
    REQUIRE(joined(text) == text);
    const KeyPath path = generator.path();
    CAPTURE(text);
    CAPTURE(seed);
    if (const auto edit = set_key(text, path, "new # ] value")) {
      ++sets;
      REQUIRE(edit->size() == 1);
      const auto& splice = edit->front();
      const std::string after = applied(text, *edit);
      REQUIRE(after == text.substr(0, splice.begin) + splice.with + text.substr(splice.end));
      auto now = parse(after);
      REQUIRE(now.has_value());
      Table* table = table_at(*now, path);
      REQUIRE(table != nullptr);
      REQUIRE(*table->find(path.back()) == Value("new # ] value"));
      Table old = *before;
      Table* old_table = table_at(old, path);
      const Value* old_value = old_table == nullptr ? nullptr : old_table->find(path.back());
      if (old_value != nullptr) {
        // Exactly the old value went: it reads back from what was cut out.
        const auto cut = parse("x = " + text.substr(splice.begin, splice.end - splice.begin));
        REQUIRE(cut.has_value());
        REQUIRE(*cut->find("x") == *old_value);
        const auto back = set_key(after, path, *old_value);
        REQUIRE(back.has_value());
        REQUIRE(*parse(applied(after, *back)) == *before);
      } else {
        // Nothing went, but the space between the braces of an empty table.
        REQUIRE(text.substr(splice.begin, splice.end - splice.begin).find_first_not_of(' ') == std::string::npos);
        REQUIRE(comments(after) == comments(text));
        const auto back = remove_key(after, path);
        REQUIRE(back.has_value());
      }
    } else {
      REQUIRE(edit.error().code != Code::Internal);
    }
    if (const auto edit = remove_key(text, path)) {
      ++removals;
      std::size_t last = 0;
      for (const auto& splice : *edit) {
        REQUIRE(splice.with.empty());
        REQUIRE(splice.begin >= last);
        REQUIRE(splice.end > splice.begin);
        last = splice.end;
      }
      auto now = parse(applied(text, *edit));
      REQUIRE(now.has_value());
      Table* table = table_at(*now, path);
      REQUIRE((table == nullptr || table->find(path.back()) == nullptr));
    } else {
      REQUIRE(edit.error().code == Code::NotFound);
    }
  }
  CHECK(documents > 2000);
  CHECK(sets > 1000);
  CHECK(removals > 200);
}
