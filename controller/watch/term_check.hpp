// Is the term still ours? Asked before every write to a device.
//
// A controller that was stopped (SIGSTOP, a suspended virtual machine, a long swap)
// wakes up believing that it is in charge. So the status branch is looked at right
// before a write; one exchange serves all writes that were decided before it began, and
// no write that was decided later. A forge that does not answer does not
// stop power actions; it is not asked again for a while.
//
// Thread rule: safe from any thread; callers wait for the one that asks.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "controller/machine/guard.hpp"
#include "controller/work/shared_exchange.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

class TermCheck {
 public:
  struct Tools {
    std::function<Authority()> authority;         // as known here
    std::function<Result<>(const Call&)> verify;  // asks the forge; updates what is known
  };
  struct Limits {
    std::chrono::milliseconds deadline{5'000};  // of one exchange
    std::chrono::milliseconds give_up{30'000};  // after a failure, before asking again
    std::chrono::milliseconds prompt{2'000};    // what takes longer is not believed at once
  };

  TermCheck(const Clock& clock, Tools tools, Limits limits)
      : clock_(clock), tools_(std::move(tools)), limits_(limits) {}

  /// Call it once the write is decided.
  Authority confirm() {
    const Authority known = tools_.authority();
    if (known.state != Authority::State::Held) return known;
    // What counts is what is known afterwards: a forge that is silent has said nothing. And
    // who waited, and was stopped before the answer reached him, waits once more.
    static_cast<void>(exchanges_.join([this] { return ask(); }));
    if (clock_.now() - ended_.load() > limits_.prompt) static_cast<void>(exchanges_.join([this] { return ask(); }));
    return tools_.authority();
  }

 private:
  /// This process may have been stopped between the forge's answer and its own end, or
  /// past the deadline: then the forge is asked once more. One that is always slow has
  /// its word.
  Result<> ask() {
    const bool again = clock_.now() >= not_before_ && was_stopped(ask_once());
    if (again) ask_once();
    ended_ = clock_.now();
    return {};
  }

  bool ask_once() {
    began_ = clock_.now();
    const bool answered = tools_.verify({began_ + limits_.deadline}).has_value();
    if (!answered) not_before_ = clock_.now() + limits_.give_up;
    return answered;
  }

  bool was_stopped(bool answered) const {
    return clock_.now() - began_ > limits_.prompt + (answered ? std::chrono::milliseconds{0} : limits_.deadline);
  }

  const Clock& clock_;
  const Tools tools_;
  const Limits limits_;
  SharedExchange exchanges_;
  MonoTime began_{};       // both of the exchange that runs
  MonoTime not_before_{};  // after a failure: when to ask again
  std::atomic<MonoTime> ended_{MonoTime{}};
};

}  // namespace nimbus::controller
