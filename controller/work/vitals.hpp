// Vitals: whether the controller gets on. A watchdog that is fed by a timer only proves
// that timers work; this one asks the threads that do the work.
//
// Each of the single threads promises when it will be back. Workers of a kind together must
// take a step now and then (a pass over a machine, a script on a host) while there is work
// for them: something waits, or has been under way for longer than a step may take.
// Thread rule: safe from any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace nimbus::controller {

class Vitals {
 public:
  enum class Part : std::size_t { Watch, Publish };

  /// A promise is kept this much later than said: a busy machine is slow, not stuck.
  static constexpr std::chrono::seconds kGrace{15};

  enum class Work : std::size_t { Machines, Hosts };
  /// What is due of a kind of work.
  struct Due {
    Work work = Work::Machines;
    std::chrono::milliseconds longest{};     // that something has waited, or has been under way
    std::chrono::milliseconds step_limit{};  // how long a step may take
  };

  explicit Vitals(MonoTime start) { last_step_.fill(start); }

  /// `part` calls again before `by`.
  void back_by(Part part, MonoTime by);
  /// It has ended, as it should.
  void over(Part part);
  void step_ended(Work work, MonoTime now);

  /// Who does not get on; empty: all do.
  std::string standstill(MonoTime now, const std::vector<Due>& due) const;

 private:
  mutable std::mutex mutex_;
  std::array<std::optional<MonoTime>, 2> promised_;
  std::array<MonoTime, 2> last_step_{};  // by Work
};

}  // namespace nimbus::controller
