#include "controller/configure/text_diff.hpp"

#include <doctest/doctest.h>

#include <string>

using nimbus::controller::text_diff;

TEST_CASE("equal texts have no diff") { CHECK(text_diff("a\nb\n", "a\nb\n", "/etc/x").empty()); }

TEST_CASE("a diff has three lines around each change, and numbers as diff -u has them") {
  std::string before, after;
  for (int i = 1; i <= 20; ++i) before += std::to_string(i) + "\n";
  for (int i = 1; i <= 20; ++i) after += (i == 10 ? "ten" : std::to_string(i)) + "\n";
  CHECK(text_diff(before, after, "/etc/x") ==
        "--- /etc/x (on the host)\n+++ /etc/x (declared)\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n");
}

TEST_CASE("a new file, an emptied one, and a missing last line end") {
  CHECK(text_diff("", "a\n", "/x") == "--- /x (on the host)\n+++ /x (declared)\n@@ -0,0 +1,1 @@\n+a\n");
  CHECK(text_diff("a\n", "", "/x") == "--- /x (on the host)\n+++ /x (declared)\n@@ -1,1 +0,0 @@\n-a\n");
  CHECK(text_diff("a", "a\n", "/x").find("last line end") != std::string::npos);
}

TEST_CASE("control characters of a host do not reach a terminal") {
  const auto diff = text_diff("\x1b[31mred\n", "plain\n", "/x");
  CHECK(diff.find('\x1b') == std::string::npos);
}

TEST_CASE("a diff of large texts is bounded") {
  std::string before, after;
  for (int i = 0; i < 20'000; ++i) before += "b" + std::to_string(i) + "\n";
  for (int i = 0; i < 20'000; ++i) after += "a" + std::to_string(i) + "\n";
  CHECK(text_diff(before, after, "/x").size() < 100'000);
}
