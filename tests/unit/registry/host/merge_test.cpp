// How profiles are merged, and what is an error inside of one level or of all.
#include "host_helper.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

TEST_CASE("merge: a later scalar wins, lists add, rows of one name are merged key by key") {
  const auto host = built(R"(
timezone = "Etc/UTC"
modules = ["a", "b"]
[[file]]
path = "/etc/x"
content = "one\n"
owner = "daemon"
[[user]]
name = "deploy"
groups = ["adm"]
shell = "/bin/sh"
[sysctl]
"vm.swappiness" = 10
"kernel.panic" = 5
)",
                          R"(
timezone = "Europe/Berlin"
modules = ["b", "c"]
[[file]]
path = "/etc/x"
mode = "0600"
[[user]]
name = "deploy"
groups = ["adm", "audio"]
[sysctl]
"vm.swappiness" = 20
)");
  CHECK(host.get<host::Setting>("timezone").value == "Europe/Berlin");
  CHECK(host.find("timezone")->origin == "profiles/two.toml");
  for (const auto* module : {"module:a", "module:b", "module:c"}) CHECK(host.find(module) != nullptr);
  const auto& file = host.get<host::File>("file:/etc/x");
  CHECK(file.content == "one\n");
  CHECK(file.owner == "daemon");
  CHECK(file.mode == "0600");
  CHECK(host.get<host::User>("user:deploy").groups == std::vector<std::string>{"adm", "audio"});
  CHECK(host.get<host::User>("user:deploy").shell == "/bin/sh");
  CHECK(host.get<host::Sysctl>("sysctl:vm.swappiness").value == "20");
  CHECK(host.get<host::Sysctl>("sysctl:kernel.panic").value == "5");
  CHECK(host.find("sysctl:kernel.panic")->origin == "profiles/one.toml");
}

TEST_CASE("merge: content replaces source and the other way round") {
  const std::string content = "[[file]]\npath = \"/etc/x\"\ncontent = \"inline\"\n";
  const std::string source = "[[file]]\npath = \"/etc/x\"\nsource = \"files/motd\"\n";
  CHECK(built(content, source).text("/etc/x") == example().files.at("files/motd"));
  CHECK(built(source, content).text("/etc/x") == "inline");
}

TEST_CASE("merge: a path may change its kind, and a package its mind") {
  const auto host = built(R"(
packages = { present = ["nginx=1.0", "vim", "telnet"], absent = ["nano"], hold = ["vim"] }
[[file]]
path = "/etc/x"
content = "x"
)",
                          R"(
packages = { present = ["nginx", "nano"], absent = ["telnet", "vim"] }
[[link]]
path = "/etc/x"
target = "y"
)");
  CHECK(host.find("file:/etc/x") == nullptr);
  CHECK(host.get<host::Link>("link:/etc/x").target == "y");
  CHECK(host.get<host::Package>("package:nginx").version.empty());
  CHECK(host.get<host::Package>("package:nano").presence == host::Presence::Present);
  CHECK(host.get<host::Package>("package:telnet").presence == host::Presence::Absent);
  CHECK(host.get<host::Package>("package:vim") == host::Package{"vim", host::Presence::Absent, "", false});
}

TEST_CASE("merge: firewall rules add, and the same rule counts once") {
  const auto host = built("[[firewall]]\nallow = \"tcp\"\nport = 80\n",
                          "[[firewall]]\nallow = \"tcp\"\nport = 80\n[[firewall]]\nallow = \"tcp\"\nport = 443\n");
  const auto rules = host.text("/etc/nimbus-host/firewall.nft");
  const auto first = rules.find("tcp dport 80 accept");
  REQUIRE(first != std::string::npos);
  CHECK(rules.find("tcp dport 80 accept", first + 1) == std::string::npos);
  CHECK(rules.find("tcp dport 443 accept") != std::string::npos);
}

TEST_CASE("merge: a tenant's profile that touches a row does not lend it the tenant's files") {
  auto source = example();
  source.edit("tenants/acme/instances/web-1.toml", R"(["base", "web", "app"])", R"(["one", "mine"])");
  source.files["profiles/one.toml"] = "[[file]]\npath = \"/etc/x\"\nsource = \"files/motd\"\n";
  source.files["tenants/acme/profiles/mine.toml"] = "[[file]]\npath = \"/etc/x\"\nmode = \"0600\"\n";
  source.files["tenants/acme/files/motd"] = "of the tenant\n";
  CHECK(build(source).text("/etc/x") == example().files.at("files/motd"));
  source.edit("tenants/acme/profiles/mine.toml", "mode", "source = \"files/motd\"\nmode");
  CHECK(build(source).text("/etc/x") == "of the tenant\n");
}

TEST_CASE("merge: what no profile completes is a problem of the instance's profiles, and nothing is expanded blindly") {
  const struct {
    std::string profile, message;
  } cases[] = {
      {"[[file]]\npath = \"/x\"\n", "file '/x' needs 'content' or 'source'"},
      {"[[link]]\npath = \"/x\"\n", "link '/x' needs a 'target'"},
      {"[[timer]]\nname = \"x\"\ncommand = \"true\"\n", "timer 'x' needs a 'calendar'"},
      {"[[mount]]\npath = \"/x\"\nfs = \"ext4\"\n", "mount '/x' needs a 'source'"},
      {"[[swap]]\npath = \"/x\"\n", "swap '/x' needs 'size_mib'"},
      {"[[command]]\nname = \"x\"\nrun = \"true\"\n", "command 'x' needs 'creates' or 'unless'"},
      {"[[repository]]\nname = \"x\"\nurl = \"https://x.example\"\nsuites = [\"s\"]\ncomponents = [\"c\"]\n",
       "repository 'x' needs a 'key'"},
      {"[[ca_certificate]]\nname = \"x\"\ncontent = \"x\"\n", "ca_certificate 'x' is no PEM certificate"},
      {"[[sudoers]]\nname = \"x\"\n", "sudoers 'x' needs 'rules'"},
      {"[[interface]]\nname = \"b0\"\nbond = { mode = \"802.3ad\", members = [\"e0\"] }\n"
       "[[interface]]\nname = \"e0\"\ndhcp = \"ipv4\"\n",
       "'e0' is in a bond: addresses belong to the bond"},
  };
  for (const auto& each : cases) {
    const auto problems = loaded(with_profiles(each.profile)).problems;
    REQUIRE_MESSAGE(problems.size() == 1, each.message << describe(problems));
    CHECK(problems[0].message.find(each.message) != std::string::npos);
    CHECK(problems[0].file == "profiles/one.toml");
    CHECK(problems[0].line > 0);
    CHECK(problems[0].related == "tenants/acme/instances/web-1.toml");
    // The later profile may complete it, or take it back.
  }
  CHECK(built("[[file]]\npath = \"/x\"\n", "[[file]]\npath = \"/x\"\nstate = \"absent\"\n")
            .get<host::File>("file:/x")
            .presence == host::Presence::Absent);
}

// With a search for each row among all others this takes longer than a test may.
TEST_CASE("merge: profiles as long as files may be") {
  constexpr int kRows = 7'000;
  std::string folders, links, rules;
  for (int i = 0; i < kRows; ++i) {
    folders += "[[directory]]\npath = \"/a/" + std::to_string(i) + "\"\n";
    links += "[[link]]\npath=\"/a/" + std::to_string(i + kRows / 2) + "\"\ntarget=\"x\"\n";
  }
  for (int i = 1; i <= 1'000; ++i) rules += "[[firewall]]\nallow = \"tcp\"\nport = " + std::to_string(i) + "\n";
  const auto host = built(folders, links);
  CHECK(host.find("directory:/a/0") != nullptr);
  CHECK(host.find("directory:/a/" + std::to_string(kRows / 2)) == nullptr);
  CHECK(host.find("link:/a/" + std::to_string(kRows / 2)) != nullptr);
  CHECK(host.find("link:/a/" + std::to_string(kRows / 2 + kRows - 1)) != nullptr);
  // Rows without a name are the same if all of them is.
  CHECK(built(rules, rules).text("/etc/nimbus-host/firewall.nft") ==
        built(rules).text("/etc/nimbus-host/firewall.nft"));
}
