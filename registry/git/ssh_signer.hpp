// Signs commits with an SSH key, as `git commit -S` with gpg.format = ssh does: SSHSIG
// in the namespace "git", made by ssh-keygen as a child process (OpenSSH,
// PROTOCOL.sshsig; ssh-keygen(1), "-Y sign"). The key never enters this process.
//
// Thread rule: safe from any thread. Errors: NotFound and Untrusted (the key file, or
// others may read it), Auth (ssh-keygen cannot use the key: it needs a passphrase),
// Internal, Timeout.
#pragma once

#include <string>
#include <string_view>

#include "core/ports/clock.hpp"
#include "core/result.hpp"
#include "registry/git/commit_builder.hpp"

namespace nimbus::registry {

class SshSigner final : public CommitSigner {
 public:
  /// Signs once, so that a key that cannot be used is known at the start. `clock` must
  /// outlive this.
  static Result<SshSigner> make(std::string key_file, const Clock& clock);

  Result<std::string> sign(std::string_view commit) override;

 private:
  SshSigner(std::string key_file, const Clock& clock) : key_file_(std::move(key_file)), clock_(&clock) {}

  std::string key_file_;
  const Clock* clock_;
};

}  // namespace nimbus::registry
