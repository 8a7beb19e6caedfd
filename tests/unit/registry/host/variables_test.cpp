// {{variables}}: what they stand for, and where a wrong one is reported.
#include "registry/host/variables.hpp"
#include "host_helper.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

namespace {

std::string motd(const std::string& content) {
  return "[[file]]\npath = \"/etc/motd\"\ntemplate = true\ncontent = \"" + content + "\"\n";
}

}  // namespace

TEST_CASE("variables: every one has a value on a machine") {
  auto source = with_profiles(
      motd("{{instance.name}} {{ instance.hostname }} {{tenant.name}} {{provider.name}} {{provider.region}} "
           "{{provider.labels.tier}} {{machine.name}} {{machine.location.rack}} {{machine.location.unit}} "
           "{{machine.labels.class}}"));
  const auto host = build(source);
  CHECK(host.host.problems.empty());
  const auto text = host.text("/etc/motd");
  CHECK(text.starts_with("web-1 web-1 acme berlin-1 "));
  CHECK(text.ends_with(" m017 b2 17 general"));
  CHECK(text.find('{') == std::string::npos);
  for (const auto& each : variables()) CHECK(each.doc.ends_with("."));
}

TEST_CASE("variables: only templates have them in their content, and all other texts do") {
  const auto host = built(R"(
hostname = "{{instance.name}}-{{tenant.name}}"
[[file]]
path = "/etc/{{instance.name}}.conf"
content = "{{ $labels.instance }}"
[[command]]
name = "x"
run = "docker ps --format '{{{{.Names}}'"
creates = "/{{machine.name}}"
)");
  CHECK(host.get<host::Setting>("hostname").value == "web-1-acme");
  CHECK(host.text("/etc/web-1.conf") == "{{ $labels.instance }}");
  CHECK(host.get<host::Command>("command:x").run == "docker ps --format '{{.Names}}'");
  CHECK(host.get<host::Command>("command:x").creates == "/m017");
}

TEST_CASE("variables: what was put in is not looked at again") {
  auto source = with_profiles(motd("{{machine.labels.odd}}"));
  source.edit("providers/berlin-1/machines/b2/m017.toml", "[bmc]", "[labels]\nodd = \"{{tenant.name}}\"\n[bmc]");
  CHECK(build(source).text("/etc/motd") == "{{tenant.name}}");
}

TEST_CASE("variables: an unknown one is told at its line and column, with what was meant") {
  const auto problems = loaded(with_profiles("\nhostname = \"ä{{instance.nmae}}\"\n")).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line == 2);
  CHECK(problems[0].column == 14);
  CHECK(problems[0].message == "there is no variable 'instance.nmae'; did you mean 'instance.name'?");
  CHECK(loaded(with_profiles("timezone = \"{{ if tenant.name }}\"")).problems[0].message.find("begins a variable") !=
        std::string::npos);
}

TEST_CASE("variables: in a file of the registry they are told at the place in that file") {
  auto source = with_profiles("[[file]]\npath = \"/etc/motd\"\nsource = \"files/t\"\ntemplate = true\n");
  source.files["files/t"] = "on {{machine.name}}\nof {{tenant.nam}}\n";
  const auto problems = loaded(source).problems;
  REQUIRE_MESSAGE(problems.size() == 1, describe(problems));
  CHECK(problems[0].file == "files/t");
  CHECK(problems[0].line == 2);
  CHECK(problems[0].column == 4);
  source.files["files/t"] = std::string("bin\0ary {{tenant.name}}", 23);
  CHECK(loaded(source).problems[0].message == "not a text, so it cannot be a template");
}

TEST_CASE("variables: a label that an instance's machine lacks is a problem of that instance") {
  const auto problems = loaded(with_profiles(motd("{{machine.labels.clas}}"))).problems;
  REQUIRE_MESSAGE(problems.size() == 1, describe(problems));
  CHECK(problems[0].message == "machine 'm017' has no label 'clas'; did you mean 'class'?");
  CHECK(problems[0].related == "tenants/acme/instances/web-1.toml");
}

TEST_CASE("variables: what a label stands for must fit where it is put") {
  auto source = with_profiles("[[file]]\npath = \"{{machine.labels.where}}\"\ncontent = \"x\"\n");
  source.edit("providers/berlin-1/machines/b2/m017.toml", "[bmc]", "[labels]\nwhere = \"/etc/../shadow\"\n[bmc]");
  const auto host = build(source);
  REQUIRE(host.host.problems.size() == 1);
  CHECK(host.host.problems[0].code == ProblemCode::BadValue);
  CHECK(host.host.problems[0].line == 2);
  CHECK(host.host.configuration.resources.empty());
}

TEST_CASE("variables: without a machine its variables are problems, and an outline keeps them") {
  const auto source = with_profiles(motd("{{machine.name}} {{tenant.name}}"));
  CHECK(build(source, {.placed = false}).host.problems.size() == 1);
  const auto snapshot = loaded(source).snapshot;
  const HostSources sources{
      .snapshot = *snapshot, .read = [&](const TreeEntry& entry) { return source.read(entry); }, .secret = {}};
  const Built outline{host_outline(*find_instance(*snapshot, "acme", "web-1"), sources, Keep::OfMachine)};
  CHECK(outline.host.problems.empty());
  CHECK(outline.text("/etc/motd") == "{{machine.name}} acme");
}
