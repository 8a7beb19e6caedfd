// What a check of converged hosts costs: probe, answer, comparison, on sessions that are kept. Run by
// host_check.py, which starts the SSH servers and the programs that this is compared with.
//
//   bench_host_check RESOURCES KEY USER CONTROL THREADS ROUNDS < "ADDRESS<tab>HOST_KEY<tab>PID" lines
//
// RESOURCES: a file of lines with tabs, see read_resource(). With CONTROL not empty each round also sends the
// same probe by a process of `ssh` for each host, over kept connections: CONTROL is the folder of their
// sockets, PID the process that keeps one. The two take turns in going first. Prints lines of
// name, wall and client CPU in seconds: medians of the rounds; a host that is not converged ends it.
#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/time/time.hpp"
#include "core/host/resource.hpp"
#include "drivers/ssh/driver.hpp"
#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/probe.hpp"

extern char** environ;

namespace {

using namespace nimbus;
namespace configure = reconcilers::configure;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "bench_host_check: {}\n", why);
  std::_Exit(1);
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  return fields;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) give_up("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// file PATH OWNER GROUP MODE SOURCE | directory PATH OWNER GROUP MODE | link PATH TARGET | package NAME |
/// group NAME | user NAME HOME SHELL
host::Wanted read_resource(const std::string& line) {
  auto at = split(line);
  at.resize(6);
  if (at[0] == "directory") return host::Directory{at[1], host::Presence::Present, at[2], at[3], at[4]};
  if (at[0] == "link") return host::Link{at[1], host::Presence::Present, at[2]};
  if (at[0] == "package") return host::Package{at[1]};
  if (at[0] == "group") return host::Group{at[1]};
  if (at[0] == "user") {
    host::User user;
    user.name = at[1];
    user.home = at[2];
    user.shell = at[3];
    return user;
  }
  if (at[0] != "file") give_up("no such resource: " + line);
  host::File file;
  file.path = at[1];
  file.owner = at[2];
  file.group = at[3];
  file.mode = at[4];
  file.content = contents(at[5]);
  file.sha256 = base::sha256_hex(file.content);
  return file;
}

host::Configuration read_resources(const std::string& path) {
  host::Configuration out;
  std::istringstream lines(contents(path));
  for (std::string line; std::getline(lines, line);) {
    host::Resource resource;
    resource.wanted = read_resource(line);
    resource.id = host::id_of(resource.wanted);
    resource.origin = "profiles/bench.toml";
    out.resources.push_back(std::move(resource));
  }
  std::sort(out.resources.begin(), out.resources.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

double cpu_seconds(int whose) {
  rusage usage{};
  ::getrusage(whose, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Peer {
  std::string address, host_key, pid;
  std::unique_ptr<Host> host;
};

struct Bench {
  host::Configuration wanted;
  std::string user, control, probe_file;
  unsigned threads = 10;
  int rounds = 10;
  std::vector<Peer> peers;
};

/// One of `threads` lanes after the other takes the next host.
void for_all(Bench& bench, const std::function<void(Peer&)>& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> lanes;
  for (unsigned lane = 0; lane < bench.threads; ++lane) {
    lanes.emplace_back([&] {
      for (std::size_t at = next++; at < bench.peers.size(); at = next++) work(bench.peers[at]);
    });
  }
  for (auto& lane : lanes) lane.join();
}

void check(const Bench& bench, Peer& peer, const std::string& token) {
  const auto needs = configure::needs_of(bench.wanted);
  const auto script = configure::probe_script(needs, token);
  const auto answer =
      peer.host->run({.text = script, .as_root = bench.user == "root", .most_output = needs.most_output},
                     {.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60)});
  if (!answer) give_up(answer.error().text());
  const auto facts = configure::read_probe(answer->output, needs, token);
  if (!facts) give_up(facts.error().text());
  const auto gaps = configure::compare(bench.wanted, *facts);
  if (gaps.empty()) return;
  const auto& gap = gaps.front();
  give_up(peer.address + " is not converged: " + gap.resource + " " + gap.problem +
          (gap.drifts.empty() ? "" : gap.drifts.front().key));
}

std::string everything_from(int fd) {
  std::string out;
  char piece[65536];
  for (ssize_t count = 0; (count = ::read(fd, piece, sizeof piece)) > 0;) {
    out.append(piece, static_cast<std::size_t>(count));
  }
  ::close(fd);
  return out;
}

/// The probe by `ssh`, its answer read and no more than that.
void by_program(const Bench& bench, const Peer& peer) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, bench.probe_file.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  const std::string where = peer.address.substr(0, peer.address.find(':'));
  std::vector<std::string> words = {"ssh",      "-F",  "none",           "-S", bench.control + "/" + where, "-l",
                                    bench.user, where, "exec /bin/sh -s"};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::pid_t child = 0;
  if (::posix_spawnp(&child, "ssh", &actions, nullptr, arguments.data(), environ) != 0) give_up("cannot start ssh");
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  const auto said = everything_from(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0 || said.find("\tend\n") == std::string::npos) give_up("ssh got no answer of " + where);
}

/// What the kernel counted for the processes that keep the connections of `ssh`.
double cpu_of_keepers(const Bench& bench) {
  double total = 0;
  for (const auto& peer : bench.peers) total += std::stod(contents("/proc/" + peer.pid + "/schedstat")) / 1e9;
  return total;
}

struct Series {
  std::vector<double> wall, cpu;

  template <class Cpu>
  void measure(const Cpu& cpu_now, const std::function<void()>& work) {
    const double before = cpu_now();
    const auto began = std::chrono::steady_clock::now();
    work();
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    cpu.push_back(cpu_now() - before);
  }
  void print(const char* name) {
    for (auto* figures : {&wall, &cpu}) std::sort(figures->begin(), figures->end());
    fmt::print("{}\t{:.6f}\t{:.6f}\n", name, wall[wall.size() / 2], cpu[cpu.size() / 2]);
  }
};

void run(Bench& bench) {
  int token = 0;
  const auto ours = [&] {
    const std::string fresh = "bench" + std::to_string(++token);
    for_all(bench, [&](Peer& peer) { check(bench, peer, fresh); });
  };
  const auto theirs = [&] { for_all(bench, [&](Peer& peer) { by_program(bench, peer); }); };
  const auto own_cpu = [] { return cpu_seconds(RUSAGE_SELF); };
  const auto ssh_cpu = [&] { return cpu_seconds(RUSAGE_CHILDREN) + cpu_of_keepers(bench); };
  Series first, kept, program;
  first.measure(own_cpu, ours);
  if (!bench.control.empty()) theirs();
  for (int round = 0; round < bench.rounds; ++round) {
    const bool ssh_first = round % 2 == 1;
    if (!ssh_first) kept.measure(own_cpu, ours);
    if (!bench.control.empty()) program.measure(ssh_cpu, theirs);
    if (ssh_first) kept.measure(own_cpu, ours);
  }
  first.print("first");
  kept.print("kept");
  if (!bench.control.empty()) program.print("ssh");
}

}  // namespace

int main(int count, char** words) {
  if (count != 7) give_up("usage: bench_host_check RESOURCES KEY USER CONTROL THREADS ROUNDS");
  Bench bench;
  bench.wanted = read_resources(words[1]);
  bench.user = words[3];
  bench.control = words[4];
  bench.threads = static_cast<unsigned>(std::atoi(words[5]));
  bench.rounds = std::atoi(words[6]);
  bench.probe_file = std::string(words[1]) + ".probe";
  std::ofstream(bench.probe_file) << configure::probe_script(bench.wanted, "bench0");
  const base::SystemClock clock;
  const auto driver = ssh::make_ssh_driver({.key = words[2], .certificate = {}}, clock);
  if (!driver) give_up(driver.error().text());
  for (std::string line; std::getline(std::cin, line);) {
    auto fields = split(line);
    fields.resize(3);
    auto host = (*driver)->attach({.address = fields[0], .host_key = fields[1], .user = bench.user});
    if (!host) give_up(host.error().text());
    bench.peers.push_back({fields[0], fields[1], fields[2], std::move(*host)});
  }
  run(bench);
  bench.peers.clear();
  return 0;
}
