#include <doctest/doctest.h>

#include "sample_program.hpp"

using namespace nimbus::base;

namespace {

std::vector<std::string> values(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const auto& candidate : complete(sample_program(), words).candidates) out.push_back(candidate.value);
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("complete: commands, flags and values where they can stand") {
  CHECK(values({""}) == Words{"load", "port", "log"});
  CHECK(values({}) == Words{"load", "port", "log"});
  CHECK(values({"lo"}) == Words{"load", "log"});
  CHECK(values({"port", ""}) == Words{"list", "show"});
  CHECK(values({"port", "show", ""}).empty());
  CHECK(values({"port", "show", "x", ""}) == Words{"quay", "crane"});
  CHECK(values({"port", "show", "x", "quay", ""}).empty());
  CHECK(values({"load", "--we"}) == Words{"--weight"});
  CHECK(values({"load", "--c"}) == Words{"--color", "--chart"});
  CHECK(values({"load", "--la"}) == Words{"--label"});
  CHECK(values({"load", "--color", ""}) == Words{"auto", "never"});
  CHECK(values({"load", "--color=n"}) == Words{"--color=never"});
  CHECK(values({"load", "--color", "=", "n"}) == Words{"never"});  // as bash splits it
  CHECK(values({"load", "--color", "="}) == Words{"auto", "never"});
  CHECK(values({"--color", "never", "po"}) == Words{"port"});
  CHECK(values({"load", "--", "--"}).empty());
  CHECK(complete(sample_program(), {"log", ""}).files == Completion::Files::Files);
  CHECK(complete(sample_program(), {"log", "-C", ""}).files == Completion::Files::Folders);
  CHECK(complete(sample_program(), {"log", "x", ""}).files == Completion::Files::No);
}

TEST_CASE("complete: a name that a shell would run or split is not offered") {
  CHECK(values({"load", ""}) == Words{"apples"});
  CHECK(values({"load", "apples", "a"}) == Words{"apples"});  // repeats
}

TEST_CASE("complete: the text is one candidate a line") {
  CHECK(to_text(complete(sample_program(), {"load", ""})) == ":none\napples\t5 kg\n");
  CHECK(to_text({.files = Completion::Files::Folders, .candidates = {{"a", "x\ny\x1b"}}}) ==
        ":folders\na\tx\\ny\\x1b\n");
}

TEST_CASE("completion scripts name the program and call it from the path") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(sample_program(), shell);
    REQUIRE(script);
    CHECK(script->find("command ship __complete") != std::string::npos);
    CHECK(script->find('@' + std::string("NAME")) == std::string::npos);
  }
  CHECK(!completion_script(sample_program(), "tcsh"));
}
