#include "controller/journal/journal.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <thread>

#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using nimbus::test::TempFolder;

namespace {

const MachineId kMachine{"berlin-1", "m017"};
const MachineId kOther{"berlin-1", "m018"};
constexpr WallTime kNow{std::chrono::milliseconds{1'795'428'000'123}};

std::unique_ptr<Journal> opened(const std::string& path) {
  auto journal = Journal::open(path);
  REQUIRE_MESSAGE(journal.has_value(), journal.error().text());
  return std::move(*journal);
}

Run intent(PowerAction action) {
  return {.action = action, .reason = "WantedOn", .commit = "4b825dc", .digest = "9c1e", .started = kNow};
}

std::int64_t begun(Journal& journal, const MachineId& machine, PowerAction action) {
  const auto id = journal.begin(machine, intent(action));
  REQUIRE_MESSAGE(id.has_value(), id.error().text());
  return *id;
}

}  // namespace

TEST_CASE("intents and outcomes, also across opening again") {
  const TempFolder temp;
  std::int64_t first = 0;
  std::int64_t second = 0;
  {
    auto journal = opened(temp / "journal.db");
    first = begun(*journal, kMachine, PowerAction::On);
    second = begun(*journal, kMachine, PowerAction::HardOff);
    begun(*journal, kOther, PowerAction::SoftOff);
    REQUIRE(journal->finish(first, RunOutcome::Done, "seen on", kNow + std::chrono::seconds{4}));
  }
  auto journal = opened(temp / "journal.db");
  const auto runs = journal->last_runs(kMachine, 10);
  REQUIRE(runs);
  REQUIRE(runs->size() == 2);
  CHECK((*runs)[0].id == second);
  CHECK((*runs)[0].action == PowerAction::HardOff);
  CHECK((*runs)[0].outcome == RunOutcome::Pending);
  CHECK(!(*runs)[0].finished);
  CHECK((*runs)[1].id == first);
  CHECK((*runs)[1].reason == "WantedOn");
  CHECK((*runs)[1].commit == "4b825dc");
  CHECK((*runs)[1].digest == "9c1e");
  CHECK((*runs)[1].started == kNow);
  CHECK((*runs)[1].finished == kNow + std::chrono::seconds{4});
  CHECK((*runs)[1].outcome == RunOutcome::Done);
  CHECK((*runs)[1].detail == "seen on");
  CHECK(journal->last_runs(kMachine, 1)->size() == 1);
  CHECK(journal->last_runs({"other", "m017"}, 10)->empty());

  const auto pending = journal->pending();
  REQUIRE(pending);
  REQUIRE(pending->size() == 2);
  CHECK((*pending)[0].machine == kMachine);
  CHECK((*pending)[0].run.id == second);
  CHECK((*pending)[1].machine == kOther);
}

TEST_CASE("a run is finished once") {
  const TempFolder temp;
  auto journal = opened(temp / "journal.db");
  const auto id = begun(*journal, kMachine, PowerAction::On);
  const auto code = [](const Result<>& result) { return result ? Code::Internal : result.error().code; };
  CHECK(code(journal->finish(id + 1, RunOutcome::Done, "", kNow)) == Code::NotFound);
  CHECK(code(journal->finish(id, RunOutcome::Pending, "", kNow)) == Code::Invalid);
  REQUIRE(journal->finish(id, RunOutcome::Failed, "refused\x1b[31m", kNow));
  CHECK(code(journal->finish(id, RunOutcome::Done, "", kNow)) == Code::Conflict);
  CHECK((*journal->last_runs(kMachine, 1))[0].detail == "refused\\x1b[31m");
  CHECK((*journal->last_runs(kMachine, 1))[0].outcome == RunOutcome::Failed);
}

TEST_CASE("old runs go, open ones and other machines' stay") {
  const TempFolder temp;
  auto journal = opened(temp / "journal.db");
  const auto open = begun(*journal, kMachine, PowerAction::On);
  const auto other = begun(*journal, kOther, PowerAction::On);
  REQUIRE(journal->finish(other, RunOutcome::Done, "", kNow));
  for (std::size_t i = 0; i < Journal::kRunsKept + 20; ++i) {
    REQUIRE(journal->finish(begun(*journal, kMachine, PowerAction::Reset), RunOutcome::Done, "", kNow));
  }
  const auto runs = journal->last_runs(kMachine, 1000);
  REQUIRE(runs);
  CHECK(runs->size() == Journal::kRunsKept + 1);
  CHECK(runs->back().id == open);
  CHECK(journal->last_runs(kOther, 10)->size() == 1);
  CHECK(journal->pending()->size() == 1);
}

TEST_CASE("facts") {
  const TempFolder temp;
  {
    auto journal = opened(temp / "journal.db");
    CHECK(*journal->recall("term") == std::nullopt);
    REQUIRE(journal->remember("term", "6"));
    REQUIRE(journal->remember("term", "7"));
  }
  CHECK(*opened(temp / "journal.db")->recall("term") == "7");
}

TEST_CASE("a journal of a newer program is left alone") {
  const TempFolder temp;
  opened(temp / "journal.db");
  {
    auto database = base::sqlite::Database::open(temp / "journal.db");
    REQUIRE(database);
    REQUIRE(database->run("PRAGMA user_version = 1000"));
  }
  const auto journal = Journal::open(temp / "journal.db");
  REQUIRE(!journal);
  CHECK(journal.error().code == Code::Unsupported);
}

TEST_CASE("a journal of version 1 is taken over with what it knows") {
  const TempFolder temp;
  REQUIRE(opened(temp / "journal.db")->remember("term", "7"));
  {
    auto database = base::sqlite::Database::open(temp / "journal.db");
    REQUIRE(database);
    for (const char* statement : {"DROP INDEX destructive_by_time", "DROP INDEX run_by_action",
                                  "DROP TABLE destructive", "PRAGMA user_version = 1"}) {
      REQUIRE(database->run(statement));
    }
  }
  const auto journal = opened(temp / "journal.db");
  CHECK(*journal->recall("term") == "7");
  CHECK(journal->note_destructive({"p", "m"}, "install", WallTime{}));
}

TEST_CASE("what a restart of the program must remember: starts by action, destructive starts, facts by prefix") {
  const TempFolder temp;
  const auto journal = opened(temp / "journal.db");
  const WallTime start{std::chrono::seconds(1000)};
  for (int i = 0; i < 3; ++i) {
    Run run;
    run.started = start + std::chrono::seconds(i);
    REQUIRE(journal->begin({"p", "m" + std::to_string(i)}, run));
    REQUIRE(journal->note_destructive({"p", "m"}, "erase", start + std::chrono::seconds(i)));
  }
  using Times = std::vector<WallTime>;
  const Times last_two = {start + std::chrono::seconds(1), start + std::chrono::seconds(2)};
  CHECK(journal->started_since("p", PowerAction::On, last_two[0]).value() == last_two);
  CHECK(journal->started_since("p", PowerAction::HardOff, start).value().empty());
  CHECK(journal->started_since("q", PowerAction::On, start).value().empty());
  CHECK(journal->destructive_since("p", last_two[0]).value() == last_two);
  CHECK(journal->destructive_since("q", start).value().empty());
  REQUIRE(journal->remember("restart/p/m_1", "a"));
  REQUIRE(journal->remember("restart/p/mx1", "b"));
  REQUIRE(journal->remember("term", "7"));
  CHECK(journal->recall_all("restart/p/").value().size() == 2);
  CHECK(journal->recall_all("restart/p/m_").value().size() == 1);
}

TEST_CASE("many threads") {
  const TempFolder temp;
  auto journal = opened(temp / "journal.db");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const MachineId machine{"p", "m" + std::to_string(t)};
        for (int i = 0; i < 20; ++i) {
          const auto id = journal->begin(machine, intent(PowerAction::On));
          if (id) (void)journal->finish(*id, RunOutcome::Done, "", kNow);
        }
      });
    }
  }
  for (int t = 0; t < 4; ++t) CHECK(journal->last_runs({"p", "m" + std::to_string(t)}, 100)->size() == 20);
  CHECK(journal->pending()->empty());
}

// The child tells each step after the journal returned from it; whatever was told
// before it was killed must be found again.
TEST_CASE("killed at random moments, nothing that was promised is lost") {
  const TempFolder temp;
  std::mt19937 random(11);
  std::set<std::int64_t> promised;
  std::set<std::int64_t> finished;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      auto journal = Journal::open(temp / "journal.db");
      if (!journal) ::_exit(3);
      for (;;) {
        const auto id = (*journal)->begin(kMachine, intent(PowerAction::On));
        if (!id || ::write(ends[1], &*id, sizeof *id) != sizeof *id) ::_exit(4);
        const std::int64_t done = -*id;
        if (!(*journal)->finish(*id, RunOutcome::Done, "", kNow)) ::_exit(5);
        if (::write(ends[1], &done, sizeof done) != sizeof done) ::_exit(6);
      }
    }
    ::close(ends[1]);
    std::int64_t told = 0;
    const int after = static_cast<int>(random() % 25);
    bool killed = false;
    for (int i = 0; ::read(ends[0], &told, sizeof told) == sizeof told; ++i) {
      if (told > 0) promised.insert(told);
      if (told < 0) finished.insert(-told);
      if (i >= after && !std::exchange(killed, true)) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    auto journal = opened(temp / "journal.db");
    const auto runs = journal->last_runs(kMachine, 1000);
    REQUIRE(runs);
    std::set<std::int64_t> kept;
    for (const auto& run : *runs) {
      kept.insert(run.id);
      if (finished.contains(run.id)) CHECK(run.outcome == RunOutcome::Done);
    }
    // Of the newest only: older ones were dropped on purpose.
    std::size_t looked_at = 0;
    for (auto id = promised.rbegin(); id != promised.rend() && looked_at < 20; ++id, ++looked_at) {
      CHECK_MESSAGE(kept.contains(*id), *id);
    }
    const auto pending = journal->pending();
    REQUIRE(pending);
    for (const auto& open : *pending) CHECK(!finished.contains(open.run.id));
  }
  CHECK(promised.size() > 50);
}
