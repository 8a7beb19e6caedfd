// Loading and validating a generated registry from a bare repository, against
// toml++ that only parses the same bytes.
//
//   bench_registry_load [MACHINES]           default 10000, in 100 groups per provider
//   bench_registry_load MACHINES FOLDER      only make the bare repository there
//   git cat-file --batch | bench_registry_load parse    only parse what comes in
//
// Prints user CPU time of interleaved pairs, their ratio, what a commit of ten files
// costs, and memory per machine. registry.py runs it in several sizes and adds other
// peers.
#define TOML_HEADER_ONLY 1
#include <malloc.h>
#include <sys/resource.h>

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/git/commit_builder.hpp"
#include "registry/git/commit_source.hpp"
#include "registry/git/repository.hpp"
#include "registry/load.hpp"
#include "tests/unit/support/git/git_fixture.hpp"

namespace {

using namespace nimbus;
using namespace nimbus::registry;

constexpr int kRounds = 7;

std::string path_of(int i) {
  return fmt::format("providers/site-{}/machines/r{:03}/m{:06}.toml", i / 10000, i % 100, i);
}

std::string machine_file(int i, int version) {
  return fmt::format(R"(class = "r650"
description = "rack r{0:03} unit {1}, revision {2}"
labels = {{ owner = "hpc", pool = "p{0}" }}
power = "on"
enforcement = "observe"

[location]
rack = "r{0:03}"
unit = {1}
feeds = ["A", "B"]

[bmc]
address = "https://bmc-{3}.site.example"
credentials = ["bmc/site", "bmc/factory"]
tls = {{ pin = ["spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="] }}

[identity]
serial = "CZ{3:08}"
uuid = "4c4c4544-0033-4110-8041-{3:012x}"
mac = "52:54:{4:02x}:{5:02x}:{6:02x}:01"

[hardware]
root_disk = {{ serial = "S4Y{3:08}", min_size_gib = 200 }}

[[hardware.disk]]
size_gib = 480
type = "nvme"
serial = "S4Y{3:08}"

[[hardware.nic]]
mac = "52:54:{4:02x}:{5:02x}:{6:02x}:01"
speed_gbps = 25
switch = "leaf-{0}"
port = "Ethernet{1}"

[[hardware.nic]]
mac = "52:54:{4:02x}:{5:02x}:{6:02x}:02"
speed_gbps = 25
switch = "leaf-{0}"
port = "Ethernet{1}"
)",
                     i % 100, i % 48, version, i, i >> 16, (i >> 8) & 255, i & 255);
}

FileChanges registry_of(int machines) {
  FileChanges files;
  files["registry.toml"] = "format = 1\nname = \"bench\"\n";
  for (int site = 0; site * 10000 < machines; ++site) {
    const auto folder = fmt::format("providers/site-{}/", site);
    files[folder + "provider.toml"] =
        "region = \"x\"\n[defaults.bmc]\ndriver = \"redfish\"\n[defaults.boot]\nnetwork = \"boot\"\n";
    files[folder + "networks/boot.toml"] = "cidr = \"10.0.0.0/8\"\nrole = \"provisioning\"\n";
    files[folder + "classes/r650.toml"] =
        "[hardware]\narch = \"x86_64\"\ncpu_cores = 32\nmemory_gib = 256\n[bios]\nProcVirtualization = \"Enabled\"\n"
        "LogicalProc = \"Enabled\"\nSysProfile = \"PerfOptimized\"\n";
  }
  for (int i = 0; i < machines; ++i) files[path_of(i)] = machine_file(i, 0);
  return files;
}

double user_ms(const std::function<void()>& work) {
  const auto now = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec) * 1e3 + static_cast<double>(usage.ru_utime.tv_usec) / 1e3;
  };
  const double begin = now();
  work();
  return now() - begin;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

ObjectId commit(GitRepository& repository, const FileChanges& changes) {
  const auto tip = repository.resolve("refs/heads/main");
  if (!tip) throw std::runtime_error(tip.error().text());
  const GitPerson person{"bench", "bench@test.example", WallTime{std::chrono::seconds{1'795'428'000}}};
  NewCommit next{.base = *tip, .changes = changes, .author = person, .committer = person, .message = "Bench\n"};
  if (*tip) next.parents = {**tip};
  const auto id = write_commit(repository, next);
  if (!id || !*id) throw std::runtime_error(id ? "no commit" : id.error().text());
  if (auto moved = repository.move_reference("refs/heads/main", **id, *tip); !moved) {
    throw std::runtime_error(moved.error().text());
  }
  return **id;
}

LoadResult loaded(const TreeSource& source, const Snapshot* previous = nullptr) {
  auto result = load(source, previous);
  if (!result) throw std::runtime_error(result.error().text());
  if (has_errors(result->problems)) throw std::runtime_error(result->problems.front().message);
  return std::move(*result);
}

/// What `git cat-file --batch` writes: "<id> blob <size>\n<bytes>\n", again and again.
int parse_batch() {
  std::string all;
  std::array<char, 1 << 16> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), stdin)) > 0;)
    all.append(buffer.data(), got);
  std::size_t files = 0, keys = 0;
  for (std::size_t at = 0; at < all.size(); ++files) {
    const auto line = all.find('\n', at);
    const auto blank = all.rfind(' ', line);
    if (line == std::string::npos || blank == std::string::npos || blank < at) return 1;
    const auto size = std::strtoul(all.c_str() + blank, nullptr, 10);
    keys += toml::parse(std::string_view(all).substr(line + 1, size)).size();
    at = line + 1 + size + 1;
  }
  fmt::print("{} files, {} keys\n", files, keys);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "parse") return parse_batch();
  if (argc == 3) {
    test::make_bare(argv[2]);
    auto repository = GitRepository::open(argv[2]);
    if (!repository) return 1;
    commit(*repository, registry_of(std::atoi(argv[1])));
    return 0;
  }
  const int machines = argc > 1 ? std::atoi(argv[1]) : 10000;
  const test::TempFolder temp;
  test::make_bare(temp / "registry");
  auto repository = GitRepository::open(temp / "registry");
  if (!repository) return 1;
  auto files = registry_of(machines);
  const auto first = commit(*repository, files);
  FileChanges ten;
  for (int i = 0; i < 10; ++i) ten[path_of(i * (machines / 10))] = machine_file(i * (machines / 10), 1);
  const auto second = commit(*repository, ten);

  const CommitSource all(*repository, first);
  const CommitSource changed(*repository, second);
  std::vector<double> ours, theirs, few, ratios, shares;
  std::size_t tables = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::shared_ptr<const Snapshot> snapshot;
    ours.push_back(user_ms([&] { snapshot = loaded(all).snapshot; }));
    theirs.push_back(user_ms([&] {
      for (const auto& [path, text] : files) {
        if (text) tables += toml::parse(std::string_view(*text)).size();
      }
    }));
    // Ten times, because one is below the clock's grain.
    few.push_back(user_ms([&] {
                    for (int i = 0; i < 10; ++i) loaded(changed, snapshot.get());
                  }) /
                  10);
    ratios.push_back(ours.back() / theirs.back());
    shares.push_back(few.back() / ours.back());
  }

  malloc_trim(0);
  const auto before = mallinfo2();
  auto snapshot = loaded(all).snapshot;
  const auto after = mallinfo2();
  const double held =
      static_cast<double>(after.uordblks + after.hblkhd) - static_cast<double>(before.uordblks + before.hblkhd);

  fmt::print("machines                     {}\n", machines);
  fmt::print("load and validate, from git  {:.1f} ms user CPU (median of {})\n", median(ours), kRounds);
  fmt::print("toml++ alone, from memory    {:.1f} ms\n", median(theirs));
  fmt::print("ratio                        {:.2f} (limit 3)\n", median(ratios));
  fmt::print("a commit of ten files        {:.2f} ms, {:.2f} % of a full load (limit 2 %)\n", median(few),
             median(shares) * 100);
  fmt::print("memory per machine           {:.0f} bytes (limit 4096)\n", held / machines);
  return tables > 0 && snapshot->machines.size() == static_cast<std::size_t>(machines) ? 0 : 1;
}
