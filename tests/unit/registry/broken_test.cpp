#include <algorithm>
#include <set>

#include "registry/base_checks.hpp"
#include "support/broken.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

TEST_CASE("each broken variant of the example is refused at the right line with the right code") {
  const auto all = variants();
  CHECK(all.size() >= 60);
  for (const auto& variant : all) {
    const auto result = loaded(broken(variant));
    const std::string& file = variant.in.empty() ? variant.file : variant.in;
    const bool found = std::ranges::any_of(result.problems, [&](const Problem& each) {
      return each.code == variant.code && each.file == file && each.line == variant.line &&
             each.severity == Severity::Error && (variant.line == 0 || each.column > 0);
    });
    CHECK_MESSAGE(found, file << ":" << variant.line << " " << to_string(variant.code) << " («" << variant.from
                              << "» to «" << variant.to.substr(0, 80) << "»), found:" << describe(result.problems));
  }
}

TEST_CASE("every code but those of modes, warnings and bases has a variant") {
  std::set<ProblemCode> tried;
  for (const auto& variant : variants()) tried.insert(variant.code);
  using enum ProblemCode;
  const std::set<ProblemCode> elsewhere = {BadFile, CrowdedFolder, Unreadable, Protected};
  for (const auto& rule : rules()) {
    CHECK_MESSAGE((tried.contains(rule.code) || elsewhere.contains(rule.code)), rule.id);
    CHECK(to_string(rule.code) == rule.id);
  }
}

TEST_CASE("messages are one printable line and say what to do about typing mistakes") {
  for (const auto& variant : variants()) {
    for (const auto& each : loaded(broken(variant)).problems) {
      CHECK_FALSE(each.message.empty());
      CHECK(std::ranges::none_of(each.message, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    }
  }
  auto source = example();
  source.edit("providers/berlin-1/machines/b2/m017.toml", "[bmc]", "[bmc]\ndrvier = \"redfish\"");
  source.edit("providers/berlin-1/machines/b2/m018.toml", "class = \"r650\"", "class = \"r560\"");
  const auto text = describe(loaded(source).problems);
  CHECK(text.find("m017.toml:10:1: error unknown-key: unknown key 'drvier' in [bmc]; did you mean 'driver'?") !=
        std::string::npos);
  CHECK(text.find("provider 'berlin-1' has no class 'r560'; did you mean 'r650'?") != std::string::npos);
}

TEST_CASE("a secret in the wrong place is never repeated") {
  auto source = example();
  source.edit("providers/berlin-1/machines/b2/m017.toml", "[bmc]", "[bmc]\ncredentials = [\"Hunter2!correct\"]");
  CHECK(describe(loaded(source).problems).find("Hunter2") == std::string::npos);
}

TEST_CASE("all problems are found in one pass") {
  auto source = example();
  source.edit("providers/berlin-1/machines/b2/m017.toml", "unit = 17", "unit = \"x\"\nuint = 1\nrakc = 2");
  source.edit("providers/berlin-1/machines/b2/m018.toml", "unit = 18", "unit = -1");
  source.edit("images/debian-12.toml", "os = \"debian\"", "os = 12");
  source.edit("tenants/acme/instances/web-1.toml", "\"debian-12\"", "\"debian-13\"");
  const auto problems = loaded(source).problems;
  CHECK(problems.size() == 6);
  CHECK(std::ranges::is_sorted(problems, {},
                               [](const Problem& each) { return std::tuple(each.file, each.line, each.column); }));
}

TEST_CASE("a file that cannot be read brings no errors of files that refer to it") {
  for (const auto* file :
       {"providers/berlin-1/provider.toml", "providers/berlin-1/networks/tenant-acme.toml",
        "providers/berlin-1/classes/r650.toml", "images/debian-12.toml", "profiles/web.toml",
        "policy/tenants/acme.toml", "policy/people/bob.toml", "providers/berlin-1/machines/b2/m017.toml"}) {
    auto source = example();
    source.files.at(file) += "\nx = \n";
    const auto problems = loaded(source).problems;
    CHECK_MESSAGE(problems.size() == 1, file << describe(problems));
    CHECK(problems.front().code == ProblemCode::Syntax);
  }
}

TEST_CASE("errors of one machine's file do not hide what it lacks, and bring no echo") {
  const std::string m = "providers/oslo-1/machines/n1.toml";
  const auto codes = [&](std::string_view text) {
    auto source = example();
    source.files[m] = text;
    std::vector<ProblemCode> out;
    for (const auto& problem : loaded(source).problems) out.push_back(problem.code);
    return out;
  };
  using enum ProblemCode;
  using Codes = std::vector<ProblemCode>;
  const std::string identity = "[identity]\nserial = \"N1\"\n";
  CHECK(codes("[bmc]\ndriver = \"redfish\"\naddress = \"https://n1.example\"\ncredentials = \"x\"\n" + identity) ==
        Codes{MissingKey, WrongType});
  CHECK(codes("[bmc]\ndriver = \"redfsh\"\naddress = \"https://n1.example\"\n" + identity) == Codes{NotAllowed});
  CHECK(codes("[bmc]\ndriver = \"ipmi\"\nadress = \"n1.example\"\n" + identity) == Codes{UnknownKey});
  CHECK(codes("[bmc]\ndriver = \"ipmi\"\naddress = 7\n" + identity) == Codes{WrongType});
  CHECK(codes("[bmc]\ndriver = \"redfish\"\naddress = \"https://n1.example\"\ntls = 1\n" + identity) ==
        Codes{WrongType});
  CHECK(codes("power = \"onn\"\n[bmc]\ndriver = \"ipmi\"\n[identity]\nmac = \"52:54:00:00:00:09\"\n") ==
        Codes{NotAllowed, MissingKey, NoIdentity});
  CHECK(codes("[bmc]\ndriver = \"ipmi\"\naddress = \"n1.example\"\n[identity]\nserail = \"N1\"\n") ==
        Codes{UnknownKey});
}

TEST_CASE("modes, links and submodules") {
  using Kind = TreeEntry::Kind;
  for (const auto kind : {Kind::Executable, Kind::Link, Kind::Submodule, Kind::Other}) {
    auto source = example();
    source.kinds["images/debian-12.toml"] = kind;
    const auto problems = loaded(source).problems;
    REQUIRE_FALSE(problems.empty());
    CHECK(std::ranges::any_of(problems, [](const Problem& p) {
      return p.code == ProblemCode::BadFile && p.file == "images/debian-12.toml";
    }));
  }
  auto tools = example();
  tools.files["scripts/hook"] = "#!/bin/sh\n";
  tools.kinds["scripts/hook"] = Kind::Executable;
  CHECK(loaded(tools).problems.empty());
}

TEST_CASE("what keeps a machine from being installed is a warning: the rest of it is of use") {
  const std::string machine = "providers/berlin-1/machines/b2/m017.toml";
  const auto warned = [&](const std::string& from, const std::string& to, ProblemCode code, const char* words) {
    auto source = example();
    source.edit(machine, from, to);
    const auto problems = loaded(source).problems;
    REQUIRE_MESSAGE(problems.size() == 1, describe(problems));
    CHECK(problems[0].code == code);
    CHECK(problems[0].file == machine);
    CHECK(problems[0].line > 0);
    CHECK(problems[0].severity == Severity::Warning);
    CHECK(problems[0].message.find(words) != std::string::npos);
    CHECK(accept(nullptr, *loaded(source).snapshot).state == AcceptState::Accepted);
  };
  warned("[identity]", "[boot]\nmethod = \"http\"\n[identity]", ProblemCode::NotAllowed, "not supported yet");
  warned("serial = \"CZ3A8527\"", "bmc_guid = \"44454c4c-3300-1041-8041-b7c04f3142ff\"", ProblemCode::NoIdentity,
         "the installer cannot see a BMC GUID");
}

TEST_CASE("a folder of more than a thousand files is a warning") {
  auto source = example();
  for (int i = 0; i < 1001; ++i) source.files["files/many/" + std::to_string(i)] = "x";
  const auto problems = loaded(source).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == ProblemCode::CrowdedFolder);
  CHECK(problems[0].severity == Severity::Warning);
  CHECK(accept(nullptr, *loaded(source).snapshot).state == AcceptState::Accepted);
}

TEST_CASE("unprotect first, in a commit of its own") {
  const auto base = example();
  const auto before = loaded(base).snapshot;
  const auto problems = [&](const MemorySource& head) {
    const auto after = loaded(head, before.get()).snapshot;
    return check_against_base(*before, *after, head);
  };
  auto head = base;
  head.files["tenants/acme/instances/web-1.toml"] =
      "reinstall = 1\nprotected = false\n" + head.files["tenants/acme/instances/web-1.toml"];
  REQUIRE(problems(head).size() == 1);
  CHECK(problems(head)[0].code == ProblemCode::Protected);
  CHECK(problems(head)[0].line == 1);
  head = base;
  head.files.erase("tenants/acme/instances/web-1.toml");
  REQUIRE(problems(head).size() == 1);
  CHECK(problems(head)[0].file == "tenants/acme/instances/web-1.toml");
  head = base;
  head.files.erase("tenants/globex/instances/build-1.toml");
  CHECK(problems(head).empty());
}
