// Unified diffs: against what diff -u prints, and back to both texts.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/text/diff.hpp"
#include "base/text/text.hpp"

using nimbus::base::unified_diff;

namespace {

/// The texts that a diff with the whole as context is about.
std::pair<std::string, std::string> both_sides(const std::string& diff) {
  std::string from, to;
  std::string* last[2] = {};
  std::size_t number = 0;
  for (const auto line : nimbus::base::split(diff, '\n')) {
    if (number++ < 3 || line.empty()) continue;  // the names, one hunk's head, the end
    const auto text = std::string(line.substr(1)) + "\n";
    if (line.front() == '\\') {
      for (auto* side : last) {
        if (side != nullptr) side->pop_back();
      }
      continue;
    }
    last[0] = last[1] = nullptr;
    if (line.front() != '+') (last[0] = &from)->append(text);
    if (line.front() != '-') (last[1] = &to)->append(text);
  }
  return {from, to};
}

}  // namespace

TEST_CASE("diff: as diff -u prints it") {
  CHECK(unified_diff("a\nb\n", "a\nb\n", "x", "y").empty());
  CHECK(unified_diff("", "a\nb\n", "/dev/null", "y") == "--- /dev/null\n+++ y\n@@ -0,0 +1,2 @@\n+a\n+b\n");
  CHECK(unified_diff("a\n", "", "x", "/dev/null") == "--- x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
  CHECK(unified_diff("a\nb\nc\n", "a\nB\nc", "x", "y") ==
        "--- x\n+++ y\n@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n");
  // Six unchanged lines between two changes are one hunk, seven are two.
  CHECK(unified_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n", "x", "y") ==
        "--- x\n+++ y\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
  CHECK(unified_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n", "x", "y") ==
        "--- x\n+++ y\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

TEST_CASE("diff: whatever the texts, both can be read back from the whole of it") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string texts[2];
    for (auto& text : texts) {
      const auto lines = random() % 30;
      for (unsigned i = 0; i < lines; ++i) text += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
      if (!text.empty() && random() % 3 == 0) text.pop_back();
    }
    const auto diff = unified_diff(texts[0], texts[1], "x", "y", {.context = 1000, .bytes = 1U << 20});
    if (texts[0] == texts[1]) {
      CHECK(diff.empty());
      continue;
    }
    CHECK(both_sides(diff) == std::pair(texts[0], texts[1]));
  }
}

TEST_CASE("diff: bounded in size and in time") {
  std::string from, to;
  for (int i = 0; i < 20'000; ++i) {
    from += "old " + std::to_string(i) + "\n";
    to += "new " + std::to_string(i) + "\n";
  }
  const auto diff = unified_diff(from, to, "x", "y", {.context = 3, .bytes = 1000});
  CHECK(diff.size() < 1100);
  CHECK(diff.ends_with(" more lines\n"));
}
