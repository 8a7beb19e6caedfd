// From a merged profile to primitive resources: what the parts of the expansion share.
// Internal to registry/host. Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/host/host_configuration.hpp"
#include "registry/host/merge.hpp"
#include "registry/host/variables.hpp"

namespace nimbus::registry {

/// Folder of what Nimbus keeps on a host for itself. Not /etc/nimbus: a host may run a
/// controller, whose files those are.
inline constexpr std::string_view kHostFolder = "/etc/nimbus-host";

// Actions that several parts notify.
inline constexpr std::string_view kAptUpdate = "action:apt-update", kDaemonReload = "action:daemon-reload",
                                  kUpdateCaCertificates = "action:update-ca-certificates",
                                  kFirewallAction = "action:firewall", kNetworkAction = "action:network";

class Expansion {
 public:
  struct Input {
    const Profile& profile;
    const MergedProfile& merged;
    const InstanceEntry& instance;
    const VariableScope& scope;
    const HostSources& sources;
    std::vector<Problem>& problems;
  };
  explicit Expansion(const Input& input) : in_(input) {}

  host::Configuration run();

 private:
  using Resource = host::Resource;

  // One part each.
  void packages();
  void repositories();
  void ca_certificates();
  void files();
  void secret_files();
  void groups();
  void users();
  void sudoers();
  void access();
  void services();
  void timers();
  void kernel();
  void disks();
  void settings();
  void firewall();
  void interfaces();
  void commands();
  void upkeep();
  void links_between();

  /// Adds a resource that `place` asks for. The same thing asked for twice is a problem.
  Resource& add(host::Wanted wanted, const Place& place);
  Resource& add_file(std::string path, std::string content, const Place& place, std::string mode = "0644");
  /// A folder that a file of ours needs; what a profile says of it holds.
  void add_folder(std::string_view path, const Place& place, std::string_view mode = "0755");
  void add_user(host::User user, std::string_view sudo, const Place& place);
  void add_sudo(std::string_view name, const std::vector<std::string>& lines, const Place& place);
  Resource* find(std::string_view id);
  /// Of a user that profiles, [access] or Nimbus itself ask for.
  host::User& user(std::string_view name, const Place& place);

  void fail(const Place& place, ProblemCode code, std::string message);
  /// Text of the row itself, or of a file of the scope of `place`; nothing: a problem was
  /// reported.
  std::optional<std::string> content_of(const std::optional<std::string>& content, const std::string& source,
                                        bool is_template, const Place& place);
  std::string filled(std::string text, const std::string& file);
  std::vector<std::string> keys_of(const std::vector<std::string>& keys, const Place& place);
  /// "service:nginx" -> "unit:nginx.service"; empty: a problem was reported.
  std::string id_meant(const std::string& named, const Place& place);

  Place place(std::string_view key, std::string_view name = {}) const { return in_.merged.place(key, name); }
  Place own_place() const { return {in_.instance.path, {}}; }

  Input in_;
  std::map<std::string, Resource, std::less<>> resources_;
};

/// With ".service" where there is no suffix of a unit.
std::string unit_name(std::string_view name);
/// With blanks between.
std::string words(const std::vector<std::string>& list);

// Texts of files and scripts, each of a pure function (firewall.cpp, interfaces.cpp).
std::string firewall_rules(const std::vector<Profile::FirewallRule>& rules);
struct NamedText {
  std::string name, text;
};
std::vector<NamedText> networkd_files(const std::vector<Profile::Interface>& interfaces);
std::string netplan_file(const std::vector<Profile::Interface>& interfaces);
/// `declared`: there are rows, and what somebody else changes is seen.
host::Action firewall_action(bool declared);
host::Action network_action(bool declared);

}  // namespace nimbus::registry
