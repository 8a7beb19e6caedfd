// Hosts over SSH, on libssh: the port in core/ports/host.hpp.
//
// One way in only: a key of type ed25519 from a file, with a certificate if there is one.
// No agent, no password, no configuration file of anybody, no file of known hosts: the
// endpoint pins one key, only its type is negotiated, and with another key nothing is sent.
// A name in an endpoint is looked up by the system's resolver, on a thread of the driver's own
// that nobody waits for longer than his call allows; an address is not looked up at all.
#pragma once

#include <memory>
#include <string>

#include "base/net/resolver.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/host.hpp"
#include "core/result.hpp"

namespace nimbus::ssh {

struct SshOptions {
  std::string key;          // path of the private key, OpenSSH's format, without a passphrase
  std::string certificate;  // path of an OpenSSH certificate for it; empty: none
};

/// The files are read again for each new session, so that rotated ones are used at once.
/// Errors: Internal or Invalid (a file cannot be read or holds no such key), Untrusted
/// (others may read the key). `clock` must outlive the driver.
Result<std::unique_ptr<HostDriver>> make_ssh_driver(const SshOptions& options, const Clock& clock,
                                                    base::Resolver::Lookup lookup = base::resolve);

/// "ssh-ed25519 AAAA…" of a private key file, without a comment. Errors as above.
Result<std::string> public_key_of(const std::string& key);

}  // namespace nimbus::ssh
