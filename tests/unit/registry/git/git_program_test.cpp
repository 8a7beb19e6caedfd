#include "registry/git/git_program.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/time/time.hpp"
#include "registry/git/git_command.hpp"
#include "registry/git/repository.hpp"
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
constexpr auto kStatus = "refs/heads/nimbus/status/p";

/// A remote repository and a local mirror of it.
struct Pair {
  TempFolder temp;
  GitRemote remote;
  GitProgram program{{.repository = temp / "mirror"}, the_clock};

  Pair() {
    make_bare(temp / "remote");
    make_bare(temp / "mirror");
    remote.url = "file://" + (temp / "remote");
  }
  std::string commit(const std::string& branch, const std::string& content) {
    return commit_files(temp / "remote", branch, {{"file", content}});
  }
  std::string local_commit(const std::string& content) {
    return commit_files(temp / "mirror", "local", {{"file", content}});
  }
};

template <class T>
Code code(const Result<T>& result) {
  REQUIRE(!result.has_value());
  INFO(result.error().text());
  return result.error().code;
}

/// Listens and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(socket_, 8) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  std::string port() const { return std::to_string(port_); }

 private:
  int socket_;
  unsigned port_ = 0;
};

}  // namespace

TEST_CASE("list, fetch and push over file://") {
  Pair pair;
  CHECK(pair.program.list_remote(pair.remote, {kMain, kStatus}, within(30s))->empty());
  const auto first = pair.commit("main", "1");
  pair.commit("x/refs/heads/main", "decoy");  // git's own pattern would match it
  const auto refs = pair.program.list_remote(pair.remote, {kMain, kStatus}, within(30s));
  REQUIRE(refs);
  CHECK(*refs == std::map<std::string, ObjectId>{{kMain, first}});

  git(pair.temp / "remote", {"tag", "v1", first});
  REQUIRE(pair.program.fetch(pair.remote, {{kMain, "refs/nimbus/incoming/main"}}, within(30s)));
  const auto mirror = GitRepository::open(pair.temp / "mirror");
  REQUIRE(mirror);
  CHECK(*mirror->resolve("refs/nimbus/incoming/main") == first);
  CHECK(*mirror->resolve("refs/tags/v1") == std::nullopt);
  CHECK(!std::filesystem::exists(pair.temp / "mirror/FETCH_HEAD"));

  // A rewritten branch is taken as it is; a missing one is said to be missing.
  git(pair.temp / "remote", {"update-ref", "-d", kMain});
  const auto rewritten = pair.commit("main", "2");
  REQUIRE(pair.program.fetch(pair.remote, {{kMain, "refs/nimbus/incoming/main"}}, within(30s)));
  CHECK(*mirror->resolve("refs/nimbus/incoming/main") == rewritten);
  CHECK(code(pair.program.fetch(pair.remote, {{kStatus, "refs/nimbus/s"}}, within(30s))) == Code::NotFound);
}

TEST_CASE("push moves a reference only from where it is said to be") {
  Pair pair;
  const auto one = pair.local_commit("1");
  const auto two = pair.local_commit("2");
  REQUIRE(pair.program.push(pair.remote, one, kStatus, std::nullopt, within(30s)));
  CHECK(git(pair.temp / "remote", {"rev-parse", kStatus}) == one);
  CHECK(code(pair.program.push(pair.remote, two, kStatus, std::nullopt, within(30s))) == Code::Conflict);
  CHECK(code(pair.program.push(pair.remote, one, "refs/heads/other", two, within(30s))) == Code::Conflict);
  REQUIRE(pair.program.push(pair.remote, two, kStatus, one, within(30s)));
  REQUIRE(pair.program.push(pair.remote, one, kStatus, two, within(30s)));  // backwards too, with the lease
  CHECK(code(pair.program.push(pair.remote, two, kStatus, two, within(30s))) == Code::Conflict);
  CHECK(git(pair.temp / "remote", {"rev-parse", kStatus}) == one);
  REQUIRE(pair.program.push(pair.remote, one, kStatus, two, within(30s)));  // already so: a repeated push is no fault
  CHECK(git(pair.temp / "remote", {"for-each-ref", "--format=%(refname)"}) == kStatus);
}

TEST_CASE("of racing pushes with the same lease exactly one wins") {
  Pair pair;
  const auto base = pair.local_commit("base");
  REQUIRE(pair.program.push(pair.remote, base, kStatus, std::nullopt, within(30s)));
  std::vector<std::string> commits;
  for (int i = 0; i < 4; ++i) commits.push_back(pair.local_commit(std::to_string(i)));
  ObjectId tip = base;
  for (int round = 0; round < 4; ++round) {
    std::vector<int> outcomes(commits.size(), -1);  // 1 won, 0 conflict
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (commits[i] == tip) continue;
      threads.emplace_back([&, i] {
        const auto result = pair.program.push(pair.remote, commits[i], kStatus, tip, within(60s));
        outcomes[i] = result ? 1 : (result.error().code == Code::Conflict ? 0 : -2);
      });
    }
    threads.clear();
    int wins = 0;
    ObjectId winner;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (commits[i] == tip) continue;
      CHECK(outcomes[i] >= 0);
      if (outcomes[i] == 1) winner = commits[i], ++wins;
    }
    CHECK(wins == 1);
    tip = git(pair.temp / "remote", {"rev-parse", kStatus});
    CHECK(tip == winner);
  }
}

TEST_CASE("a server that refuses is not a conflict") {
  Pair pair;
  const auto one = pair.local_commit("1");
  const auto hook = pair.temp / "remote/hooks/update";
  std::filesystem::create_directories(pair.temp / "remote/hooks");
  std::ofstream(hook) << "#!/bin/sh\necho protected branch >&2\nexit 1\n";
  std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
  const auto result = pair.program.push(pair.remote, one, kStatus, std::nullopt, within(30s));
  CHECK(code(result) == Code::Auth);
  CHECK(result.error().message.find("protected branch") != std::string::npos);
}

TEST_CASE("hooks and configuration of this side are not run or read") {
  Pair pair;
  const auto one = pair.local_commit("1");
  std::filesystem::create_directories(pair.temp / "mirror/hooks");
  for (const char* name : {"pre-push", "reference-transaction", "post-update"}) {
    const auto hook = pair.temp / ("mirror/hooks/" + std::string(name));
    std::ofstream(hook) << "#!/bin/sh\ntouch " << (pair.temp / "ran") << "\nexit 1\n";
    std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
  }
  REQUIRE(pair.program.push(pair.remote, one, kStatus, std::nullopt, within(30s)));
  REQUIRE(pair.program.fetch(pair.remote, {{kStatus, "refs/nimbus/s"}}, within(30s)));
  CHECK(!std::filesystem::exists(pair.temp / "ran"));
}

TEST_CASE("what is not there, and what is not a repository") {
  Pair pair;
  GitRemote gone{.url = pair.temp / "none"};
  CHECK(code(pair.program.list_remote(gone, {kMain}, within(30s))) == Code::NotFound);
  CHECK(code(pair.program.fetch(gone, {{kMain, "refs/nimbus/x"}}, within(30s))) == Code::NotFound);
  CHECK(code(pair.program.push(gone, pair.local_commit("1"), kMain, std::nullopt, within(30s))) == Code::NotFound);
  GitRemote closed{.url = "http://127.0.0.1:1/x.git"};
  CHECK(code(pair.program.list_remote(closed, {kMain}, within(30s))) == Code::Unreachable);
  GitProgram no_program({.repository = pair.temp / "mirror", .program = "no-such-git"}, the_clock);
  CHECK(code(no_program.list_remote(pair.remote, {kMain}, within(30s))) == Code::NotFound);
}

TEST_CASE("a silent server costs the deadline and no more") {
  Pair pair;
  const SilentServer server;
  const GitRemote remote{.url = "http://127.0.0.1:" + server.port() + "/x.git"};
  const auto begin = the_clock.now();
  CHECK(code(pair.program.list_remote(remote, {kMain}, within(300ms))) == Code::Timeout);
  CHECK(code(pair.program.fetch(remote, {{kMain, "refs/nimbus/x"}}, within(300ms))) == Code::Timeout);
  CHECK(code(pair.program.push(remote, pair.local_commit("1"), kMain, std::nullopt, within(300ms))) == Code::Timeout);
  CHECK(the_clock.now() - begin < 15s);
  std::stop_source stop;
  stop.request_stop();
  CHECK(code(pair.program.list_remote(remote, {kMain}, Call{the_clock.now() + 30s, stop.get_token()})) ==
        Code::Cancelled);
}

TEST_CASE("a fetch larger than the limit is refused and leaves no reference") {
  Pair pair;
  std::string noise;
  std::uint32_t state = 1;
  while (noise.size() < 300'000) noise += static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  pair.commit("main", noise);
  GitProgram limited({.repository = pair.temp / "mirror", .pack_limit_bytes = 100'000}, the_clock);
  CHECK(code(limited.fetch(pair.remote, {{kMain, "refs/nimbus/x"}}, within(30s))) == Code::Invalid);
  CHECK_THROWS(git(pair.temp / "mirror", {"rev-parse", "--verify", "refs/nimbus/x"}));
}

TEST_CASE("malformed objects are refused") {
  Pair pair;
  const auto blob = git(pair.temp / "remote", {"hash-object", "-w", "--stdin"}, "x");
  const auto tree = git(pair.temp / "remote", {"mktree"}, "100644 blob " + blob + "\t.git\n");
  const auto commit = git(pair.temp / "remote", {"commit-tree", "-m", "evil", tree});
  git(pair.temp / "remote", {"update-ref", kMain, commit});
  CHECK(code(pair.program.fetch(pair.remote, {{kMain, "refs/nimbus/x"}}, within(30s))) == Code::Corrupt);
}

TEST_CASE("names and urls that could be mistaken for something else") {
  Pair pair;
  for (const char* name :
       {"main", "refs/../x", "refs/heads/-x y", "--upload-pack=touch", "refs/heads/a:b", "refs/x.lock"}) {
    CHECK_MESSAGE(code(pair.program.list_remote(pair.remote, {name}, within(30s))) == Code::Invalid, name);
  }
  CHECK(is_reference_name("refs/heads/-x"));
  for (const char* url : {"", "relative/path", "ext::sh -c true", "-oProxyCommand=x", "http://forge.example/x.git",
                          "https://user:word@forge.example/x.git", "ssh://-oProxyCommand=x/y", "ftp://x/y",
                          "https:///x", "git@-x:y", "https://x/\n"}) {
    const auto result = check_remote({.url = url});
    CHECK_MESSAGE(!result.has_value(), url);
    if (!result) CHECK(result.error().message.find(":word") == std::string::npos);
  }
  CHECK(check_remote({.url = "https://forge.example/a.git"}) == RemoteKind::Https);
  CHECK(check_remote({.url = "git@forge.example:a/b.git"}) == RemoteKind::Ssh);
  CHECK(check_remote({.url = "ssh://git@forge.example:2222/a"}) == RemoteKind::Ssh);
  CHECK(check_remote({.url = "/srv/a.git"}) == RemoteKind::Local);
  CHECK(redact_urls("fatal: 'https://bob:pw@h.example/x?y=1' failed, ssh://u@h/ too @ end\n") ==
        "fatal: 'https://h.example/x?y=1' failed, ssh://h/ too @ end\\n");
}

TEST_CASE("what a child gets: pinned ssh, credentials for one origin and not in arguments") {
  GitRemote ssh{.url = "git@forge.example:a.git", .ssh_key_file = "/etc/it's/key", .known_hosts_file = "/etc/k h"};
  auto command = git_command(&ssh, "/usr/bin");
  REQUIRE(command);
  std::string environment;
  for (const auto& line : command->environment) environment += line + "\n";
  CHECK(environment.find("-i '/etc/it'\\''s/key'") != std::string::npos);
  CHECK(environment.find("-o 'UserKnownHostsFile=\"/etc/k h\"'") != std::string::npos);
  CHECK(environment.find("StrictHostKeyChecking=yes") != std::string::npos);
  CHECK(environment.find("GIT_ALLOW_PROTOCOL=ssh\n") != std::string::npos);
  for (const char* bad : {"", "relative", "/etc/a\"b", "/etc/%h", "/etc/a\nb"}) {
    ssh.known_hosts_file = bad;
    CHECK_MESSAGE(!git_command(&ssh, "/usr/bin").has_value(), bad);
  }

  GitRemote https{.url = "https://bob@forge.example:8443/a.git", .username = "bob", .password = Secret("s3cret")};
  command = git_command(&https, "/usr/bin");
  REQUIRE(command);
  std::string arguments;
  for (const auto& argument : command->configuration) arguments += argument + "\n";
  CHECK(arguments.find("s3cret") == std::string::npos);
  CHECK(arguments.find("credential.https://forge.example:8443.helper=") != std::string::npos);
  CHECK(arguments.find("http.followRedirects=false") != std::string::npos);
  const auto has = [&](const std::string& line) {
    return std::ranges::find(command->environment, line) != command->environment.end();
  };
  CHECK(has("NIMBUS_GIT_PASSWORD=s3cret"));
  CHECK(has("NIMBUS_GIT_USERNAME=bob"));
  https.url = "https://deploy@forge.example/a.git";  // forges give tokens user names of their own
  command = git_command(&https, "/usr/bin");
  REQUIRE(command);
  CHECK(has("NIMBUS_GIT_USERNAME=deploy"));
  https.password = Secret("a\nurl=https://evil.example");
  CHECK(!git_command(&https, "/usr/bin").has_value());
}

TEST_CASE("compact keeps everything that is referenced") {
  Pair pair;
  for (int i = 0; i < 5; ++i) {
    pair.commit("main", std::to_string(i));
    REQUIRE(pair.program.fetch(pair.remote, {{kMain, "refs/nimbus/x"}}, within(30s)));
  }
  const auto before = GitRepository::open(pair.temp / "mirror");
  REQUIRE(before);
  const auto oldest = git(pair.temp / "mirror", {"rev-list", "--max-parents=0", "refs/nimbus/x"});
  REQUIRE(before->list(*(*before->resolve("refs/nimbus/x"))));
  REQUIRE(pair.program.compact(within(30s)));
  CHECK(before->list(oldest).has_value());  // a handle from before finds the new pack
  CHECK(git(pair.temp / "mirror", {"fsck", "--no-dangling"}).empty());
  CHECK(git(pair.temp / "mirror", {"count-objects", "-v"}).find("packs: 1\n") != std::string::npos);
  CHECK(git(pair.temp / "mirror", {"rev-list", "--count", "refs/nimbus/x"}) == "5");
}

TEST_CASE("many packs are packed into one, few are left alone") {
  Pair pair;
  for (int i = 0; i < 3; ++i) pair.local_commit(std::to_string(i));
  CHECK(*pair.program.compact_if_needed(within(30s)) == false);
  const auto tip = git(pair.temp / "mirror", {"rev-parse", "refs/heads/local"});
  for (int i = 0; i < 110; ++i) {
    const auto blob = git(pair.temp / "mirror", {"hash-object", "-w", "--stdin"}, std::to_string(i));
    git(pair.temp / "mirror", {"pack-objects", "--quiet", pair.temp / "mirror/objects/pack/pack"}, blob + "\n");
  }
  CHECK(*pair.program.compact_if_needed(within(60s)) == true);
  CHECK(*pair.program.compact_if_needed(within(60s)) == false);
  CHECK(git(pair.temp / "mirror", {"rev-parse", "refs/heads/local"}) == tip);
  CHECK(git(pair.temp / "mirror", {"fsck", "--no-dangling"}).empty());
}
