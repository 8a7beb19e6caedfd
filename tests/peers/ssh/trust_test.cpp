// Whom the driver talks to, how it proves who we are, and how it ends with peers that are
// no good SSH servers.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>

#include "drivers/ssh/host_key.hpp"
#include "world.hpp"

namespace nimbus::ssh::test {
namespace {

const bool ignores_sigpipe = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;

std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

TEST_CASE("keys of each type are compared exactly") {
  for (const char* key : {"host", "host_rsa", "host_ecdsa"}) {
    const auto answer = Reach("good", key).run("echo\n");
    CHECK_MESSAGE(answer, key << ": " << (answer ? "" : answer.error().text()));
  }
}

TEST_CASE("another host key than the pinned one is Untrusted, and nobody logs in") {
  const Reach reach("other_key", "host");
  const auto answer = reach.run("echo\n");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Untrusted);
  CHECK(text_of("other_key.log").find("Accepted publickey") == std::string::npos);
  CHECK(text_of("other_key.log").find(" user ") == std::string::npos);  // no name was told either
  // With the right key it is the same server that lets us in.
  CHECK(Reach("other_key", "other").run("echo\n"));
}

TEST_CASE("a host without a key of the pinned type is Untrusted") {
  const auto answer = Reach("rsa_only", "host").run("echo\n");
  REQUIRE_FALSE(answer);
  CHECK_MESSAGE(answer.error().code == Code::Untrusted, answer.error().text());
  CHECK(Reach("rsa_only", "host_rsa").run("echo\n"));
}

TEST_CASE("a host key is proven without a login") {
  const auto prove = [](const std::string& server, const std::string& key) {
    const auto where = endpoint(server, key);
    return prove_host_key(where.address, where.host_key, within(kPlenty), clock());
  };
  CHECK(prove("good", "host"));
  const auto before = text_of("other_key.log");
  const auto other = prove("other_key", "host");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Code::Untrusted);
  CHECK(prove("other_key", "other"));
  const auto said = text_of("other_key.log").substr(before.size());
  CHECK(said.find("userauth") == std::string::npos);
  CHECK(said.find("nobody") == std::string::npos);
  const auto none = prove_host_key("127.0.0.1:1", text_of("host.pub"), within(kPlenty), clock());
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Code::Unreachable);
  const auto nonsense = prove_host_key("127.0.0.1", "no key", within(kPlenty), clock());
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().code == Code::Invalid);
}

TEST_CASE("a key that the host does not know is Auth, and no password is tried") {
  const auto answer = Reach("good", "host", "stranger").run("echo\n");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Auth);
  CHECK(text_of("good.log").find("assword") == std::string::npos);
}

TEST_CASE("a certificate opens where the key alone does not") {
  CHECK_FALSE(Reach("certificates", "host", "certified").run("echo\n"));
  const auto answer = Reach("certificates", "host", "certified", "certified-cert.pub").run("echo in\n");
  REQUIRE(answer);
  CHECK(answer->output == "in\n");
}

TEST_CASE("only a private ed25519 key without a passphrase will do") {
  const auto code_of = [](const std::string& key, const std::string& certificate = {}) {
    const auto made = make_ssh_driver(
        {.key = folder() + "/" + key, .certificate = certificate.empty() ? "" : folder() + "/" + certificate}, clock());
    return made ? std::optional<Code>() : made.error().code;
  };
  CHECK(code_of("client") == std::nullopt);
  CHECK(code_of("client_rsa") == Code::Invalid);
  CHECK(code_of("locked") == Code::Invalid);
  CHECK(code_of("client.pub").has_value());
  CHECK(code_of("absent") == Code::NotFound);
  CHECK(code_of("client", "certified-cert.pub") == Code::Invalid);
  std::filesystem::copy_file(folder() + "/client", folder() + "/open");
  std::filesystem::permissions(folder() + "/open", std::filesystem::perms(0644));
  CHECK(code_of("open") == Code::Untrusted);
  const auto shown = public_key_of(folder() + "/client");
  REQUIRE(shown);
  CHECK(text_of("client.pub").starts_with(*shown + " "));
}

TEST_CASE("a long banner before the login is read and forgotten") {
  const auto answer = Reach("chatty").run("echo in\n");
  REQUIRE(answer);
  CHECK(answer->output == "in\n");
}

TEST_CASE("peers that are no good SSH servers end at the deadline or before, and leave nothing open") {
  const auto before = descriptors();
  for (const char* server : {"silent", "closes", "half_closed", "banner_only", "no_ssh", "banner_flood", "long_line",
                             "drip", "garbage_packets", "nobody"}) {
    const Reach reach(server);
    const MonoTime start = clock().now();
    const auto answer = reach.run("echo\n", false, std::chrono::milliseconds(1200));
    const auto took = clock().now() - start;
    REQUIRE_FALSE(answer);
    const Code code = answer.error().code;
    const bool fits = code == Code::Timeout || code == Code::Unreachable || code == Code::Corrupt;
    CHECK_MESSAGE(fits, server << ": " << answer.error().text());
    CHECK_MESSAGE(took < std::chrono::seconds(8), server);
    CHECK(reach.host->session() == 0);
  }
  CHECK(descriptors() == before);
}

TEST_CASE("a peer that talks without end before the login ends at a bound, not at the deadline") {
  const Reach reach("banner_flood");
  const auto answer = reach.run("echo\n", false, std::chrono::seconds(60));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Corrupt);
  CHECK_MESSAGE(answer.error().message.find("talks without end") != std::string::npos, answer.error().text());
}

}  // namespace
}  // namespace nimbus::ssh::test
