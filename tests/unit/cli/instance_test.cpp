#include <doctest/doctest.h>

#include <csignal>

#include "cli/instance/escape.hpp"
#include "cli/instance/foreground.hpp"
#include "cli/instance/publish.hpp"

using namespace nimbus;
using namespace nimbus::cli;

TEST_CASE("where a pull request is made: what the forge says, else what is known of it") {
  const std::string said =
      "remote: \nremote: Create a pull request for 'b' by visiting:\nremote:      https://forge.example/o/r/pull/new/b "
      "  \n";
  CHECK(pull_request_link(said, "git@forge.example:o/r.git", "b") == "https://forge.example/o/r/pull/new/b");
  CHECK(pull_request_link("To https://evil.example/x\n", "git@forge.example:o/r.git", "b").empty());
  for (const char* remote : {"git@github.com:o/r.git", "ssh://git@github.com/o/r", "ssh://git@github.com:22/o/r.git",
                             "https://token@github.com/o/r.git", "https://github.com/o/r"})
    CHECK(pull_request_link("", remote, "b") == "https://github.com/o/r/compare/b?expand=1");
  CHECK(
      pull_request_link("", "git@gitlab.com:o/r.git", "b").starts_with("https://gitlab.com/o/r/-/merge_requests/new?"));
  for (const char* remote : {"", "/srv/git/r.git", "file:///srv/r.git", "ssh://", "a:b@c"})
    CHECK(pull_request_link("", remote, "b").empty());
  CHECK(pull_request_link("remote: https://x.example/\x1b[2J y", "", "b").find('\x1b') == std::string::npos);
}

TEST_CASE("what is typed on a console: ~. at the beginning of a line ends it") {
  const auto typed = [](std::initializer_list<std::string_view> pieces) {
    Escape escape;
    std::string out;
    for (const auto piece : pieces) {
      const auto keys = escape.take(piece);
      out += keys.send;
      if (keys.ends) return out + "<end>";
    }
    return out;
  };
  CHECK(typed({"~."}) == "<end>");
  CHECK(typed({"ls\r~", ".", "never"}) == "ls\r<end>");
  CHECK(typed({"a~.b"}) == "a~.b");
  CHECK(typed({"~~.\n~x"}) == "~.\n~x");
  CHECK(typed({"\x03~."}) == "\x03~.");
}

TEST_CASE("the user's own programs: output, input, exit codes, signals, and their names") {
  auto run = run_foreground(
      {.argv = {"sh", "-c", "cat; echo e >&2; echo $MORE; exit 3"}, .more_environment = {"MORE=m"}, .input = "in\n"});
  REQUIRE(run);
  CHECK(run->code == 3);
  CHECK(run->output == "in\ne\nm\n");
  CHECK(run_foreground({.argv = {"sh", "-c", "kill -TERM $$"}})->code == 128 + SIGTERM);
  CHECK(run_foreground({.argv = {"nimbus-no-such-program"}}).error().code == Code::NotFound);
  // This process ignores the terminal's signals meanwhile; the program does not.
  CHECK(run_foreground({.argv = {"sh", "-c", "kill -INT $$"}})->code == 128 + SIGINT);
  CHECK(run_foreground({.argv = {"sh", "-c", "kill -INT $PPID; echo on"}})->output == "on\n");
  CHECK(run_foreground({.argv = {"sh", "-c", "head -c 3000000 /dev/zero"}})->output.size() <=
        kMostForegroundBytes + 8192);
}
