// [[firewall]]: a table of nftables of our own, so that rules of others (containers,
// virtual machines) stay what they are.
#include <algorithm>

#include <fmt/core.h>

#include "registry/host/expansion.hpp"

namespace nimbus::registry {
namespace {

constexpr std::string_view kRules = "/etc/nimbus-host/firewall.nft", kScript = "/etc/nimbus-host/firewall.sh",
                           kShown = "/run/nimbus-host-firewall";

/// What lets a network in; the whole of a family is not written as a prefix.
std::string from(std::string_view network) {
  const bool v6 = network.find(':') != std::string_view::npos;
  if (network.ends_with("/0")) return v6 ? "meta nfproto ipv6 " : "meta nfproto ipv4 ";
  return fmt::format("{} saddr {} ", v6 ? "ip6" : "ip", network);
}

std::string what(const Profile::FirewallRule& rule, bool v6) {
  switch (rule.allow) {
    case Transport::Icmp:
      // By number: a small host has no /etc/protocols, which nft finds names in.
      return v6 ? "meta l4proto 58" : "meta l4proto 1";
    case Transport::Tcp:
      return fmt::format("tcp dport {}", rule.port.value_or(0));
    case Transport::Udp:
      return fmt::format("udp dport {}", rule.port.value_or(0));
  }
  return {};
}

std::string lines_of(const Profile::FirewallRule& rule) {
  std::string out;
  const auto line = [&](std::string_view source, bool v6) {
    out += fmt::format("    {}{} accept\n", source, what(rule, v6));
  };
  for (const auto& network : rule.from) line(from(network), network.find(':') != std::string::npos);
  if (!rule.from.empty()) return out;
  line({}, false);
  if (rule.allow == Transport::Icmp) line({}, true);
  return out;
}

}  // namespace

std::string firewall_rules(const std::vector<Profile::FirewallRule>& rules) {
  // What hosts cannot do without: answers, errors that path MTU discovery rests on,
  // neighbour discovery (RFC 4890), and addresses by DHCP.
  std::string out =
      "#!/usr/sbin/nft -f\n"
      "# Written by Nimbus.\n"
      "table inet nimbus\n"
      "delete table inet nimbus\n"
      "table inet nimbus {\n"
      "  chain input {\n"
      "    type filter hook input priority filter; policy drop;\n"
      "    ct state established,related accept\n"
      "    iif \"lo\" accept\n"
      "    icmp type { destination-unreachable, time-exceeded, parameter-problem, echo-request } accept\n"
      "    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, "
      "mld-listener-query, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept\n"
      "    udp sport 67 udp dport 68 accept\n"
      "    ip6 saddr fe80::/10 udp dport 546 accept\n"
      "    ct state invalid drop\n";
  const bool ssh = std::ranges::any_of(
      rules, [](const auto& rule) { return rule.allow == Transport::Tcp && rule.port == std::int64_t{22}; });
  if (!ssh) out += "    tcp dport 22 accept\n";
  for (const auto& rule : rules) out += lines_of(rule);
  return out + "  }\n}\n";
}

host::Action firewall_action(bool declared) {
  // Kept is what the kernel has, which is not always what we told it: somebody may have let us in by hand.
  const auto run = fmt::format(
      "if [ ! -d \"$KEEP\" ]; then\n"
      "  rm -rf \"$KEEP.new\" && mkdir -m 0700 \"$KEEP.new\" || exit 1\n"
      "  nft list table inet nimbus >\"$KEEP.new/rules\" 2>/dev/null || rm -f \"$KEEP.new/rules\"\n"
      "  [ ! -e {2} ] || cp -p {2} \"$KEEP.new/shown\" || exit 1\n"
      "  mv \"$KEEP.new\" \"$KEEP\" || exit 1\n"
      "fi\n"
      "if [ -e {0} ]; then\n"
      "  sh {1} load\n"
      "elif nft list table inet nimbus >/dev/null 2>&1; then\n"
      "  nft delete table inet nimbus\n"
      "fi\n",
      kRules, kScript, kShown);
  const auto undo = fmt::format(
      "[ -d \"$KEEP\" ] || exit 0\n"
      "if [ -e \"$KEEP/rules\" ]; then\n"
      "  {{ echo 'table inet nimbus'; echo 'delete table inet nimbus'; cat \"$KEEP/rules\"; }} | nft -f -\n"
      "else\n"
      "  nft delete table inet nimbus\n"
      "fi\n"
      "if [ -e \"$KEEP/shown\" ]; then cp -p \"$KEEP/shown\" {0}; else rm -f {0}; fi\n",
      kShown);
  return {.name = "firewall",
          .run = run,
          .undo = undo,
          .unless = declared ? fmt::format("sh {} same", kScript) : std::string()};
}

void Expansion::firewall() {
  if (in_.profile.firewall.empty()) return;
  const auto where = place("firewall");
  add_folder(kHostFolder, where);
  if (find("package:nftables") == nullptr) add(host::Package{.name = "nftables"}, where);
  auto& rules = add_file(std::string(kRules), firewall_rules(in_.profile.firewall), where);
  rules.notifies.emplace_back(kFirewallAction);
  std::get<host::File>(rules.wanted).validate = "nft -c -f {file}";
  // What the kernel shows after loading is what it must show later: rules that others
  // added or flushed are seen without understanding them.
  add_file(std::string(kScript),
           fmt::format("#!/bin/sh\n"
                       "# Written by Nimbus.\n"
                       "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
                       "shown={1}\n"
                       "case $1 in\n"
                       "  load) nft -f {0} && nft list table inet nimbus >\"$shown\" ;;\n"
                       "  same) nft list table inet nimbus 2>/dev/null | cmp -s - \"$shown\" ;;\n"
                       "esac\n",
                       kRules, kShown),
           where, "0755");
  add_file("/etc/systemd/system/nimbus-firewall.service",
           fmt::format("# Written by Nimbus.\n[Unit]\nDescription=Firewall of Nimbus profiles\n"
                       "DefaultDependencies=no\nAfter=local-fs.target\nBefore=network-pre.target "
                       "shutdown.target\nWants=network-pre.target\nConflicts=shutdown.target\n"
                       "ConditionPathExists={0}\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                       "ExecStart=/bin/sh {1} load\n\n[Install]\nWantedBy=sysinit.target\n",
                       kRules, kScript),
           where);
  add(host::Unit{"nimbus-firewall.service", true, std::nullopt}, where);
}

}  // namespace nimbus::registry
