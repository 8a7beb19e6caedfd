// What one power poll of an IPMI BMC costs its client. Run by ipmi_poll.py, which
// starts the BMCs and the programs that this is compared with.
//
//   bench_ipmi_poll USER PASSWORD SUITE ROUNDS IN_FLIGHT < "ADDRESS PORT" lines
//
// "link": completions on the loop's thread, IN_FLIGHT polls at a time. "bmc": the
// port as workers use it, IN_FLIGHT threads, each waiting for its own answer. "batch": the
// port as steady polling uses it, one thread. "dead": the first poll of all BMCs with every
// tenth of them dead, until the last live one has answered.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/net/socket.hpp"
#include "base/time/time.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/driver.hpp"
#include "drivers/ipmi/engine.hpp"

namespace {

using namespace nimbus;
using namespace nimbus::ipmi;
using namespace std::chrono_literals;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Run {
  std::string user, password;
  int suite = 3, rounds = 10;
  std::size_t in_flight = 64;
  std::vector<std::string> addresses;
};

/// One line that ipmi_poll.py reads: name, operations, failures, wall, CPU per operation.
void measure(const std::string& name, std::size_t operations, const std::function<std::size_t()>& work) {
  const auto began = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  const std::size_t failed = work();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  const double each = (cpu_seconds() - cpu) / static_cast<double>(operations);
  fmt::print("{}\t{}\t{}\t{:.3f}\t{:.2f}\n", name, operations, failed, wall.count(), each * 1e6);
}

/// Runs `start(item, done)` for every item, `rounds` times, on the loop's thread:
/// `in_flight` lanes, each with its own items, one at a time.
class Crowd {
 public:
  using Start = std::function<void(std::size_t, std::function<void(bool)>)>;
  Crowd(Engine& engine, std::size_t items, int rounds, Start start)
      : engine_(engine),
        items_(items),
        left_(items * static_cast<std::size_t>(rounds)),
        rounds_(rounds),
        start_(std::move(start)) {}

  std::size_t run(std::size_t in_flight) {
    engine_.post([this, in_flight] {
      for (std::size_t lane = 0; lane < in_flight && lane < items_; ++lane) next(lane, lane, in_flight, rounds_);
    });
    finished_.get_future().wait();
    return failed_;
  }

 private:
  void next(std::size_t item, std::size_t lane, std::size_t step, int rounds) {
    if (item >= items_) {
      item = lane;
      --rounds;
    }
    if (rounds == 0) return;
    start_(item, [=, this](bool ok) {
      failed_ += ok ? 0 : 1;
      if (--left_ == 0) return finished_.set_value();
      next(item + step, lane, step, rounds);
    });
  }

  Engine& engine_;
  std::size_t items_;
  std::size_t left_;
  int rounds_;
  Start start_;
  std::size_t failed_ = 0;
  std::promise<void> finished_;
};

void bench_links(const Run& run) {
  const auto engine = std::move(Engine::start().value());
  std::vector<std::shared_ptr<Link>> links;
  for (std::size_t i = 0; i < run.addresses.size(); ++i) links.push_back(engine->make_link());
  const auto open = [&](std::size_t i, std::function<void(bool)> done) {
    Login login{.suite = static_cast<CipherSuite>(run.suite), .username = run.user, .password = Secret(run.password)};
    const auto peer = base::SocketAddress::numeric(base::parse_host_port(run.addresses[i], 623).value()).value();
    links[i]->open(std::move(login), peer, std::chrono::steady_clock::now() + 20s,
                   [done](const Result<>& result) { done(result.has_value()); });
  };
  measure("link.open", links.size(), [&] { return Crowd(*engine, links.size(), 1, open).run(run.in_flight); });
  const std::size_t polls = links.size() * static_cast<std::size_t>(run.rounds);
  measure("link.poll", polls, [&] {
    return Crowd(*engine, links.size(), run.rounds,
                 [&](std::size_t i, std::function<void(bool)> done) {
                   links[i]->send(chassis_status_request(), Repeat::WhileUnanswered,
                                  std::chrono::steady_clock::now() + 20s,
                                  [done](const Result<Reply>& reply) { done(reply && reply->completion == kOk); });
                 })
        .run(run.in_flight);
  });
  measure("link.close", links.size(), [&] {
    return Crowd(*engine, links.size(), 1,
                 [&](std::size_t i, std::function<void(bool)> done) {
                   links[i]->close(std::chrono::steady_clock::now() + 1s, [done](const Result<>&) { done(true); });
                 })
        .run(run.in_flight);
  });
}

struct OneSecret final : Secrets {
  const Run& run;
  explicit OneSecret(const Run& r) : run(r) {}
  Result<Credential> credential(std::string_view name, std::string_view) const override {
    return Credential{std::string(name), run.user, Secret(run.password), {}};
  }
};

/// `in_flight` threads, each with its own items, one at a time, `rounds` times.
std::size_t in_threads(const Run& run, std::size_t items, int rounds, const std::function<bool(std::size_t)>& work) {
  std::atomic<std::size_t> failed = 0;
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < run.in_flight; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = t; i < items; i += run.in_flight) failed += work(i) ? 0 : 1;
      }
    });
  }
  threads.clear();
  return failed;
}

/// Opens and polls all of `addresses` at once; the time until the last live one answered.
double last_live_answer(const Run& run, const std::vector<std::string>& addresses, std::size_t dead_every) {
  const auto engine = std::move(Engine::start().value());
  std::vector<std::shared_ptr<Link>> links;
  for (std::size_t i = 0; i < addresses.size(); ++i) links.push_back(engine->make_link());
  std::size_t left = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) left += dead_every != 0 && i % dead_every == 0 ? 0 : 1;
  std::promise<bool> finished;
  const auto began = std::chrono::steady_clock::now();
  const auto answered = [&](std::size_t i, bool ok) {
    if (dead_every != 0 && i % dead_every == 0) return;
    if (!ok) fmt::print(stderr, "{} did not answer\n", addresses[i]);
    if (--left == 0) finished.set_value(true);
  };
  std::function<void(std::size_t)> poll = [&](std::size_t i) {
    if (i >= addresses.size()) return;
    Login login{.suite = static_cast<CipherSuite>(run.suite), .username = run.user, .password = Secret(run.password)};
    const auto peer = base::SocketAddress::numeric(base::parse_host_port(addresses[i], 623).value()).value();
    const bool dead = dead_every != 0 && i % dead_every == 0;
    links[i]->open(std::move(login), peer, std::chrono::steady_clock::now() + 20s, [&, i](const Result<>& opened) {
      if (!opened) return answered(i, false);
      links[i]->send(chassis_status_request(), Repeat::WhileUnanswered, std::chrono::steady_clock::now() + 20s,
                     [&, i](const Result<Reply>& reply) {
                       answered(i, reply.has_value());
                       poll(i + run.in_flight);
                     });
    });
    // A dead one gives its place away at once, as the slow lane does.
    if (dead) poll(i + run.in_flight);
  };
  engine->post([&] {
    for (std::size_t lane = 0; lane < run.in_flight; ++lane) poll(lane);
  });
  finished.get_future().wait();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::promise<void> stopped;  // nothing may arrive after this function's variables are gone
  engine->post([&] {
    for (const auto& link : links) link->forget();
    stopped.set_value();
  });
  stopped.get_future().wait();
  return took.count();
}

/// Every tenth address answers nothing: a socket is there and nobody reads it.
void bench_dead(const Run& run) {
  const auto silent = base::bind_udp(base::SocketAddress::numeric({"127.0.0.1", 0}).value());
  if (!silent) return;
  const auto nowhere = base::local_address(*silent).value().text();
  std::vector<std::string> mixed;
  for (const auto& address : run.addresses) {
    if (mixed.size() % 10 == 0) mixed.push_back(nowhere);
    mixed.push_back(address);
  }
  double without = 1e9;
  double with = 1e9;
  for (int pair = 0; pair < 3; ++pair) {
    without = std::min(without, last_live_answer(run, run.addresses, 0));
    with = std::min(with, last_live_answer(run, mixed, 10));
  }
  fmt::print("dead.none\t{}\t0\t{:.3f}\t{:.2f}\n", run.addresses.size(), without, without * 1e6);
  fmt::print("dead.tenth\t{}\t0\t{:.3f}\t{:.2f}\n", mixed.size(), with, with * 1e6);
}

void bench_bmcs(const Run& run) {
  const base::SystemClock clock;
  const OneSecret secrets(run);
  const auto driver = std::move(make_ipmi_driver(clock).value());
  std::vector<std::unique_ptr<Bmc>> bmcs;
  for (const auto& address : run.addresses) {
    const BmcEndpoint endpoint{.driver = "ipmi", .address = address, .credentials = {"x"}, .cipher_suite = run.suite};
    bmcs.push_back(std::move(driver->attach(endpoint, secrets).value()));
  }
  const auto poll = [&](std::size_t i) { return bmcs[i]->power()->power({.deadline = clock.now() + 20s}).has_value(); };
  measure("bmc.open+poll", bmcs.size(), [&] { return in_threads(run, bmcs.size(), 1, poll); });
  const std::size_t polls = bmcs.size() * static_cast<std::size_t>(run.rounds);
  measure("bmc.poll", polls, [&] { return in_threads(run, bmcs.size(), run.rounds, poll); });
  std::vector<Bmc*> all;
  for (const auto& bmc : bmcs) all.push_back(bmc.get());
  measure("bmc.batch", polls, [&] {
    std::size_t failed = 0;
    for (int round = 0; round < run.rounds; ++round) {
      for (const auto& power : driver->powers(all, {.deadline = clock.now() + 20s})) failed += power ? 0U : 1U;
    }
    return failed;
  });
  in_threads(run, bmcs.size(), 1, [&](std::size_t i) { return bmcs[i]->close({.deadline = clock.now() + 1s}), true; });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: bench_ipmi_poll USER PASSWORD SUITE ROUNDS IN_FLIGHT < hosts\n");
    return 64;
  }
  Run run{.user = argv[1], .password = argv[2], .suite = std::stoi(argv[3]), .rounds = std::stoi(argv[4])};
  run.in_flight = static_cast<std::size_t>(std::stoi(argv[5]));
  std::string address;
  std::string port;
  while (std::cin >> address >> port) run.addresses.push_back(address + ":" + port);
  bench_links(run);
  bench_bmcs(run);
  bench_dead(run);
  return 0;
}
