// The rules of [[firewall]], read by the real nft in a network namespace of this process: it accepts
// them, loading them twice is loading them once, and what the kernel shows afterwards holds each.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/process/process.hpp"
#include "base/time/time.hpp"
#include "registry/host/expansion.hpp"

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

int main(int argc, char** argv) {
  if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
    std::printf("skipped: a network of one's own needs root\n");
    return 77;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
