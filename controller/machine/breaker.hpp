// BmcBreaker: how long a worker may wait for a BMC's first answer, and whether in the
// slow lane, by how the BMC answered before. One per BMC, whatever driver it has.
//
// In the ordinary lanes a BMC has kPromptAnswer. Who needs more is put off, without a
// verdict, to the slow lane, which has a bounded share of the workers and all the
// patience there is. Who is silent there counts as dead and has that much patience
// only at every fourth attempt. So a rack that loses its power is waited for
// kPromptAnswer per BMC, once, outside the slow lane, and by then the work queue has
// long given the worker's place to another.
//
// Pure. Thread rule: as the machine's memory, one pass at a time.
#pragma once

#include <chrono>
#include <cstdint>

namespace nimbus::controller {

class BmcBreaker {
 public:
  static constexpr std::chrono::milliseconds kPromptAnswer{2000};

  enum class State : std::uint8_t { Prompt, Slow, Dead };
  enum class Verdict : std::uint8_t { PutOff, Failed };

  State state() const noexcept { return state_; }
  /// Whether the next attempt belongs into the slow lane.
  bool is_slow() const noexcept { return state_ != State::Prompt; }
  /// Attempts in a row that ended with a verdict other than an answer.
  int failures() const noexcept { return failures_; }

  /// For the first answer of the next attempt; `most` is what a pass has.
  std::chrono::milliseconds patience(std::chrono::milliseconds most) const noexcept;

  void answered(std::chrono::nanoseconds took) noexcept;
  /// Nothing came within patience(most). PutOff: says nothing yet of the BMC.
  Verdict silent(std::chrono::milliseconds most) noexcept;
  /// It failed in another way: refused, unreachable, nonsense.
  void failed() noexcept;

 private:
  State state_ = State::Prompt;
  int failures_ = 0;
};

}  // namespace nimbus::controller
