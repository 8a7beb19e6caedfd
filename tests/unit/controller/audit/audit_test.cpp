#include "controller/audit/audit.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "support/fake_clock.hpp"
#include "support/memory_run_log.hpp"

using namespace nimbus;
using namespace nimbus::controller;

namespace {

struct Fixture {
  std::filesystem::path folder = [] {
    char name[] = "/tmp/nimbus-audit-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    return std::filesystem::path(name);
  }();
  nimbus::testing::FakeClock clock;
  nimbus::testing::MemoryRunLog journal;
  std::unique_ptr<base::ChainLog> chain = std::move(*base::ChainLog::open({.folder = folder.string()}));
  AuditedRunLog log{journal, *chain, clock, [](const std::string& commit) { return "author of " + commit; }};
  ~Fixture() { std::filesystem::remove_all(folder); }

  std::vector<base::Json> lines() const { return *base::read_chain(folder.string(), 1000); }
  Run run() const {
    Run r;
    r.action = PowerAction::On;
    r.reason = "wanted on";
    r.commit = "c1";
    r.digest = "d1";
    r.started = clock.wall();
    return r;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "audit: intent before, result after, with commit, author and reason") {
  const auto id = log.begin({"lab", "m1"}, run());
  REQUIRE(id.has_value());
  REQUIRE(lines().size() == 1);  // on disk before anything may be sent
  CHECK(lines()[0]["type"].as_string() == "intent");
  CHECK(lines()[0]["machine"].as_string() == "lab/m1");
  CHECK(lines()[0]["commit"].as_string() == "c1");
  CHECK(lines()[0]["author"].as_string() == "author of c1");
  CHECK(lines()[0]["reason"].as_string() == "wanted on");
  REQUIRE(log.finish(*id, RunOutcome::Done, "seen on", clock.wall()).has_value());
  REQUIRE(lines().size() == 2);
  CHECK(lines()[1]["type"].as_string() == "result");
  CHECK(lines()[1]["machine"].as_string() == "lab/m1");
  CHECK(lines()[1]["action"].as_string() == "power-on");
  CHECK(lines()[1]["outcome"].as_string() == "done");
  CHECK(base::verify_chain(folder.string())->faults.empty());
}

TEST_CASE_FIXTURE(Fixture, "audit: what a crash left open gets a result that names its machine") {
  Run open = run();
  open.id = *journal.begin({"lab", "m2"}, open);
  log.remember({"lab", "m2"}, open);
  REQUIRE(log.finish(open.id, RunOutcome::Unknown, "the controller crashed", clock.wall()).has_value());
  CHECK(lines()[0]["machine"].as_string() == "lab/m2");
}

TEST_CASE_FIXTURE(Fixture, "audit: without its line no write happens") {
  Run impossible = run();
  impossible.digest = std::string(100'000, 'x');  // as a full disk: the chain does not take it
  CHECK_FALSE(log.begin({"lab", "m1"}, impossible).has_value());
  CHECK(journal.runs().at(0).outcome == RunOutcome::Failed);
  CHECK(lines().empty());
  journal.broken = true;
  CHECK_FALSE(log.begin({"lab", "m1"}, run()).has_value());
  CHECK(lines().empty());
}

TEST_CASE_FIXTURE(Fixture, "audit: long foreign text is cut") {
  Run talkative = run();
  talkative.reason = std::string(100'000, 'x');
  CHECK(log.begin({"lab", "m1"}, talkative).has_value());
}
