#include <doctest/doctest.h>

#include "cli/console.hpp"
#include "cli/context.hpp"
#include "cli/listing.hpp"

using namespace nimbus::cli;
using nimbus::base::Json;

TEST_CASE("colour: only where it is wanted and seen") {
  CHECK(choose_color({}, true) == Color::On);
  CHECK(choose_color({}, false) == Color::Off);
  CHECK(choose_color({.no_color = "1"}, true) == Color::Off);
  CHECK(choose_color({.when = "always", .no_color = "1"}, true) == Color::Off);
  CHECK(choose_color({.when = "always"}, false) == Color::On);
  CHECK(choose_color({.when = "never", .force = "1"}, true) == Color::Off);
  CHECK(choose_color({.force = "1"}, false) == Color::On);
  CHECK(choose_color({.force = "0"}, false) == Color::Off);
  CHECK(choose_color({.term = "dumb"}, true) == Color::Off);
}

TEST_CASE("tables: columns line up, foreign text is escaped and cut to the terminal") {
  const Listing listing{
      .columns = {{"NAME"}, {"HIDDEN", Column::When::Wide}, {"WHY"}},
      .rows = {{.cells = {{"m1"}, {"h"}, {"a\x1b[31m\nb"}}}, {.cells = {{"machine-2"}, {"h"}, {""}}}}};
  Console plain(nullptr, nullptr, {});
  CHECK(render(listing, Format::Table, plain) == "NAME       WHY\nm1         a\\x1b[31m\\nb\nmachine-2\n");
  Console narrow(nullptr, nullptr, {.width = 20});
  CHECK(render(listing, Format::Table, narrow) == "NAME       WHY\nm1         a\\x1b[31…\nmachine-2\n");
}

TEST_CASE("yaml: words that mean something else are quoted") {
  Json value = Json::object({{"a", "yes"},
                             {"b", "plain"},
                             {"c", "1"},
                             {"d", 1},
                             {"e", Json::array()},
                             {"f", ""},
                             {"g", Json::array({Json::object({{"k", true}, {"l", nullptr}}), Json("x: y")})},
                             {"no", Json::object({{"x", "\u202e\x7f"}})}});
  CHECK(to_yaml(value) ==
        "a: \"yes\"\nb: plain\nc: \"1\"\nd: 1\ne: []\nf: \"\"\ng:\n  - k: true\n    l: null\n  - \"x: y\"\n\"no\":\n  "
        "x: \"\\u202e\\u007f\"\n");
}

TEST_CASE("json: what a terminal would obey is escaped") {
  CHECK(without_controls("\"\xC2\x9b\xE2\x80\xA8ä€\x7f\"") == "\"\\u009b\\u2028ä€\\u007f\"");
}

TEST_CASE("every command of the table has a handler") {
  std::size_t leaves = 0;
  const auto look = [&](const auto& self, const nimbus::base::Command& command, std::vector<std::string> path) -> void {
    if (command.commands.empty()) {
      ++leaves;
      const bool handled = handler_of(path) != nullptr;
      CHECK_MESSAGE(handled, path.back());
    }
    for (const auto& below : command.commands) {
      auto inner = path;
      inner.push_back(below.name);
      self(self, below, inner);
    }
  };
  look(look, command_table().root, {});
  CHECK(leaves > 5);
}
