// GitProgram against servers of other makers: OpenSSH's sshd, and git-http-backend
// behind TLS.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/process/process.hpp"
#include "base/time/time.hpp"
#include "registry/git/git_program.hpp"
#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace std::chrono_literals;
using nimbus::test::commit_files;
using nimbus::test::git;
using nimbus::test::make_bare;
using nimbus::test::TempFolder;
using nimbus::test::within;

namespace {

const base::SystemClock the_clock;
constexpr auto kMain = "refs/heads/main";

void must_run(std::vector<std::string> argv) {
  const std::string name = argv[0];
  const auto result = test::run(std::move(argv));
  REQUIRE_MESSAGE(result.exit_code == 0, name << ": " << result.errors.text);
}

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A server as a child, ended with the object.
class Server {
 public:
  explicit Server(std::vector<std::string> argv) {
    const char* path = std::getenv("PATH");
    base::Program program{.argv = std::move(argv), .environment = {"PATH=" + std::string(path)}};
    thread_ = std::jthread([program = std::move(program), this](std::stop_token stop) {
      const auto result = base::run_program(program, Call{the_clock.now() + 300s, std::move(stop)}, the_clock);
      errors_ = result ? result->errors.text : result.error().text();
      ended_ = true;
    });
  }
  /// Waits until `ready` holds.
  template <class Ready>
  void wait(const Ready& ready) {
    const auto until = the_clock.now() + 30s;
    while (!ready() && !ended_ && the_clock.now() < until) std::this_thread::yield();
    REQUIRE_MESSAGE((!ended_ && the_clock.now() < until), "the server did not start");
  }
  std::string stop() {
    thread_.request_stop();
    thread_.join();
    return errors_;
  }

 private:
  std::atomic<bool> ended_ = false;
  std::string errors_;
  std::jthread thread_;
};

sockaddr_in loopback(unsigned port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

unsigned free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t length = sizeof address;
  REQUIRE(::bind(probe, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  ::close(probe);
  return ntohs(address.sin_port);
}

bool answers(unsigned port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool open = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return open;
}

template <class T>
Code code(const Result<T>& result) {
  REQUIRE(!result.has_value());
  return result.error().code;
}

void keygen(const std::string& path, const std::string& type) {
  must_run({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "test", "-f", path});
}

}  // namespace

TEST_CASE("over ssh: OpenSSH's own server") {
  const TempFolder temp;
  make_bare(temp / "remote");
  make_bare(temp / "mirror");
  const auto first = commit_files(temp / "remote", "main", {{"a", "1"}});
  const auto local = commit_files(temp / "mirror", "local", {{"b", "1"}});
  keygen(temp / "host", "ed25519");
  keygen(temp / "ed25519", "ed25519");
  keygen(temp / "rsa", "rsa");
  keygen(temp / "stranger", "ed25519");
  std::ofstream(temp / "authorized") << read_all(temp / "ed25519.pub") << read_all(temp / "rsa.pub");
  const auto port = free_port();
  std::ofstream(temp / "config") << "Port " << port << "\nListenAddress 127.0.0.1\nHostKey " << (temp / "host")
                                 << "\nAuthorizedKeysFile " << (temp / "authorized")
                                 << "\nStrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n"
                                    "KbdInteractiveAuthentication no\n";
  if (::geteuid() == 0) std::filesystem::create_directories("/run/sshd");  // its privilege separation wants it
  Server server({"/usr/sbin/sshd", "-D", "-e", "-f", temp / "config"});
  server.wait([&] { return answers(port); });

  const auto host = "[127.0.0.1]:" + std::to_string(port) + " ";
  std::ofstream(temp / "known") << host << read_all(temp / "host.pub");
  std::ofstream(temp / "other") << host << read_all(temp / "stranger.pub");
  std::ofstream(temp / "empty") << "";
  const auto user = test::run({"id", "-un"}).output.text;
  const auto base_url = "ssh://" + user.substr(0, user.size() - 1) + "@127.0.0.1:" + std::to_string(port);
  GitRemote remote{
      .url = base_url + (temp / "remote"), .ssh_key_file = temp / "ed25519", .known_hosts_file = temp / "known"};
  GitProgram program({.repository = temp / "mirror"}, the_clock);

  for (const char* key : {"ed25519", "rsa"}) {
    remote.ssh_key_file = temp / key;
    const auto refs = program.list_remote(remote, {kMain}, within(60s));
    REQUIRE_MESSAGE(refs.has_value(), refs.error().text());
    CHECK(refs->at(kMain) == first);
  }
  REQUIRE(program.fetch(remote, {{kMain, "refs/nimbus/x"}}, within(60s)));
  CHECK(git(temp / "mirror", {"rev-parse", "refs/nimbus/x"}) == first);
  REQUIRE(program.push(remote, local, "refs/heads/s", std::nullopt, within(60s)));
  CHECK(git(temp / "remote", {"rev-parse", "refs/heads/s"}) == local);
  CHECK(code(program.push(remote, first, "refs/heads/s", first, within(60s))) == Code::Conflict);

  auto bad = remote;
  bad.known_hosts_file = temp / "other";
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Untrusted);
  bad.known_hosts_file = temp / "empty";
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Untrusted);
  bad = remote;
  bad.ssh_key_file = temp / "stranger";
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Auth);
  bad = remote;
  bad.url = base_url + (temp / "none");
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::NotFound);
  bad.known_hosts_file = "";
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Invalid);
  server.stop();
  CHECK(code(program.list_remote(remote, {kMain}, within(60s))) == Code::Unreachable);
}

TEST_CASE("over https: git-http-backend, a private CA, a password, a redirect") {
  const TempFolder temp;
  make_bare(temp / "remote");
  git(temp / "remote", {"config", "http.receivepack", "true"});
  make_bare(temp / "mirror");
  const auto first = commit_files(temp / "remote", "main", {{"a", "1"}});
  const auto local = commit_files(temp / "mirror", "local", {{"b", "1"}});
  for (const char* name : {"server", "stranger"}) {
    must_run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
              "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
              temp / (std::string(name) + ".key"), "-out", temp / (std::string(name) + ".pem")});
  }
  Server server({"python3", std::string(NIMBUS_TEST_DATA) + "/unit/registry/git/http_forge.py", temp.path(),
                 temp / "server.pem", temp / "server.key"});
  server.wait([&] { return read_all(temp / "ready").ends_with('\n'); });
  auto port = read_all(temp / "ready").substr(5);
  port.pop_back();
  const auto origin = "https://127.0.0.1:" + port;
  GitProgram program({.repository = temp / "mirror"}, the_clock);
  const GitRemote open{.url = origin + "/open/remote", .ca_file = temp / "server.pem"};
  const GitRemote closed{.url = origin + "/private/remote",
                         .ca_file = temp / "server.pem",
                         .username = "bob",
                         .password = Secret("s3cret")};

  const auto refs = program.list_remote(open, {kMain}, within(60s));
  REQUIRE_MESSAGE(refs.has_value(), refs.error().text());
  CHECK(refs->at(kMain) == first);
  REQUIRE(program.fetch(closed, {{kMain, "refs/nimbus/x"}}, within(60s)));
  CHECK(git(temp / "mirror", {"rev-parse", "refs/nimbus/x"}) == first);
  REQUIRE(program.push(closed, local, "refs/heads/s", std::nullopt, within(60s)));
  CHECK(git(temp / "remote", {"rev-parse", "refs/heads/s"}) == local);
  CHECK(code(program.push(closed, first, "refs/heads/s", first, within(60s))) == Code::Conflict);

  auto bad = open;
  bad.ca_file = temp / "stranger.pem";
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Untrusted);
  bad = open;
  bad.url = "https://localhost:" + port + "/open/remote";  // not the name in the certificate
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Untrusted);
  bad = closed;
  bad.password = Secret("wr0ng");
  const auto wrong = program.list_remote(bad, {kMain}, within(60s));
  CHECK(code(wrong) == Code::Auth);
  CHECK(wrong.error().text().find("wr0ng") == std::string::npos);
  bad.username = "";
  bad.password = Secret();
  CHECK(code(program.list_remote(bad, {kMain}, within(60s))) == Code::Auth);

  const auto answer = [&](const std::string& path) {
    auto remote = closed;
    remote.url = origin + path;
    return code(program.list_remote(remote, {kMain}, within(60s)));
  };
  CHECK(answer("/nothing/here") == Code::NotFound);
  CHECK(answer("/code/403/x") == Code::Auth);
  CHECK(answer("/code/429/x") == Code::RateLimited);
  CHECK(answer("/code/503/x") == Code::Unreachable);
  // A redirect to another origin is not followed, so nothing can travel along.
  CHECK(answer("/redirect/remote") == Code::Invalid);
  for (const auto* path : {"/open", "/redirect", "/code"}) {
    CHECK(read_all(temp / "authorizations").find("\n" + std::string(path)) == std::string::npos);
  }
  server.stop();
}
