#include "controller/remotes.hpp"

#include <utility>

#include "base/file/file.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

registry::GitRemote remote_of(const RemoteConfig& config, Secret token) {
  registry::GitRemote remote;
  remote.url = config.url;
  remote.ssh_key_file = config.ssh_key;
  remote.known_hosts_file = config.known_hosts;
  remote.ca_file = config.ca_file;
  if (!token.empty()) remote.username = "nimbusd";
  remote.password = std::move(token);
  return remote;
}

}  // namespace

Result<registry::GitRemote> open_remote(const RemoteConfig& config) {
  Secret token;
  if (!config.token_file.empty()) {
    constexpr std::size_t kMostTokenBytes = 4096;
    auto text = base::read_private_file(config.token_file, kMostTokenBytes);
    if (!text) return std::move(text.error()).with("while reading the forge's access token");
    token = Secret(std::string(base::trim(*text)));
  }
  return remote_of(config, std::move(token));
}

RemoteConfig status_config(const Config& config) {
  RemoteConfig remote = config.registry;
  const auto& own = config.status;
  if (!own.ssh_key.empty()) remote.ssh_key = own.ssh_key;
  if (!own.known_hosts.empty()) remote.known_hosts = own.known_hosts;
  if (!own.token_file.empty()) remote.token_file = own.token_file;
  if (!own.ca_file.empty()) remote.ca_file = own.ca_file;
  return remote;
}

Result<std::map<std::string, std::string>> read_cas(const Config& config) {
  constexpr std::size_t kMostCaBytes = std::size_t{1} << 20U;
  std::map<std::string, std::string> cas;
  for (const auto& ca : config.cas) {
    auto text = base::read_file(ca.file, kMostCaBytes);
    if (!text) return std::move(text.error()).with("while reading the CA \"" + ca.name + "\"");
    cas[ca.name] = std::move(*text);
  }
  return cas;
}

}  // namespace nimbus::controller
