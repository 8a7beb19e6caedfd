// Host configuration, merged in the order that an instance lists. Texts may hold
// {{variables}} until registry/host has replaced them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/choice.hpp"

namespace nimbus {

enum class KeyMode : std::uint8_t { Exclusive, Additive };
enum class Transport : std::uint8_t { Tcp, Udp, Icmp };
enum class RowState : std::uint8_t { Present, Absent };
enum class Dhcp : std::uint8_t { None, Ipv4, Ipv6, Both };
enum class BondMode : std::uint8_t { BalanceRr, ActiveBackup, BalanceXor, Broadcast, Lacp, BalanceTlb, BalanceAlb };
template <>
inline constexpr auto kChoiceNames<KeyMode> = choice_names("exclusive", "additive");
template <>
inline constexpr auto kChoiceNames<Transport> = choice_names("tcp", "udp", "icmp");
template <>
inline constexpr auto kChoiceNames<RowState> = choice_names("present", "absent");
template <>
inline constexpr auto kChoiceNames<Dhcp> = choice_names("none", "ipv4", "ipv6", "both");
// As the kernel, networkd and netplan call them.
template <>
inline constexpr auto kChoiceNames<BondMode> = choice_names("balance-rr", "active-backup", "balance-xor", "broadcast",
                                                            "802.3ad", "balance-tlb", "balance-alb");

struct Profile {
  std::string path;  // says whose it is
  std::string name;
  std::string hostname, timezone, locale;
  struct Packages {
    std::vector<std::string> present, absent, hold;  // present: "name" or "name=version"
    friend bool operator==(const Packages&, const Packages&) = default;
  } packages;
  /// Text in the file itself, or a file below files/.
  struct Content {
    std::optional<std::string> content;
    std::string source;
    friend bool operator==(const Content&, const Content&) = default;
  };
  struct Repository {
    std::string name, url;
    std::vector<std::string> suites, components;
    std::optional<Content> key;
    RowState state = RowState::Present;
    friend bool operator==(const Repository&, const Repository&) = default;
  };
  std::vector<Repository> repositories;
  struct File {
    std::string path;
    std::optional<std::string> content;  // or source
    std::string source;                  // below files/
    bool is_template = false;            // variables in the content are replaced
    std::string owner = "root", group = "root", mode = "0644";
    std::string validate;
    RowState state = RowState::Present;
    friend bool operator==(const File&, const File&) = default;
  };
  std::vector<File> files;
  struct Directory {
    std::string path;
    std::string owner = "root", group = "root", mode = "0755";
    RowState state = RowState::Present;
    friend bool operator==(const Directory&, const Directory&) = default;
  };
  std::vector<Directory> directories;
  struct Link {
    std::string path, target;
    RowState state = RowState::Present;
    friend bool operator==(const Link&, const Link&) = default;
  };
  std::vector<Link> links;
  struct Group {
    std::string name;
    std::optional<std::int64_t> gid;
    RowState state = RowState::Present;
    friend bool operator==(const Group&, const Group&) = default;
  };
  std::vector<Group> groups;
  struct User {
    std::string name;
    std::optional<std::int64_t> uid;
    std::vector<std::string> groups;
    std::string shell, home;
    std::vector<std::string> ssh_keys;
    KeyMode keys = KeyMode::Additive;
    std::string sudo;  // "" | "nopasswd" | "password"
    RowState state = RowState::Present;
    friend bool operator==(const User&, const User&) = default;
  };
  std::vector<User> users;
  struct Sudoers {
    std::string name;
    std::vector<std::string> rules;
    RowState state = RowState::Present;
    friend bool operator==(const Sudoers&, const Sudoers&) = default;
  };
  std::vector<Sudoers> sudoers;
  struct Service {
    std::string name;
    std::optional<bool> enabled, running;
    std::vector<std::string> restart_on, reload_on;
    friend bool operator==(const Service&, const Service&) = default;
  };
  std::vector<Service> services;
  struct Timer {
    std::string name, calendar, command;
    std::string user = "root";
    RowState state = RowState::Present;
    friend bool operator==(const Timer&, const Timer&) = default;
  };
  std::vector<Timer> timers;
  std::map<std::string, std::string> sysctl;  // values as text
  std::vector<std::string> modules;
  struct Mount {
    std::string source, path, fs;
    std::string options = "defaults";
    RowState state = RowState::Present;
    friend bool operator==(const Mount&, const Mount&) = default;
  };
  std::vector<Mount> mounts;
  struct Swap {
    std::string path;
    std::optional<std::int64_t> size_mib;
    RowState state = RowState::Present;
    friend bool operator==(const Swap&, const Swap&) = default;
  };
  std::vector<Swap> swaps;
  struct Host {  // a line of /etc/hosts
    std::string address;
    std::vector<std::string> names;
    friend bool operator==(const Host&, const Host&) = default;
  };
  std::vector<Host> hosts;
  struct Time {
    std::vector<std::string> servers;
    friend bool operator==(const Time&, const Time&) = default;
  } time;
  struct CaCertificate {
    std::string name;
    std::optional<std::string> content;  // or source
    std::string source;
    RowState state = RowState::Present;
    friend bool operator==(const CaCertificate&, const CaCertificate&) = default;
  };
  std::vector<CaCertificate> ca_certificates;
  struct FirewallRule {
    Transport allow = Transport::Tcp;
    std::optional<std::int64_t> port;
    std::vector<std::string> from;
    friend bool operator==(const FirewallRule&, const FirewallRule&) = default;
  };
  std::vector<FirewallRule> firewall;
  struct Vlan {
    std::int64_t id = 0;
    std::string link;
    friend bool operator==(const Vlan&, const Vlan&) = default;
  };
  struct Bond {
    BondMode mode = BondMode::ActiveBackup;
    std::vector<std::string> members;
    friend bool operator==(const Bond&, const Bond&) = default;
  };
  struct Interface {
    std::string name, mac;
    Dhcp dhcp = Dhcp::None;
    std::vector<std::string> addresses;  // with prefix
    std::string gateway;
    std::vector<std::string> dns;
    std::optional<std::int64_t> mtu;
    std::optional<Vlan> vlan;
    std::optional<Bond> bond;
    friend bool operator==(const Interface&, const Interface&) = default;
  };
  std::vector<Interface> interfaces;
  struct Command {
    std::string name, run, creates, unless;
    std::string user = "root";
    std::vector<std::string> after;
    friend bool operator==(const Command&, const Command&) = default;
  };
  std::vector<Command> commands;
  struct SecretFile {
    std::string path, secret;
    std::string owner = "root", group = "root", mode = "0400";
    friend bool operator==(const SecretFile&, const SecretFile&) = default;
  };
  std::vector<SecretFile> secret_files;
  friend bool operator==(const Profile&, const Profile&) = default;
};

}  // namespace nimbus
