// The rules of [[firewall]], read by the real nft in a network namespace of this process: it accepts
// them, loading them twice is loading them once, and what the kernel shows afterwards holds each. And
// the action that loads them, with its undo.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/process/process.hpp"
#include "base/time/time.hpp"
#include "registry/host/expansion.hpp"
#include "registry/host/host_helper.hpp"
#include "support/git/git_fixture.hpp"

using namespace nimbus;
using registry::firewall_rules;
using Rules = std::vector<Profile::FirewallRule>;

namespace {

std::string nft(std::vector<std::string> words, std::string input = {}) {
  const base::SystemClock clock;
  base::Program program;
  program.argv = std::move(words);
  program.argv.insert(program.argv.begin(), "nft");
  program.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  program.input = std::move(input);
  const auto result = base::run_program(program, {clock.now() + std::chrono::seconds{60}}, clock);
  REQUIRE_MESSAGE(result, "nft cannot be run: scripts/setup");
  CHECK_MESSAGE(result->exit_code == 0, program.input, "\n", result->errors.text);
  return result->output.text;
}

/// What is shown after it was checked and loaded.
std::string loaded(const Rules& rules) {
  const auto text = firewall_rules(rules);
  nft({"-c", "-f", "-"}, text);
  nft({"-f", "-"}, text);
  return nft({"list", "table", "inet", "nimbus"});
}

const std::vector<std::string> kList = {"list", "table", "inet", "nimbus"};

/// A host's files of the firewall in a folder, and the action on them.
class Host {
 public:
  explicit Host(const std::string& profile) : action_(registry::firewall_action(true)) { put(profile); }
  void put(const std::string& profile) const {
    for (const auto& resource : registry::test::built(profile).host.configuration.resources) {
      const auto* file = std::get_if<host::File>(&resource.wanted);
      if (file == nullptr || !file->path.starts_with("/etc/nimbus-host/")) continue;
      std::ofstream(at("etc/" + file->path.substr(file->path.rfind('/') + 1))) << here(file->content);
    }
  }
  int run() const { return sh(action_.run); }
  /// Afterwards nothing is kept any more, as after a confirmation.
  int undo() const {
    const int code = sh(action_.undo);
    confirm();
    return code;
  }
  void confirm() const { std::filesystem::remove_all(at("keep")); }
  bool is_same() const { return sh(action_.unless) == 0; }

 private:
  std::string at(const std::string& path) const {
    std::filesystem::create_directories(folder_ / "etc");
    return folder_ / path;
  }
  std::string here(std::string text) const {
    for (const auto& [path, place] : {std::pair<std::string, std::string>{"/etc/nimbus-host/", at("etc/")},
                                      {"/run/nimbus-host-firewall", at("shown")}}) {
      for (auto found = text.find(path); found != std::string::npos; found = text.find(path, found + place.size()))
        text.replace(found, path.size(), place);
    }
    return text;
  }
  int sh(const std::string& script) const {
    const base::SystemClock clock;
    base::Program program;
    program.argv = {"sh", "-c", here(script)};
    program.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "KEEP=" + at("keep")};
    const auto result = base::run_program(program, {clock.now() + std::chrono::seconds{60}}, clock);
    REQUIRE(result);
    CHECK(result->errors.text.empty());
    return result->exit_code;
  }

  nimbus::test::TempFolder folder_;
  host::Action action_;
};

std::size_t lines_with(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("host firewall: nft takes rules of every kind, twice as well as once") {
  const std::vector<std::pair<Rules, std::string>> all = {
      {{{Transport::Tcp, 443, {}}}, "tcp dport 443 accept"},
      {{{Transport::Udp, 53, {"10.0.0.0/8"}}}, "ip saddr 10.0.0.0/8 udp dport 53 accept"},
      {{{Transport::Tcp, 1, {"2001:db8::/32"}}}, "ip6 saddr 2001:db8::/32 tcp dport 1 accept"},
      {{{Transport::Udp, 65535, {"0.0.0.0/0"}}}, "meta nfproto ipv4 udp dport 65535 accept"},
      {{{Transport::Tcp, 80, {"::/0"}}}, "meta nfproto ipv6 tcp dport 80 accept"},
      {{{Transport::Tcp, 8080, {"192.0.2.7/32", "2001:db8::7/128"}}}, "ip saddr 192.0.2.7 tcp dport 8080 accept"},
      {{{Transport::Icmp, {}, {}}}, "meta l4proto icmp accept"},
      {{{Transport::Icmp, {}, {"2001:db8::/32"}}}, "ip6 saddr 2001:db8::/32 meta l4proto ipv6-icmp accept"},
      {{{Transport::Icmp, {}, {"198.51.100.0/24"}}}, "ip saddr 198.51.100.0/24 meta l4proto icmp accept"},
  };
  Rules together;
  for (const auto& [rules, line] : all) {
    const auto shown = loaded(rules);
    CHECK_MESSAGE(lines_with(shown, "\t" + line + "\n") == 1, shown);
    CHECK(lines_with(shown, "tcp dport 22 accept") == 1);
    CHECK(loaded(rules) == shown);
    together.insert(together.end(), rules.begin(), rules.end());
  }
  const auto shown = loaded(together);
  for (const auto& [rules, line] : all) CHECK_MESSAGE(lines_with(shown, "\t" + line + "\n") == 1, shown);
}

TEST_CASE("host firewall: SSH that a rule narrows is narrow, and tables of others stay") {
  nft({"-f", "-"}, "table inet others {\n  chain input {\n    tcp dport 9 drop\n  }\n}\n");
  const auto others = nft({"list", "table", "inet", "others"});
  const auto shown = loaded({{Transport::Tcp, 22, {"192.0.2.0/24"}}});
  CHECK(lines_with(shown, "dport 22 ") == 1);
  CHECK(lines_with(shown, "ip saddr 192.0.2.0/24 tcp dport 22 accept") == 1);
  CHECK(lines_with(shown, "policy drop;") == 1);
  CHECK(nft({"list", "table", "inet", "others"}) == others);
}

TEST_CASE("host firewall: rules that somebody changed are seen, and come back by the undo of putting them right") {
  const std::string http = "[[firewall]]\nallow = \"tcp\"\nport = 80\n";
  nft({"-f", "-"}, "table inet nimbus\ndelete table inet nimbus\n");
  const Host host(http);
  CHECK_FALSE(host.is_same());
  CHECK(host.run() == 0);
  CHECK(host.is_same());
  const auto right = nft(kList);
  // The first ones of all: there was no table.
  CHECK(host.undo() == 0);
  CHECK(nft({"list", "tables"}).find("nimbus") == std::string::npos);
  CHECK_FALSE(host.is_same());

  CHECK(host.run() == 0);
  host.confirm();
  nft({"-f", "-"}, "insert rule inet nimbus input ip saddr 192.0.2.9 accept comment \"let in by hand\"\n");
  const auto by_hand = nft(kList);
  CHECK_FALSE(host.is_same());
  CHECK(host.run() == 0);
  CHECK(nft(kList) == right);
  CHECK(host.is_same());
  CHECK(host.run() == 0);  // once more, before it was confirmed: kept is what was there first
  CHECK(host.undo() == 0);
  CHECK(nft(kList) == by_hand);
  CHECK_FALSE(host.is_same());

  CHECK(host.run() == 0);
  host.confirm();
  host.put("[[firewall]]\nallow = \"udp\"\nport = 53\n");
  CHECK(host.run() == 0);
  CHECK(lines_with(nft(kList), "udp dport 53") == 1);
  host.put(http);  // as it is put back before the undo
  CHECK(host.undo() == 0);
  CHECK(nft(kList) == right);
  CHECK(host.is_same());
}

int main(int argc, char** argv) {
  if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
    std::printf("skipped: a network of one's own needs root\n");
    return 77;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
