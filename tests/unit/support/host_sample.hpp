// Configurations of hosts for tests: resources by their content, and one of every kind.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "core/host/resource.hpp"

namespace nimbus::test {

inline host::Resource resource(host::Wanted wanted, std::vector<std::string> notifies = {},
                               std::vector<std::string> after = {}) {
  const auto id = host::id_of(wanted);
  return {id, "profiles/test.toml", std::move(after), std::move(notifies), std::move(wanted)};
}

inline host::Configuration configuration(std::vector<host::Resource> resources) {
  std::sort(resources.begin(), resources.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return {std::move(resources)};
}

inline host::File file(std::string path, std::string content, std::string mode = "0644") {
  host::File out;
  out.path = std::move(path);
  out.mode = std::move(mode);
  out.sha256 = base::sha256_hex(content);
  out.content = std::move(content);
  return out;
}

inline host::File secret_file(std::string path, const std::string& bytes) {
  host::File out;
  out.path = std::move(path);
  out.mode = "0400";
  out.is_secret = true;
  out.sha256 = base::sha256_hex(bytes);
  out.secret = Secret(bytes);
  return out;
}

inline host::File no_file(std::string path) {
  host::File out;
  out.path = std::move(path);
  out.presence = host::Presence::Absent;
  return out;
}

inline constexpr const char* kKeyA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
inline constexpr const char* kKeyB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// One of every kind, with names that a careless script would trip over.
inline host::Configuration one_of_each() {
  using namespace host;
  Action network{"network", "netplan apply", "netplan apply", 60};
  User deploy{
      "deploy", Presence::Present, 1500, {"wheel"}, "/bin/bash", "", {std::string(kKeyA) + " alice@example"}, true,
      true};
  auto validated = file("/etc/nginx/it's $HOME; \"x\".conf", "a 'quoted' $line\n");
  validated.validate = "nginx -t -c {file}";
  auto checked_after = file("/etc/checked", "x\n");
  checked_after.validate = "check --all";
  return configuration({
      resource(Package{"nginx", Presence::Present, "1.22.1-9", true}),
      resource(Package{"chrony"}),
      resource(Package{"telnet", Presence::Absent}),
      resource(validated, {"unit:nginx.service"}),
      resource(checked_after),
      resource(secret_file("/etc/app/token", "s3cr3t'value")),
      resource(no_file("/etc/old")),
      resource(Directory{"/etc/app", Presence::Present, "deploy", "wheel", "0750"}),
      resource(Directory{"/srv/gone", Presence::Absent}),
      resource(Link{"/etc/alias", Presence::Present, "/etc/app"}),
      resource(OwnedFiles{"/etc/sudoers.d", "nimbus-", {"/etc/sudoers.d/nimbus-deploy"}}),
      resource(Group{"wheel", Presence::Present, 2000}),
      resource(Group{"oldies", Presence::Absent}),
      resource(deploy),
      resource(User{"mallory", Presence::Absent}),
      resource(Unit{"nginx.service", true, true, Unit::OnChange::Reload}),
      resource(Sysctl{"net.core.somaxconn", "4096"}),
      resource(KernelModule{"nf-tables"}),
      resource(Mount{"UUID=0a1b", "/srv/da ta", "ext4", "noatime", Presence::Present}),
      resource(Swap{"/swapfile", 64}),
      resource(Setting{SettingKind::Hostname, "web-1"}),
      resource(Setting{SettingKind::TimeZone, "Etc/UTC"}),
      resource(Setting{SettingKind::Locale, "C.UTF-8"}),
      resource(Block{"/etc/hosts", "hosts", "10.0.0.1 db\n10.0.0.2 cache\n"}),
      resource(Command{"migrate", "touch /var/lib/migrated", "/var/lib/migrated", "", "root"}),
      resource(Command{"as-user", "id >id", "", "test -e id", "deploy"}),
      resource(file("/etc/netplan/60-nimbus.yaml", "network: {}\n", "0600"), {"action:network"}),
      resource(network),
      resource(Action{"apt-update", "apt-get update", "", 60}),
  });
}

}  // namespace nimbus::test
