#include "controller/machine/cadence.hpp"

#include <algorithm>

namespace nimbus::controller {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortest{200};
constexpr milliseconds kFirstRetry{1000};
constexpr int kMostDoublings = 20;  // saturates far above any retry_most

milliseconds spread(milliseconds delay, double jitter) {
  // Between 90 % and 110 %.
  return milliseconds{static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * (0.9 + 0.2 * jitter))};
}

}  // namespace

milliseconds next_look(const MachineReport& report, int failures, const CadenceLimits& limits, WallTime now,
                       double jitter) {
  if (failures > 0) {
    const milliseconds grown = kFirstRetry * (1LL << std::min(failures - 1, kMostDoublings));
    return spread(std::clamp(grown, kFirstRetry, std::max(limits.retry_most, kFirstRetry)), jitter);
  }
  milliseconds delay = limits.observe;
  if (report.decision.look_again) delay = std::min(delay, *report.decision.look_again - now);
  // The next step of a cycle is due.
  if (report.sent && report.decision.kind == reconcilers::PowerDecision::Kind::Act) delay = kShortest;
  // Something could not be written although the machine answers: soon, not at once.
  if (report.error) delay = std::min(delay, kFirstRetry);
  return spread(std::max(delay, kShortest), jitter);
}

}  // namespace nimbus::controller
