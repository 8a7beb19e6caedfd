// Actions: notified, remembered across a crash; and guarded ones, which undo themselves.
#include <doctest/doctest.h>

#include <thread>

#include "reconcilers/configure/compare.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;
using reconcilers::configure::confirm_script;
using reconcilers::configure::Gap;
using reconcilers::configure::Outcome;

namespace {

/// A network of two files; `run` and `undo` copy what they read to /live.
Configuration network(const std::string& address, int seconds, const std::string& run = "cat /etc/net/* >/live") {
  return configuration({
      resource(Directory{"/etc/net"}),
      resource(file("/etc/net/a", address + "\n"), {"action:network"}),
      resource(file("/etc/net/b", "extra\n"), {"action:network"}),
      resource(Action{"network", run, "cat /etc/net/* >/live; echo undone >>/log", seconds}),
  });
}

void old_network(Root& root) {
  root.sh("mkdir -p /etc/net && echo old >/etc/net/a && echo old >/live && chmod 640 /etc/net/a");
}

template <class Condition>
void wait_for(const char* what, Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!condition()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, what);
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("host root: an action runs after what notifies it, once, and again until it succeeds") {
  Root root;
  const auto wanted = configuration({resource(file("/etc/x", "x\n"), {"action:told"}),
                                     resource(Action{"told", "echo told >>/told; [ -e /allowed ]", "", 60})});
  auto pass = root.converge(wanted);
  CHECK(pass.outcome("action:told")->kind == Outcome::Kind::Failed);
  REQUIRE(pass.gaps.size() == 1);
  CHECK(pass.gaps[0].notified);
  root.sh("touch /allowed");
  pass = root.converge(wanted);
  CHECK(pass.converged());
  CHECK(pass.outcomes.size() == 1);
  CHECK(root.converge(wanted).corrections == 0);
  CHECK(root.read("/told") == "told\ntold\n");
}

TEST_CASE("host root: a guarded action that is confirmed stays") {
  Root root;
  old_network(root);
  const auto wanted = network("new", 600);
  const auto pass = root.converge(wanted);
  CHECK_MESSAGE(pass.converged(), pass.text());
  CHECK(root.read("/live") == "new\nextra\n");
  REQUIRE(pass.facts.awaiting.contains("action:network"));
  // Another token confirms nothing.
  auto other = pass.facts;
  other.awaiting["action:network"] = "another";
  CHECK(root.run(confirm_script(other)).exit_code == 1);
  CHECK(root.probe(wanted).awaiting == pass.facts.awaiting);
  CHECK(root.run(confirm_script(pass.facts)).exit_code == 0);
  CHECK(root.run(confirm_script(pass.facts)).exit_code == 1);
  const auto facts = root.probe(wanted);
  CHECK(facts.awaiting.empty());
  CHECK(facts.pending.empty());
  CHECK(root.converge(wanted).corrections == 0);
  CHECK(root.leftovers() == "");
}

TEST_CASE("host root: a guarded action that nobody confirms undoes itself and is not tried again as it was") {
  Root root;
  old_network(root);
  const auto wanted = network("new", 1);
  const auto pass = root.converge(wanted);
  CHECK(root.exists("/etc/net/b"));
  wait_for("the watchdog", [&] { return root.exists("/var/lib/nimbus/undone/action:network"); });
  wait_for("the end of the undo", [&] { return !root.exists("/var/lib/nimbus/pending/action:network"); });
  CHECK(root.read("/live") == "old\n");
  CHECK(root.read("/etc/net/a") == "old\n");
  CHECK(root.sh("stat -c %a /etc/net/a") == "640\n");
  CHECK_FALSE(root.exists("/etc/net/b"));
  CHECK(root.read("/log") == "undone\n");
  CHECK(root.run(confirm_script(pass.facts)).exit_code == (pass.facts.awaiting.empty() ? 0 : 1));

  const auto held = root.converge(wanted);
  CHECK(held.corrections == 0);
  REQUIRE(held.gaps.size() == 3);
  for (const auto& gap : held.gaps) {
    CHECK(gap.kind == Gap::Kind::Held);
    CHECK_FALSE(gap.problem.empty());
  }
  // The old configuration is no gap, and another one is tried.
  const auto better = network("better", 600);
  const auto tried = root.converge(better);
  CHECK_MESSAGE(tried.converged(), tried.text());
  CHECK(root.run(confirm_script(tried.facts)).exit_code == 0);
  CHECK(root.converge(better).corrections == 0);
  CHECK(root.leftovers() == "");
}

TEST_CASE("host root: a guarded action that fails is undone at once") {
  Root root;
  old_network(root);
  const auto wanted = network("new", 600, "cat /etc/net/* >/live; echo broken; false");
  const auto pass = root.converge(wanted);
  CHECK(pass.outcome("action:network")->kind == Outcome::Kind::Failed);
  CHECK(pass.outcome("action:network")->said.find("broken; it failed, and was undone") != std::string::npos);
  CHECK(root.read("/live") == "old\n");
  CHECK(root.read("/etc/net/a") == "old\n");
  CHECK(root.converge(wanted).corrections == 0);
}

TEST_CASE("host root: an action that hangs while it cuts the host off is undone under its feet") {
  Root root;
  old_network(root);
  const auto wanted =
      network("new", 1,
              "cat /etc/net/* >/live; while [ ! -e /var/lib/nimbus/undone/action:network ]; do sleep 0.1; done; false");
  const auto pass = root.converge(wanted);
  CHECK(pass.outcome("action:network")->kind == Outcome::Kind::Failed);
  CHECK(root.read("/live") == "old\n");
  CHECK(root.read("/etc/net/a") == "old\n");
  CHECK(root.read("/log") == "undone\n");
}

TEST_CASE("host root: a try whose script was killed is undone, and no other one starts meanwhile") {
  Root root;
  old_network(root);
  const auto wanted = network("new", 3, "cat /etc/net/* >/live; kill -9 0");
  const auto first = root.converge(wanted);
  CHECK(first.outcome("action:network")->kind == Outcome::Kind::Unknown);
  const auto meanwhile = root.converge(wanted);
  if (!root.exists("/var/lib/nimbus/undone/action:network")) {
    REQUIRE(meanwhile.outcome("action:network") != nullptr);
    CHECK(meanwhile.outcome("action:network")->said.find("earlier try") != std::string::npos);
  }
  wait_for("the watchdog", [&] { return root.exists("/var/lib/nimbus/undone/action:network"); });
  wait_for("the end of the undo", [&] { return !root.exists("/var/lib/nimbus/pending/action:network"); });
  CHECK(root.read("/live") == "old\n");
  CHECK(root.read("/etc/net/a") == "old\n");
}

TEST_CASE("host root: what a try left behind when the clock was ahead does not hold up the next one") {
  Root root;
  old_network(root);
  // The host lost its power while it tried, and has learnt the time since then.
  root.sh(
      "mkdir -p /var/lib/nimbus/arming && echo \"lost 0 $(($(date +%s) + 100000000))\" "
      ">/var/lib/nimbus/arming/action:network");
  const auto pass = root.converge(network("new", 600));
  CHECK_MESSAGE(pass.converged(), pass.text());
  CHECK(root.read("/live") == "new\nextra\n");
  CHECK(root.run(confirm_script(pass.facts)).exit_code == 0);
  CHECK(root.leftovers() == "");
}

TEST_CASE("host root: what undid itself is held also where the try filled the disk") {
  Root root;
  old_network(root);
  root.sh("mkdir -p /var/lib/nimbus && mount -t tmpfs -o size=64k,mode=700 none /var/lib/nimbus");
  const auto wanted = network("new", 1, "cat /etc/net/* >/live; head -c 1M /dev/zero >/var/lib/nimbus/filler; true");
  root.converge(wanted);
  wait_for("the end of the undo", [&] { return root.read("/log") == "undone\n"; });
  wait_for("the end of the watchdog", [&] { return !root.exists("/var/lib/nimbus/undoing-action:network"); });
  CHECK(root.read("/live") == "old\n");
  const auto held = root.converge(wanted);
  CHECK(held.corrections == 0);
  for (const auto& gap : held.gaps) CHECK(gap.kind == Gap::Kind::Held);
}

TEST_CASE("host root: an action is not run because the host took too long to say whether it is to") {
  Root root;
  Action action{"network", "echo ran >>/log", "true", 60, "exit 124"};  // as timeout ends
  const auto unknown = root.converge(configuration({resource(action)}));
  CHECK(unknown.corrections == 0);
  REQUIRE(unknown.gaps.size() == 1);
  CHECK(unknown.gaps[0].kind == Gap::Kind::Unknown);
  action.unless = "grep -q ran /log";
  CHECK(root.converge(configuration({resource(action)})).converged());
  // Of a command the number means what any other does.
  CHECK(root.converge(configuration({resource(Command{"c", "touch /c", "", "[ -e /c ] || exit 124", "root"})}))
            .converged());
}
