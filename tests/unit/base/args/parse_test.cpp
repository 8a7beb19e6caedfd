#include <doctest/doctest.h>

#include <map>
#include <stdexcept>

#include "sample_program.hpp"

using namespace nimbus::base;

namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string, std::less<>>;

std::variant<Parsed, ExitNow> run(const Words& words, const Variables& variables = {}) {
  std::vector<const char*> argv = {"ship"};
  for (const auto& word : words) argv.push_back(word.c_str());
  const Environment environment = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return parse(sample_program(), static_cast<int>(argv.size()), argv.data(), environment);
}

Parsed good(const Words& words, const Variables& variables = {}) {
  auto result = run(words, variables);
  if (auto* exit = std::get_if<ExitNow>(&result)) FAIL(exit->stderr_text);
  return std::get<Parsed>(result);
}

std::string bad(const Words& words, const Variables& variables = {}) {
  auto result = run(words, variables);
  REQUIRE(std::holds_alternative<ExitNow>(result));
  const auto& exit = std::get<ExitNow>(result);
  CHECK(exit.code == kExitUsage);
  CHECK(exit.stdout_text.empty());
  return exit.stderr_text.substr(0, exit.stderr_text.find('\n'));
}

}  // namespace

TEST_CASE("flags: every way of writing one") {
  for (const Words& words :
       {Words{"load", "-w", "5", "a"}, Words{"load", "-w5", "a"}, Words{"load", "--weight=5", "a"},
        Words{"load", "--weight", "5", "a"}, Words{"load", "a", "-fw5"}, Words{"load", "a", "--weight", "5"}}) {
    const Parsed parsed = good(words);
    CHECK(parsed.number("weight") == 5);
    CHECK(parsed.all("BOX") == Words{"a"});
    CHECK(parsed.command() == Words{"load"});
  }
  CHECK(good({"load", "a", "-qf"}).flag("fragile"));
  CHECK(good({"load", "a", "-qf"}).flag("quiet"));
  CHECK(!good({"load", "a"}).flag("fragile"));
  CHECK(good({"load", "a", "--weight", "-3"}).number("weight") == -3);
  CHECK(good({"load", "a", "--tag", "x", "--tag=[a,b]"}).all("tag") == Words{"x", "[a,b]"});
}

TEST_CASE("flags: another name of one") {
  CHECK(good({"load", "a", "--tag=x", "--label", "y", "--label=z"}).all("tag") == Words{"x", "y", "z"});
  CHECK(bad({"load", "a", "--labl=x"}).find("did you mean '--label'") != std::string::npos);
  CHECK(bad({"load", "a", "--label"}).find("--label needs a value") != std::string::npos);
}

TEST_CASE("flags: an empty attached value is a value and never takes the next word") {
  const Parsed parsed = good({"load", "--tag=", "a"});
  CHECK(parsed.all("tag") == Words{""});
  CHECK(parsed.all("BOX") == Words{"a"});
}

TEST_CASE("global flags stand before, between and after commands") {
  CHECK(good({"-C", "d", "port", "list"}).get("chart") == "d");
  CHECK(good({"port", "-C", "d", "list"}).get("chart") == "d");
  CHECK(good({"port", "list", "--chart=d"}).get("chart") == "d");
  CHECK(!good({"port", "list"}).get("chart"));
}

TEST_CASE("positionals: counted, and a name of a command is no command there") {
  CHECK(good({"load", "port", "list"}).all("BOX") == Words{"port", "list"});
  CHECK(good({"load", "--", "-w", "--"}).all("BOX") == Words{"-w", "--"});
  CHECK(good({"log", "-"}).text("FILE") == "-");
  CHECK(!good({"log"}).get("FILE"));
  CHECK(good({"port", "show", "x", "quay"}).text("PART") == "quay");
  CHECK(bad({"port", "show"}) == "ship port show: NAME is missing");
  CHECK(bad({"load"}) == "ship load: BOX is missing");
  CHECK(bad({"log", "a", "b"}) == "ship log: unexpected argument 'b'");
  CHECK(bad({"port", "show", "x", "quya"}) ==
        "ship port show: PART cannot be 'quya'; did you mean 'quay'? (one of: quay, crane)");
}

TEST_CASE("values: command line before environment before fallback") {
  CHECK(good({"load", "a"}).number("weight") == 10);
  CHECK(good({"load", "a"}).origin("weight") == Origin::Fallback);
  const Parsed from_environment = good({"load", "a"}, {{"SHIP_WEIGHT", "7"}});
  CHECK(from_environment.number("weight") == 7);
  CHECK(from_environment.origin("weight") == Origin::Environment);
  CHECK(good({"load", "a", "-w1"}, {{"SHIP_WEIGHT", "7"}}).number("weight") == 1);
  CHECK(good({"load", "a"}, {{"SHIP_WEIGHT", ""}}).number("weight") == 10);
  CHECK(bad({"load", "a"}, {{"SHIP_WEIGHT", "x"}}) == "ship load: $SHIP_WEIGHT must be a whole number, not 'x'");
  CHECK(bad({"log"}, {{"SHIP_COLOR", "pink"}}).starts_with("ship log: $SHIP_COLOR cannot be 'pink'"));
}

TEST_CASE("usage errors say what was meant") {
  CHECK(bad({"laod", "a"}) == "ship: unknown command 'laod'; did you mean 'load'?");
  CHECK(bad({"port", "lst"}) == "ship port: unknown command 'lst'; did you mean 'list'?");
  CHECK(bad({"port"}) == "ship port: a command is missing");
  CHECK(bad({"load", "--wieght", "5"}) == "ship load: unknown flag '--wieght'; did you mean '--weight'?");
  CHECK(bad({"load", "--colour=never", "a"}) == "ship load: unknown flag '--colour'; did you mean '--color'?");
  CHECK(bad({"load", "-z", "a"}) == "ship load: unknown flag '-z'");
  CHECK(bad({"load", "a", "--color=nevr"}) ==
        "ship load: --color cannot be 'nevr'; did you mean 'never'? (one of: auto, never)");
  CHECK(bad({"load", "a", "-w"}) == "ship load: -w needs a value: --weight=KG");
  CHECK(bad({"load", "a", "--weight", "--fragile"}) == "ship load: --weight needs a value: --weight=KG");
  CHECK(bad({"load", "a", "-w1", "-w2"}) == "ship load: -w was given more than once");
  CHECK(bad({"load", "a", "--fragile=yes"}) == "ship load: --fragile takes no value");
  CHECK(bad({"load", "a", "--wei", "5"}).starts_with("ship load: unknown flag '--wei'"));  // no abbreviations
  CHECK(bad({"load", "a", "--weight=1.5"}) == "ship load: --weight must be a whole number, not '1.5'");
  CHECK(bad({"load", "a", "--wait=5"}) == "ship load: --wait must be a duration such as 30s or 5m, not '5'");
  CHECK(good({"load", "a", "--wait=5m"}).text("wait") == "5m");
  CHECK(bad({"load", "--version"}).starts_with("ship load: unknown flag '--version'"));
}

TEST_CASE("what was typed cannot drive the terminal") {
  CHECK(bad({"\x1b[2J"}) == "ship: unknown command '\\x1b[2J'");
  CHECK(bad({"load", "--\x1b]0;x\x07"}).starts_with("ship load: unknown flag '--\\x1b]0;x\\x07'"));
  CHECK(bad({"load", "-\xff"}) == "ship load: unknown flag '-\\xff'");
  CHECK(bad({std::string(100000, 'x')}).size() < 200);
}

TEST_CASE("help and version") {
  const auto help = std::get<ExitNow>(run({"load", "--help"}));
  CHECK(help.code == 0);
  CHECK(
      help.stdout_text.starts_with("ship load: puts boxes on board\n\nUsage: ship load BOX... [FLAGS]\n\nExamples:\n"));
  CHECK(help.stdout_text.find("--weight KG") != std::string::npos);
  CHECK(help.stdout_text.find("(default: $SHIP_WEIGHT, else 10)") != std::string::npos);
  CHECK(std::get<ExitNow>(run({"load", "-h", "--weight=x"})).code == kExitUsage);
  CHECK(std::get<ExitNow>(run({"load", "-h"})).stdout_text == help.stdout_text);
  CHECK(std::get<ExitNow>(run({"--version"})).stdout_text == "ship 1.2.3\n");
  const auto bare = std::get<ExitNow>(run({}));
  CHECK(bare.code == kExitUsage);
  CHECK(bare.stderr_text.find("load") != std::string::npos);
  CHECK(bare.stderr_text.find("secret") == std::string::npos);
  CHECK(good({"secret"}).command() == Words{"secret"});
}

TEST_CASE("help keeps within 80 columns") {
  for (const Words& path : {Words{}, Words{"load"}, Words{"port"}, Words{"port", "show"}, Words{"log"}}) {
    const std::string text = help_text(sample_program(), path);
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
      CHECK(end - begin <= 80);
    }
  }
}

TEST_CASE("asking for a name that the command lacks is a bug") {
  CHECK_THROWS_AS((void)good({"log"}).get("weight"), std::logic_error);
}

TEST_CASE("wrap keeps indented lines and empty lines") {
  CHECK(wrap("one two three", 9, 2) == "  one two\n  three\n");
  CHECK(wrap("a\n\n  b   c\nd e", 80, 0) == "a\n\n  b   c\nd e\n");
}
