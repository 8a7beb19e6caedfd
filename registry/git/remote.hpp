// Where a remote repository is and how its server and we are known to each other.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/secret.hpp"

namespace nimbus::registry {

/// Thread rule: a plain value.
struct GitRemote {
  /// https://…, ssh://…, user@host:path, file://… or an absolute path. No password.
  std::string url;

  /// ssh: the private key and the pinned host keys (known_hosts format). Both are
  /// needed; neither the user's own files nor an agent are looked at.
  std::string ssh_key_file = {};
  std::string known_hosts_file = {};

  /// https: a CA bundle instead of the system's; empty: the system's.
  std::string ca_file = {};
  /// https: sent to the url's origin only. Empty: none. A user in the url wins over
  /// `username`.
  std::string username = {};
  Secret password = {};
};

enum class RemoteKind { Https, Http, Ssh, Local };

/// Errors: Invalid, with a sentence that does not repeat a password in the url.
Result<RemoteKind> check_remote(const GitRemote& remote);

/// "https://user:word@host/x" -> "https://host/x", anywhere in `text`, which also
/// becomes printable and is cut at `limit`.
std::string redact_urls(std::string_view text, std::size_t limit = 1024);

}  // namespace nimbus::registry
