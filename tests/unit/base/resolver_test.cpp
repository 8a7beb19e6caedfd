#include "base/net/resolver.hpp"

#include <atomic>
#include <future>

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::base;
using namespace std::chrono_literals;

namespace {

Call within(std::chrono::milliseconds time) { return {.deadline = std::chrono::steady_clock::now() + time}; }

std::vector<base::SocketAddress> loopback() { return {base::SocketAddress::numeric({"127.0.0.1", 623}).value()}; }

}  // namespace

TEST_CASE("names: a numeric address asks nobody") {
  std::atomic<int> asked = 0;
  Resolver resolver([&](const base::HostPort&) -> Resolver::Answer { return ++asked, loopback(); });
  CHECK(resolver.resolve({"192.0.2.1", 623}, within(1s)).value().front().text() == "192.0.2.1:623");
  CHECK(resolver.resolve({"::1", 623}, within(1s)).value().front().text() == "[::1]:623");
  CHECK(asked == 0);
  CHECK(resolver.resolve({"bmc", 623}, within(5s)).value() == loopback());
  CHECK(asked == 1);
}

TEST_CASE("names: a server that hangs ends a call at its deadline, and answers later ones") {
  std::promise<void> gate;
  const auto open = gate.get_future().share();
  std::atomic<int> asked = 0;
  Resolver resolver([&](const base::HostPort&) -> Resolver::Answer {
    ++asked;
    open.wait();
    return Error{Code::Unreachable, "no such name"};
  });
  const auto began = std::chrono::steady_clock::now();
  CHECK(resolver.resolve({"bmc", 623}, within(30ms)).error().code == Code::Timeout);
  std::stop_source stop;
  stop.request_stop();
  CHECK(resolver.resolve({"bmc", 623}, {.deadline = MonoTime::max(), .stop = stop.get_token()}).error().code ==
        Code::Cancelled);
  CHECK(std::chrono::steady_clock::now() - began < 2s);
  gate.set_value();
  CHECK(resolver.resolve({"bmc", 623}, within(5s)).error().code == Code::Unreachable);
  CHECK(asked <= 2);
}
