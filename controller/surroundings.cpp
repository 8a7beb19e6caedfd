#include "controller/surroundings.hpp"

#include <unistd.h>

#include <cstddef>
#include <utility>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/http/server.hpp"
#include "controller/api/peers.hpp"
#include "controller/intake/intake.hpp"
#include "registry/git/commit_source.hpp"
#include "registry/load.hpp"

namespace nimbus::controller {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

class Look {
 public:
  std::vector<std::string> take() { return std::move(faults_); }

  void found(const std::string& key, const Result<>& outcome) {
    if (!outcome) faults_.push_back(key + ": " + outcome.error().text());
  }
  /// An empty path is a key that was left out.
  void file(const std::string& key, const std::string& path) {
    if (!path.empty()) found(key, without_value(base::read_file(path, kMostBytes)));
  }
  void secret(const std::string& key, const std::string& path) {
    if (!path.empty()) found(key, without_value(base::read_private_file(path, kMostBytes)));
  }
  void folder(const std::string& key, const std::string& path) { found(key, without_value(base::list_folder(path))); }

 private:
  template <class T>
  static Result<> without_value(const Result<T>& result) {
    if (!result) return result.error();
    return {};
  }

  std::vector<std::string> faults_;
};

void look_at_remote(Look& look, const std::string& table, const RemoteConfig& remote) {
  look.secret(table + " ssh_key", remote.ssh_key);
  look.file(table + " known_hosts", remote.known_hosts);
  look.secret(table + " token_file", remote.token_file);
  look.file(table + " ca_file", remote.ca_file);
}

/// A folder that is not there yet is made at the start.
Result<> writable(const std::string& folder) {
  if (::access(folder.c_str(), F_OK) != 0 || ::access(folder.c_str(), R_OK | W_OK | X_OK) == 0) return {};
  return Error{Code::Invalid, "cannot write to " + folder};
}

}  // namespace

std::vector<std::string> faults_of_surroundings(const Config& config) {
  Look look;
  look.found("data", writable(config.data));
  look.folder("secrets", config.secrets);
  look_at_remote(look, "[registry]", config.registry);
  look.secret("[status] ssh_key", config.status.ssh_key);
  look.file("[status] known_hosts", config.status.known_hosts);
  look.secret("[status] token_file", config.status.token_file);
  look.file("[status] ca_file", config.status.ca_file);
  look.secret("[status] signing_key", config.status.signing_key);
  look.secret("[hosts] key", config.hosts.key);
  look.file("[hosts] certificate", config.hosts.certificate);
  look.found("[http] listen", base::check_listen({.address = config.listen}));
  if (const auto peers = PeerPolicy::make(config.control_users, config.control_groups); !peers) {
    look.found("[control]", peers.error());
  }
  for (const auto& webhook : config.webhooks) {
    for (const auto& file : webhook.secret_files) look.secret("[[webhook]] " + webhook.name + " secret_files", file);
  }
  look.secret("[forge] token_file", config.forge.token_file);
  look.file("[forge] ca_file", config.forge.ca_file);
  for (const auto& ca : config.cas) look.file("[[ca]] " + ca.name + " file", ca.file);
  return look.take();
}

std::vector<std::string> doubts_of_surroundings(const Config& config) {
  if (!config.hosts.key.empty()) return {};
  const auto mirror = registry::GitRepository::open(config.mirror());
  if (!mirror) return {};
  const auto commit = mirror->resolve(Intake::kInForce);
  if (!commit || !*commit) return {};
  const auto loaded = registry::load(registry::CommitSource(*mirror, **commit));
  if (!loaded) return {};
  std::size_t count = 0;
  std::string first;
  for (const auto& entry : loaded->snapshot->instances) {
    const auto& instance = entry->value;
    if (instance.provider != config.provider || instance.configuration == ConfigurationMode::None) continue;
    if (count++ == 0) first = instance.id();
  }
  if (count == 0) return {};
  return {
      fmt::format("[hosts] is left out, so no host is looked at; the registry asks for the configuration of {} ({})",
                  count == 1 ? "one" : std::to_string(count), count == 1 ? first : first + ", …")};
}

}  // namespace nimbus::controller
