#include "registry/git/ssh_signer.hpp"

#include <doctest/doctest.h>

#include "base/time/time.hpp"
#include "registry/git/repository.hpp"
#include "support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using nimbus::test::TempFolder;

namespace {

std::string new_key(const TempFolder& temp, const std::string& type, const std::string& passphrase = {}) {
  const std::string file = temp / ("key-" + type);
  const auto made = test::run({"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f", file});
  REQUIRE(made.exit_code == 0);
  return file;
}

ObjectId signed_commit(const GitRepository& repository, CommitSigner& signer) {
  NewCommit change;
  change.changes = {{"status.toml", "format = 1\n"}};
  change.author = change.committer = {.name = "nimbusd", .email = "nimbusd@localhost", .when = WallTime{}};
  change.message = "m017: power-on\n";
  auto written = write_commit(repository, change, &signer);
  REQUIRE_MESSAGE(written.has_value(), written.error().text());
  return **written;
}

}  // namespace

TEST_CASE("signed commits are what git itself takes for signed, with every kind of key") {
  const base::SystemClock clock;
  for (const char* type : {"ed25519", "ecdsa", "rsa"}) {
    CAPTURE(type);
    const TempFolder temp;
    const std::string key = new_key(temp, type);
    auto signer = SshSigner::make(key, clock);
    REQUIRE(signer.has_value());
    auto repository = GitRepository::open_or_create(temp / "r.git");
    REQUIRE(repository.has_value());
    const auto commit = signed_commit(*repository, *signer);
    REQUIRE(test::run({"sh", "-c", "printf 'nimbusd@berlin-1 ' | cat - " + key + ".pub > " + (temp / "allowed")})
                .exit_code == 0);
    const auto verify = [&](const std::string& allowed) {
      return test::run({"git", "-C", temp / "r.git", "-c", "gpg.format=ssh", "-c",
                        "gpg.ssh.allowedSignersFile=" + allowed, "verify-commit", commit});
    };
    CHECK(verify(temp / "allowed").exit_code == 0);
    new_key(temp, "other" == std::string(type) ? "rsa" : (std::string(type) == "ed25519" ? "ecdsa" : "ed25519"));
    REQUIRE(test::run({"sh", "-c",
                       "printf 'nimbusd@berlin-1 ' | cat - " +
                           (temp / (std::string(type) == "ed25519" ? "key-ecdsa.pub" : "key-ed25519.pub")) + " > " +
                           (temp / "others")})
                .exit_code == 0);
    CHECK(verify(temp / "others").exit_code != 0);
  }
}

TEST_CASE("a signing key that cannot be used is known at the start") {
  const base::SystemClock clock;
  const TempFolder temp;
  CHECK(SshSigner::make(temp / "missing", clock).error().code == Code::NotFound);
  CHECK(SshSigner::make(new_key(temp, "ed25519", "a passphrase"), clock).error().code == Code::Auth);
  const std::string open = new_key(temp, "ecdsa");
  REQUIRE(test::run({"chmod", "0644", open}).exit_code == 0);
  CHECK(SshSigner::make(open, clock).error().code == Code::Untrusted);
}
