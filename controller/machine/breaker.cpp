#include "controller/machine/breaker.hpp"

#include <algorithm>

namespace nimbus::controller {
namespace {

constexpr int kFailuresOfDead = 2;
constexpr int kPatientEvery = 4;

}  // namespace

std::chrono::milliseconds BmcBreaker::patience(std::chrono::milliseconds most) const noexcept {
  const bool patient = state_ == State::Slow || (state_ == State::Dead && failures_ % kPatientEvery == 0);
  return patient ? most : std::min(most, kPromptAnswer);
}

void BmcBreaker::answered(std::chrono::nanoseconds took) noexcept {
  failures_ = 0;
  state_ = took <= kPromptAnswer ? State::Prompt : State::Slow;
}

BmcBreaker::Verdict BmcBreaker::silent(std::chrono::milliseconds most) noexcept {
  if (state_ == State::Prompt && most > kPromptAnswer) {
    state_ = State::Slow;
    return Verdict::PutOff;
  }
  failed();
  return Verdict::Failed;
}

void BmcBreaker::failed() noexcept {
  failures_ += 1;
  if (failures_ >= kFailuresOfDead) state_ = State::Dead;
}

}  // namespace nimbus::controller
