#include "cli/settings.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace nimbus::cli;

namespace {

std::string path_with(const std::map<std::string, std::string, std::less<>>& variables) {
  return settings_path([&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

}  // namespace

TEST_CASE("settings: where the file is") {
  CHECK(path_with({{"HOME", "/h"}}) == "/h/.config/nimbus/config.toml");
  CHECK(path_with({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}}) == "/x/nimbus/config.toml");
  CHECK(path_with({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "x"}}) == "/h/.config/nimbus/config.toml");
  CHECK(path_with({{"HOME", "/h"}, {"NIMBUS_CONFIG", "/n"}}) == "/n");
  CHECK(path_with({}).empty());
}

TEST_CASE("settings: set keeps what a person wrote") {
  CHECK(with_setting("", "tenant", "acme").value() == "tenant = \"acme\"\n");
  CHECK(with_setting("# mine\ntenant='x' # why\nkey = \"k\"", "tenant", "a\"b").value() ==
        "# mine\ntenant=\"a\\\"b\" # why\nkey = \"k\"");
  CHECK(with_setting("tenant='x'", "key", "k").value() == "tenant='x'\nkey = \"k\"\n");
}

TEST_CASE("settings: a typo is an error with its place") {
  const auto out = with_setting("\ntenent = 'x'\n", "key", "k");
  REQUIRE(!out);
  CHECK(out.error().message == "config.toml:2:1: unknown key 'tenent'; did you mean 'tenant'?");
  CHECK(!with_setting("tenant = 1\n", "key", "k"));
  CHECK(!with_setting("tenant = ", "key", "k"));
}
