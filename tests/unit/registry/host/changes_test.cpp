// What a change of profiles means for a host, as people review it.
#include "host_helper.hpp"
#include "registry/host/host_changes.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

namespace {

/// One line each: kind, id, details; and the diff as it is.
std::string told(const std::string& before, const std::string& after) {
  std::string out;
  const Setup plan{.secrets = false};
  for (const auto& each :
       host_changes(built(before, {}, plan).host.configuration, built(after, {}, plan).host.configuration)) {
    out += "+~-?"[static_cast<int>(each.kind)];
    out += " " + each.id;
    for (const auto& detail : each.details) out += fmt::format(" {}={}>{}", detail.key, detail.from, detail.to);
    out += "\n" + each.diff;
  }
  return out;
}

}  // namespace

TEST_CASE("changes: nothing changed, nothing told") {
  const std::string profile = "timezone = \"Etc/UTC\"\n[[firewall]]\nallow = \"tcp\"\nport = 80\n";
  CHECK(told(profile, profile).empty());
}

TEST_CASE("changes: files line by line, other resources by key, what goes and what stays") {
  CHECK(
      told(R"(
packages = { present = ["vim"] }
modules = ["loop"]
[[file]]
path = "/etc/motd"
content = "one\ntwo\n"
[[file]]
path = "/etc/gone"
content = "x"
[[sudoers]]
name = "app"
rules = ["x"]
[[host]]
address = "192.0.2.1"
names = ["db"]
)",
           R"(
packages = { present = ["vim=9"] }
[[file]]
path = "/etc/motd"
content = "one\n2\n"
mode = "0600"
[[directory]]
path = "/srv/a"
)") ==
      "- block:/etc/hosts#hosts lines=192.0.2.1 db\n>\n"
      "+ directory:/srv/a state=>present owner=>root group=>root mode=>0755\n"
      "? file:/etc/gone state=present> owner=root> group=root> mode=0644>\n"
      "--- /etc/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
      "- file:/etc/modules-load.d/90-nimbus.conf state=present> owner=root> group=root> mode=0644>\n"
      "--- /etc/modules-load.d/90-nimbus.conf\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-# Written by Nimbus.\n-loop\n"
      "~ file:/etc/motd mode=0644>0600\n"
      "--- /etc/motd\n+++ /etc/motd\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
      "- file:/etc/sudoers.d/nimbus-app state=present> owner=root> group=root> mode=0440> validate=visudo -cf {file}>\n"
      "--- /etc/sudoers.d/nimbus-app\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-# Written by Nimbus.\n-x\n"
      "? module:loop\n"
      "~ package:vim version=>9\n");
}

TEST_CASE("changes: of a secret its name, of bytes their digest and size, and nothing more") {
  const std::string secret = "[[secret_file]]\npath = \"/t\"\nsecret = \"tenant/{{tenant.name}}/";
  CHECK(told(secret + "a\"\n", secret + "b\"\n") == "~ file:/t secret=tenant/acme/a>tenant/acme/b\n");
  auto source = with_profiles("[[file]]\npath = \"/b\"\nsource = \"files/b\"\n");
  source.files["files/b"] = std::string("\0one", 4);
  const auto before = build(source);
  source.files["files/b"] = std::string("\0three", 6);
  const auto changes = host_changes(before.host.configuration, build(source).host.configuration);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].diff.empty());
  REQUIRE(changes[0].details.size() == 2);
  CHECK(changes[0].details[0].key == "sha256");
  CHECK(changes[0].details[1] == ResourceChange::Detail{"size", "4", "6"});
}

TEST_CASE("changes: diffs of a host are bounded") {
  std::string one, two;
  for (int i = 0; i < 12; ++i) {
    const auto row = "[[file]]\npath = \"/" + std::to_string(i) + "\"\ncontent = \"";
    one += row + std::string(14'000, 'a') + "\\n\"\n";
    two += row + std::string(14'000, 'b') + "\\n\"\n";
  }
  std::size_t bytes = 0, with_digest = 0;
  for (const auto& each : host_changes(built(one).host.configuration, built(two).host.configuration)) {
    bytes += each.diff.size();
    with_digest += each.diff.empty() ? 1U : 0U;
  }
  CHECK(bytes <= kMostHostDiff + kMostFileDiff + 200);
  CHECK(with_digest > 0);
}
