// Keys of SSH: the pinned one of a host, and our own.
//
// Thread rule: plain values; the functions are safe from any thread.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "drivers/ssh/driver.hpp"

struct ssh_key_struct;

namespace nimbus::ssh {

struct HostKey {
  std::string type;        // "ssh-ed25519"
  std::string base64;      // of the whole public key, as in known_hosts
  std::string algorithms;  // the only ones to negotiate, as libssh wants them
};

/// Reads "type base64", more words are ignored. Errors: Invalid.
Result<HostKey> parse_host_key(const std::string& text);

struct KeyFree {
  void operator()(ssh_key_struct* key) const noexcept;
};
using Key = std::unique_ptr<ssh_key_struct, KeyFree>;

/// Our private key, with the certificate in it if there is one. Errors: as make_ssh_driver().
Result<Key> read_own_key(const SshOptions& options);

/// The public half in base64. Errors: Internal.
Result<std::string> public_base64(const Key& key);

}  // namespace nimbus::ssh
