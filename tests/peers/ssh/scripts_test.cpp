// Scripts on a real OpenSSH server: what they say, how they end, how long they may take.
#include <atomic>
#include <filesystem>
#include <future>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "world.hpp"

namespace nimbus::ssh::test {
namespace {

TEST_CASE("a script runs in one session, and tells both outputs and its status") {
  const Reach reach("good");
  const auto answer = reach.run("echo out; echo err >&2; exit 7\n");
  REQUIRE(answer);
  CHECK(answer->output == "out\n");
  CHECK(answer->errors == "err\n");
  CHECK(answer->exit_status == 7);
  const auto again = reach.run("echo again\n");
  REQUIRE(again);
  CHECK(again->output == "again\n");
  CHECK(reach.host->session() == 1);
}

/// Somebody stops us: after so many looks at it, it is ten minutes later.
class WakingClock final : public Clock {
 public:
  MonoTime now() const noexcept override {
    const int before = looks_left_.fetch_sub(1);
    return clock().now() + (before <= 0 ? std::chrono::minutes(10) : std::chrono::minutes(0));
  }
  WallTime wall() const noexcept override { return clock().wall(); }
  void wake_after(int looks) const { looks_left_ = looks; }

 private:
  mutable std::atomic<int> looks_left_{1'000'000};
};

TEST_CASE("a change whose permission is over is not sent") {
  const WakingClock waking;
  auto driver = make_ssh_driver({.key = folder() + "/client", .certificate = ""}, waking);
  REQUIRE(driver);
  auto host = (*driver)->attach(endpoint("good"));
  REQUIRE(host);
  const std::string mark = folder() + "/home/stale-change";
  const std::string script = "echo x >" + mark + "\n";
  const HostScript change{.text = script, .as_root = false};
  const auto call = [&] {
    return Call{.deadline = clock().now() + std::chrono::minutes(30),
                .write_by = clock().now() + std::chrono::minutes(5)};
  };
  REQUIRE((*host)->run({.text = "echo here\n", .as_root = false}, call()));
  SUBCASE("over before anything was done") { waking.wake_after(0); }
  SUBCASE("stopped while the shell was started") { waking.wake_after(2); }
  const auto late = (*host)->run(change, call());
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Code::Conflict);
  waking.wake_after(1'000'000);
  // Whatever was sent before is done before this.
  const auto looked = (*host)->run({.text = "sleep 0.2; ls " + mark + "\n", .as_root = false}, call());
  REQUIRE(looked);
  CHECK(looked->exit_status != 0);
  REQUIRE((*host)->run(change, call()));
  CHECK(std::filesystem::exists(mark));
  std::filesystem::remove(mark);
}

TEST_CASE("a name server that does not answer costs no more than the call allows") {
  std::promise<void> answers;
  auto driver =
      make_ssh_driver({.key = folder() + "/client", .certificate = ""}, clock(),
                      [waits = answers.get_future().share()](const base::HostPort&) -> base::Resolver::Answer {
                        waits.wait();
                        return Error{Code::Unreachable, "no such name"};
                      });
  REQUIRE(driver);
  auto where = endpoint("good");
  where.address.replace(0, where.address.find(':'), "host.invalid");
  auto host = (*driver)->attach(where);
  REQUIRE(host);
  const auto answer = (*host)->run({.text = "echo\n", .as_root = false}, within(std::chrono::milliseconds(100)));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Unreachable);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = (*host)->run({.text = "echo\n", .as_root = false}, {clock().now() + kPlenty, stop.get_token()});
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Code::Cancelled);
  answers.set_value();
}

TEST_CASE("a script is no argument of any process on the host") {
  const Reach reach("good");
  // The shell's own arguments and those of all its parents that it may read.
  const auto answer = reach.run(
      "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$f\"; echo; done 2>/dev/null\n# sec"
      "ret-in-script\n");
  REQUIRE(answer);
  CHECK(answer->output.find("/bin/sh -s") != std::string::npos);
  CHECK(answer->output.find("secret-in-script") == std::string::npos);
}

TEST_CASE("root is reached by sudo") {
  const Reach reach("good");
  const auto answer = reach.run("echo \"$NIMBUS_SUDO\"\n", true);
  REQUIRE(answer);
  CHECK(answer->output == "1\n");
  const auto plain = reach.run("echo \"$NIMBUS_SUDO\"\n", false);
  REQUIRE(plain);
  CHECK(plain->output == "\n");
}

TEST_CASE("a sudo that refuses is told from a script that fails, with what to do") {
  const Reach reach("refuses_sudo");
  const auto refused = reach.run("echo \"sudo: a password is required\" >&2; exit 1\n", true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::Auth);
  CHECK(refused.error().message.find("NOPASSWD") != std::string::npos);
  // The same words, said by the script.
  const Reach allowed("good");
  const auto failed = allowed.run("echo \"sudo: a password is required\" >&2; exit 1\n", true);
  REQUIRE(failed);
  CHECK(failed->exit_status == 1);
}

TEST_CASE("an account without a shell is a refusal") {
  if (!ports().contains("no_shell")) return;  // only root can make such an account
  const auto answer = Reach("no_shell").run("echo\n");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Auth);
}

TEST_CASE("a shell that a signal ended has status -1") {
  const auto answer = Reach("good").run("kill -KILL $$\n");
  REQUIRE(answer);
  CHECK(answer->exit_status == -1);
}

TEST_CASE("large scripts and large outputs on both sides pass") {
  const Reach reach("good");
  std::string script = "head -c 900000 /dev/zero | tr '\\0' e >&2\nhead -c 900000 /dev/zero | tr '\\0' o\n";
  for (int i = 0; i < 40'000; ++i) script += ": a line that does nothing but be long, and there are many of them\n";
  script += "echo; echo the end\n";
  const auto answer = reach.run(script);
  REQUIRE(answer);
  CHECK(answer->exit_status == 0);
  CHECK(answer->output == std::string(900'000, 'o') + "\nthe end\n");
  CHECK(answer->errors == std::string(900'000, 'e'));
}

TEST_CASE("output beyond the bound is Corrupt, on either side") {
  const Reach reach("good");
  for (const char* script : {"yes\n", "yes >&2\n"}) {
    const auto answer = reach.host->run({.text = script, .as_root = false, .most_output = 100'000}, within(kPlenty));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Code::Corrupt);
  }
  // Each one cost its session; the next script has a new one.
  CHECK(reach.run("echo\n"));
  CHECK(reach.host->session() == 3);
}

TEST_CASE("a script that hangs, or drips for ever, ends at the deadline as one that may have run") {
  for (const std::string script :
       {"sleep 20\n", "while :; do echo x; sleep 0.05; done\n", "exec 1>&- 2>&-; sleep 20\n", "sleep 20 & exit 0\n"}) {
    const Reach reach("good");
    const MonoTime start = clock().now();
    const auto answer = reach.run(script, false, std::chrono::milliseconds(1500));
    const auto took = clock().now() - start;
    REQUIRE_FALSE(answer);
    CHECK_MESSAGE(answer.error().code == Code::Timeout, script << answer.error().text());
    CHECK(took < std::chrono::seconds(10));
    CHECK(reach.run("echo\n"));
    CHECK(reach.host->session() == 2);
  }
}

TEST_CASE("a stop request ends a script's wait") {
  const Reach reach("good");
  std::stop_source stop;
  std::jthread stopper([&](const std::stop_token& over) {
    await_file(folder() + "/home/began", over);
    stop.request_stop();
  });
  const auto answer = reach.host->run({.text = "touch " + folder() + "/home/began; sleep 20\n", .as_root = false},
                                      {clock().now() + kPlenty, stop.get_token()});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Cancelled);
}

TEST_CASE("a connection that drops while a script runs is Timeout, and the script is not repeated") {
  const Reach reach("good");
  REQUIRE(reach.run("echo\n"));
  const std::string log = folder() + "/home/runs";
  const auto answer = reach.run("echo ran >>" + log + "; kill -KILL $PPID; sleep 5\n");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Timeout);
  const auto after = reach.run("wc -l <" + log + "\n");
  REQUIRE(after);
  CHECK(after->output == "1\n");
  CHECK(reach.host->session() == 2);
}

TEST_CASE("a kept session whose server went away is replaced, as nothing had run in it") {
  const Reach reach("good");
  // Ends our own sshd process, a moment after the answer.
  const auto answer = reach.run("pid=$PPID; (sleep 0.3; kill -KILL $pid; touch " + folder() +
                                "/home/killed) </dev/null >/dev/null 2>&1 & echo first\n");
  REQUIRE(answer);
  await_file(folder() + "/home/killed");
  const auto second = reach.run("echo second\n");
  REQUIRE(second);
  CHECK(second->output == "second\n");
  CHECK(reach.host->session() == 2);
}

TEST_CASE("a way that goes dead in the middle ends at the deadline") {
  const Reach reach("frozen");
  REQUIRE(reach.run("echo\n"));
  const auto answer =
      reach.run("touch " + folder() + "/home/freeze; echo done\n", true, std::chrono::milliseconds(1500));
  std::filesystem::remove(folder() + "/home/freeze");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::Timeout);
}

TEST_CASE("a session that was closed is opened again when it is needed") {
  const Reach reach("good");
  REQUIRE(reach.run("echo\n"));
  reach.host->close(within(kPlenty));
  REQUIRE(reach.run("echo\n"));
  CHECK(reach.host->session() == 2);
}

TEST_CASE("sessions on different hosts do not disturb each other") {
  std::vector<std::jthread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i, &right] {
      const Reach reach("good");
      for (int n = 0; n < 20; ++n) {
        const std::string word = std::to_string(i) + "-" + std::to_string(n);
        const auto answer = reach.run("echo " + word + "\n");
        if (answer && answer->output == word + "\n") ++right;
      }
    });
  }
  threads.clear();
  CHECK(right == 160);
}

}  // namespace
}  // namespace nimbus::ssh::test
