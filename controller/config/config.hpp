// nimbusd.toml: what one controller needs to know that is not in the registry.
// Documented in docs/reference/nimbusd.toml.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "reconcilers/install/decide.hpp"
#include "reconcilers/power/decide.hpp"

namespace nimbus::controller {

struct RemoteConfig {
  std::string url;  // https://, ssh://, file:// or an absolute path
  std::string branch = "main";
  std::string ssh_key;      // path; empty: no key of our own
  std::string known_hosts;  // path; must be given for ssh
  std::string token_file;   // path to an https token; empty: none
  std::string ca_file;      // path to the CA of an https forge; empty: the system's
  friend bool operator==(const RemoteConfig&, const RemoteConfig&) = default;
};

/// Where status goes, as far as it differs from the registry's own remote: a controller
/// may read the registry with one credential and write status with another.
struct StatusConfig {
  std::string repository;  // the other repository that registry.toml may name; empty: none may
  std::string ssh_key, known_hosts, token_file, ca_file;  // empty: the registry's
  std::string signing_key;  // path of the SSH key that signs status commits; empty: unsigned
  friend bool operator==(const StatusConfig&, const StatusConfig&) = default;
};

struct WebhookConfig {
  std::string name;                       // the path is /webhook/<name>
  std::string kind;                       // "github", "gitlab", …
  std::vector<std::string> secret_files;  // one, or two during a rotation
  friend bool operator==(const WebhookConfig&, const WebhookConfig&) = default;
};

/// Marks beside commits on the forge's pages.
struct ForgeConfig {
  std::string kind;     // "github", "gitlab", "gitea"; empty: none are made
  std::string api;      // "https://api.github.com", "https://forge.example/api/v1"
  std::string project;  // "acme/metal"
  std::string token_file;
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  friend bool operator==(const ForgeConfig&, const ForgeConfig&) = default;
};

/// The way to hosts, over SSH.
struct HostsConfig {
  std::string key;          // path of the controller's own ed25519 key; empty: hosts are not looked at
  std::string certificate;  // path; empty: none
  std::string user = "nimbus";
  std::size_t workers = 4;                                        // hosts at the same time
  std::chrono::milliseconds interval = std::chrono::minutes(5);   // between looks at a host that is as declared
  std::chrono::milliseconds deadline = std::chrono::minutes(10);  // of one correction
  std::chrono::milliseconds confirm = std::chrono::seconds(60);   // what may cut a host off undoes itself after it
  friend bool operator==(const HostsConfig&, const HostsConfig&) = default;
};

struct CaConfig {
  std::string name;  // as machine files call it: tls = { ca = "…" }
  std::string file;
  friend bool operator==(const CaConfig&, const CaConfig&) = default;
};

struct Config {
  std::string provider;
  std::string id;       // of this controller; default "<provider>/<host name>"
  std::string data;     // folder: mirror, journal; may be lost, never shared
  std::string secrets;  // folder
  RemoteConfig registry;
  StatusConfig status;
  std::chrono::milliseconds poll = std::chrono::seconds(60);
  std::chrono::milliseconds git_deadline = std::chrono::seconds(60);
  std::chrono::milliseconds publish = std::chrono::seconds(10);    // least time between status commits
  std::chrono::milliseconds heartbeat = std::chrono::minutes(10);  // status.toml alone, at most this often
  std::string listen = "127.0.0.1:9640";                           // loopback address:port, or unix:/path
  std::string control_socket;               // path; default "<runtime or data folder>/control.sock"
  std::vector<std::string> control_users;   // who may change things there, besides root and
  std::vector<std::string> control_groups;  // the user that nimbusd runs as
  std::string audit;                        // folder; default "<data>/audit"
  std::string holds = "/etc/nimbus/holds";  // folder of local holds; never below `data`
  std::vector<WebhookConfig> webhooks;
  /// Sockets of nimbus-boot by the network that each serves; "": the only network. Empty: nothing is installed.
  std::map<std::string, std::string> boot_sockets;
  std::vector<std::string> image_sources;  // beginnings of URLs that images may come from
  reconcilers::InstallPolicy install;      // deadlines of installs and erasures
  HostsConfig hosts;
  ForgeConfig forge;
  std::vector<CaConfig> cas;
  std::size_t workers = 16;
  std::size_t event_streams = 1000;                              // most BMCs whose event streams are kept open; 0: none
  std::chrono::milliseconds observe = std::chrono::seconds(30);  // steady state: between looks at a machine
  std::chrono::milliseconds inspect = std::chrono::hours(6);  // between inspections of hardware and firmware settings
  std::chrono::milliseconds pass_deadline = std::chrono::seconds(30);
  std::chrono::milliseconds retry_most = std::chrono::minutes(5);  // back-off for machines that do not answer
  reconcilers::PowerPolicy power;
  std::string log_level = "info";
  std::string log_format = "text";
  friend bool operator==(const Config&, const Config&) = default;

  /// The bare repository that the forge is fetched into.
  std::string mirror() const { return data + "/mirror.git"; }
};

/// Reads and checks the file; the error lists every fault with line and column.
/// Errors: NotFound, Invalid, Internal.
Result<Config> load_config(const std::string& path);

/// As load_config, for a text; `path` is only named in messages.
Result<Config> parse_config(const std::string& text, const std::string& path);

}  // namespace nimbus::controller
