#include "controller/configure/texts.hpp"

#include <doctest/doctest.h>

#include "base/text/text.hpp"

using namespace nimbus;
using namespace nimbus::controller;

namespace {

struct World {
  void file(const std::string& path, const std::string& mode, bool is_secret, host::PathFact fact) {
    host::File file{.path = path, .mode = mode, .content = "declared\n", .is_secret = is_secret, .sha256 = "d"};
    wanted.resources.push_back({"file:" + path, "profiles/a.toml", {}, {}, file});
    gaps.push_back({.resource = "file:" + path});
    shown.paths[path] = std::move(fact);
  }
  TextsWish wish() const { return texts_to_read(wanted, shown, gaps); }

  host::Configuration wanted;
  host::Facts shown;
  std::vector<reconcilers::configure::Gap> gaps;
};

host::PathFact there(const std::string& mode, std::uint64_t size = 10) {
  return {.kind = host::PathKind::File, .mode = mode, .size = size, .sha256 = "other"};
}

std::string base64(std::string_view text) {
  return base::to_base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

TEST_CASE("only files that everybody may read, on both sides, are read; never secrets") {
  World world;
  world.file("/etc/motd", "0644", false, there("0644"));
  world.file("/etc/new", "0644", false, {});
  world.file("/etc/private", "0600", false, there("0644"));
  world.file("/etc/was-private", "0644", false, there("0600"));
  world.file("/etc/secret", "0644", true, there("0644"));
  world.file("/etc/huge", "0644", false, there("0644", kMostTextBytes + 1));
  world.file("/etc/link", "0644", false, {.kind = host::PathKind::Link});
  const auto wish = world.wish();
  REQUIRE(wish.files.size() == 2);
  CHECK(wish.files[0].path == "/etc/motd");
  CHECK(wish.files[1].absent);
  const auto script = texts_script(wish, "tok");
  CHECK(script.find("/etc/motd") != std::string::npos);
  CHECK(script.find("/etc/new") == std::string::npos);  // there is nothing to read
}

TEST_CASE("an answer becomes diffs; what makes no sense is left out") {
  World world;
  world.file("/etc/a", "0644", false, there("0644"));
  world.file("/etc/b", "0644", false, there("0644"));
  world.file("/etc/c", "0644", false, {});
  const auto wish = world.wish();
  const auto texts =
      read_texts_answer(wish, "chatter\ntok 0\n" + base64("found\n") + "\ntok 1\nnot base64!\n\ntok end\n", "tok");
  REQUIRE(texts.size() == 2);
  CHECK(texts[0].path == "/etc/a");
  CHECK(texts[0].diff.find("-found\n+declared\n") != std::string::npos);
  CHECK(texts[1].path == "/etc/c");
  CHECK(texts[1].diff.find("+declared") != std::string::npos);
}
