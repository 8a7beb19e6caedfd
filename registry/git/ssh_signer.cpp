#include "registry/git/ssh_signer.hpp"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/file/file.hpp"
#include "base/process/process.hpp"
#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr std::size_t kMostKeyBytes = std::size_t{64} << 10U;
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";

}  // namespace

Result<SshSigner> SshSigner::make(std::string key_file, const Clock& clock) {
  if (auto key = base::read_private_file(key_file, kMostKeyBytes); !key) {
    return std::move(key.error()).with("while looking at the signing key");
  }
  SshSigner signer(std::move(key_file), clock);
  if (auto tried = signer.sign("a trial\n"); !tried) return std::move(tried.error());
  return signer;
}

Result<std::string> SshSigner::sign(std::string_view commit) {
  const char* const path = std::getenv("PATH");
  base::Program program;
  program.argv = {"ssh-keygen", "-Y", "sign", "-n", "git", "-f", key_file_};
  // Nobody is asked for a passphrase.
  program.environment = {std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin"), "LC_ALL=C",
                         "SSH_ASKPASS_REQUIRE=never"};
  program.input = std::string(commit);
  auto result = base::run_program(program, {clock_->now() + kDeadline, {}}, *clock_);
  if (!result) return std::move(result.error()).with("while signing a commit");
  if (result->end == base::ProgramEnd::TimedOut) return Error{Code::Timeout, "ssh-keygen took too long to sign"};
  if (result->end != base::ProgramEnd::Exited || result->exit_code != 0 || !result->output.text.starts_with(kBegin)) {
    return Error{Code::Auth, "ssh-keygen cannot sign with " + key_file_ + ": " +
                                 base::printable(base::trim(result->errors.text), 300)};
  }
  return std::move(result->output.text);
}

}  // namespace nimbus::registry
