// Host configuration, merged in the order that an instance lists.
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
template <>
inline constexpr auto kChoiceNames<KeyMode> = choice_names("exclusive", "additive");
template <>
inline constexpr auto kChoiceNames<Transport> = choice_names("tcp", "udp", "icmp");

struct Profile {
  std::string path;  // says whose it is
  std::string name;
  std::string timezone;
  struct Packages {
    std::vector<std::string> present, absent;
    friend bool operator==(const Packages&, const Packages&) = default;
  } packages;
  struct File {
    std::string path;
    std::optional<std::string> content;  // or source
    std::string source;                  // below files/
    std::string owner = "root", group = "root", mode = "0644";
    std::string validate;
    friend bool operator==(const File&, const File&) = default;
  };
  std::vector<File> files;
  struct User {
    std::string name;
    std::vector<std::string> groups, ssh_keys;
    KeyMode keys = KeyMode::Additive;
    std::string sudo;  // "" | "nopasswd" | "password"
    friend bool operator==(const User&, const User&) = default;
  };
  std::vector<User> users;
  struct Service {
    std::string name;
    std::optional<bool> enabled, running;
    std::vector<std::string> restart_on;
    friend bool operator==(const Service&, const Service&) = default;
  };
  std::vector<Service> services;
  std::map<std::string, std::string> sysctl;  // values as text
  struct Mount {
    std::string source, path, fs;
    friend bool operator==(const Mount&, const Mount&) = default;
  };
  std::vector<Mount> mounts;
  struct FirewallRule {
    Transport allow = Transport::Tcp;
    std::optional<std::int64_t> port;
    std::vector<std::string> from;
    friend bool operator==(const FirewallRule&, const FirewallRule&) = default;
  };
  std::vector<FirewallRule> firewall;
  struct SecretFile {
    std::string path, secret;
    friend bool operator==(const SecretFile&, const SecretFile&) = default;
  };
  std::vector<SecretFile> secret_files;
  friend bool operator==(const Profile&, const Profile&) = default;
};

}  // namespace nimbus
