// Vitals: whether the controller gets on. A watchdog that is fed by a timer only proves
// that timers work; this one asks the threads that do the work.
//
// Each of the single threads promises when it will be back; the workers together must
// end a pass now and then while machines wait for one. Thread rule: safe from any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

#include "core/time.hpp"

namespace nimbus::controller {

class Vitals {
 public:
  enum class Part : std::size_t { Watch, Publish };

  /// A promise is kept this much later than said: a busy machine is slow, not stuck.
  static constexpr std::chrono::seconds kGrace{15};

  explicit Vitals(MonoTime start) : last_pass_(start) {}

  /// `part` calls again before `by`.
  void back_by(Part part, MonoTime by);
  /// It has ended, as it should.
  void over(Part part);
  void pass_ended(MonoTime now);

  /// Who does not get on; empty: all do. `waited`: how long the machine that has been due
  /// for longest has waited. `pass_limit`: how long a pass may take.
  std::string standstill(MonoTime now, std::chrono::milliseconds waited, std::chrono::milliseconds pass_limit) const;

 private:
  mutable std::mutex mutex_;
  std::array<std::optional<MonoTime>, 2> promised_;
  MonoTime last_pass_;
};

}  // namespace nimbus::controller
