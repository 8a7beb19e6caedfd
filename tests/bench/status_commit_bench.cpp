// A status commit of n out of 10,000 documents, against `git fast-import` given the
// same change, one after the other. Both write a pack each time (fast-import would write
// few objects loose, which it does not sync), and both sync it and the reference.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "registry/git/commit_builder.hpp"
#include "registry/git/repository.hpp"
#include "registry/status/machine_status.hpp"
#include "tests/unit/support/git/git_fixture.hpp"

namespace {

using namespace nimbus;
using namespace nimbus::registry;
using Clock = std::chrono::steady_clock;

constexpr int kDocuments = 10'000;
constexpr int kRounds = 15;

std::string path_of(int i) { return fmt::format("providers/berlin-1/machines/r{:02}/m{:05}.toml", i % 100, i); }

std::string document(int i, int version) {
  MachineStatus status;
  status.phase = MachinePhase::Available;
  status.desired_digest = status.applied_digest = fmt::format("{:064x}", i * 7919 + version);
  status.power = version % 2 == 0 ? PowerState::On : PowerState::Off;
  status.identity.serial = fmt::format("SN{:08}", i);
  const WallTime now{std::chrono::seconds{1'795'428'000 + version}};
  for (const char* name : {"ready", "reachable", "identity"}) {
    set_condition(status.conditions, name, ConditionValue::True, "Reconciled", "", now);
  }
  status.runs = {{"power-on", fmt::format("{:040x}", version), now, now, RunRecordOutcome::Done, ""}};
  return to_text(status);
}

double milliseconds(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Of this process, or of its children that have ended.
double cpu_milliseconds(decltype(RUSAGE_SELF) whose) {
  rusage use{};
  ::getrusage(whose, &use);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return of(use.ru_utime) + of(use.ru_stime);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().text());
}

void commit_ours(GitRepository& repository, const FileChanges& changes) {
  const auto tip = repository.resolve("refs/heads/ours");
  if (!tip) throw std::runtime_error(tip.error().text());
  const GitPerson person{"nimbusd", "nimbusd@test.example", WallTime{std::chrono::seconds{1'795'428'000}}};
  NewCommit commit{.base = *tip, .changes = changes, .author = person, .committer = person, .message = "Status\n"};
  if (*tip) commit.parents = {**tip};
  const auto id = write_commit(repository, commit);
  if (!id || !*id) throw std::runtime_error("no commit");
  must(repository.move_reference("refs/heads/ours", **id, *tip));
}

}  // namespace

int main() {
  const test::TempFolder temp;
  for (const char* name : {"ours", "theirs"}) test::make_bare(temp / name);
  auto repository = GitRepository::open(temp / "ours");
  if (!repository) return 1;
  int version = 0;
  const auto change = [&](int n) {
    FileChanges changes;
    for (int i = 0; i < n; ++i) changes[path_of(i * (kDocuments / n))] = document(i, version);
    return changes;
  };
  const auto theirs = [&](const FileChanges& changes, bool first = false) {
    std::string stream = "commit refs/heads/status\ncommitter T <t@test.example> 1795428000 +0000\ndata 6\nStatus\n";
    if (!first) stream += "from refs/heads/status^0\n";
    for (const auto& [path, content] : changes) {
      stream += fmt::format("M 100644 inline {}\ndata {}\n{}\n", path, content->size(), *content);
    }
    test::git(temp / "theirs",
              {"-c", "fastimport.unpackLimit=1", "-c", "core.fsync=committed,reference", "fast-import", "--quiet"},
              stream);
  };
  commit_ours(*repository, change(kDocuments));
  theirs(change(kDocuments), true);

  fmt::print("status commit with {} documents present, median of {}\n", kDocuments, kRounds);
  for (const int n : {1, 100, kDocuments}) {
    std::vector<double> ours_ms;
    std::vector<double> theirs_ms;
    double ours_cpu = 0;
    double theirs_cpu = 0;
    for (int round = 0; round < kRounds; ++round) {
      ++version;
      const auto changes = change(n);
      const double before = cpu_milliseconds(RUSAGE_SELF);
      ours_ms.push_back(milliseconds([&] { commit_ours(*repository, changes); }));
      ours_cpu += cpu_milliseconds(RUSAGE_SELF) - before;
      const double children = cpu_milliseconds(RUSAGE_CHILDREN);
      theirs_ms.push_back(milliseconds([&] { theirs(changes); }));
      theirs_cpu += cpu_milliseconds(RUSAGE_CHILDREN) - children;
    }
    const double a = median(ours_ms);
    const double b = median(theirs_ms);
    fmt::print("{:6} files: nimbus {:8.1f} ms, fast-import {:8.1f} ms, ratio {:.2f}; CPU {:.1f} and {:.1f} ms\n", n, a,
               b, a / b, ours_cpu / kRounds, theirs_cpu / kRounds);
  }
  for (int i = 0; i < 2; ++i) {
    const auto list_ms = milliseconds([&] {
      const auto tip = repository->resolve("refs/heads/ours");
      if (!repository->list(**tip)) throw std::runtime_error("no list");
    });
    const auto theirs_ms = milliseconds([&] { test::git(temp / "theirs", {"ls-tree", "-r", "status"}); });
    fmt::print("list {} files: nimbus {:.1f} ms, git ls-tree {:.1f} ms, ratio {:.2f}\n", kDocuments, list_ms, theirs_ms,
               list_ms / theirs_ms);
  }
  return 0;
}
