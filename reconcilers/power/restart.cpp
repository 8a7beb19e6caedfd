#include "reconcilers/power/restart.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/core.h>

namespace nimbus::reconcilers {
namespace {

using Phase = RestartProgress::Phase;

constexpr std::array<std::string_view, 3> kPhases = {"idle", "going-off", "going-on"};

RestartDecision finished(RestartProgress progress) {
  progress.done = progress.request;
  progress.phase = Phase::Idle;
  return {.progress = std::move(progress), .power = std::nullopt, .begins = false};
}

RestartDecision continued(RestartProgress progress, PowerState state) {
  if (progress.phase == Phase::GoingOff && state != PowerState::Off) {
    return {.progress = std::move(progress), .power = WantedPower::Off, .begins = false};
  }
  if (progress.phase == Phase::GoingOn && state == PowerState::On) return finished(std::move(progress));
  progress.phase = Phase::GoingOn;
  return {.progress = std::move(progress), .power = WantedPower::On, .begins = false};
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The value of "name=value" at the front of `rest`, which is cut off.
std::optional<std::string_view> take(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(name)) return std::nullopt;
  rest.remove_prefix(name.size());
  const auto end = rest.find(' ');
  const auto value = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return value;
}

}  // namespace

RestartDecision decide_restart(const RestartWish& wish, const RestartProgress& progress, PowerState state) {
  if (wish.instance.empty()) return {.progress = progress, .power = std::nullopt, .begins = false};
  RestartProgress next = progress;
  if (next.instance != wish.instance || !next.done) {
    // Counting begins here.
    next = {.instance = wish.instance, .done = wish.counter, .request = wish.counter, .phase = Phase::Idle};
    return {.progress = std::move(next), .power = std::nullopt, .begins = false};
  }
  // Who wants it off wants no cycle any more; what was asked for is answered by that.
  if (wish.power == WantedPower::Off) {
    if (next.phase == Phase::Idle && wish.counter <= *next.done) return {progress, std::nullopt, false};
    next.request = std::max(wish.counter, next.request);
    return finished(std::move(next));
  }
  if (next.phase != Phase::Idle) return continued(std::move(next), state);
  if (wish.counter <= *next.done) return {.progress = progress, .power = std::nullopt, .begins = false};
  next.request = wish.counter;
  if (state == PowerState::Off) {
    next.phase = Phase::GoingOn;  // off already, and seen so
    return {.progress = std::move(next), .power = WantedPower::On, .begins = true};
  }
  next.phase = Phase::GoingOff;
  return {.progress = std::move(next), .power = WantedPower::Off, .begins = true};
}

std::string to_text(const RestartProgress& progress) {
  return fmt::format("instance={} done={} request={} phase={}", progress.instance,
                     progress.done ? std::to_string(*progress.done) : "", progress.request,
                     kPhases[static_cast<std::size_t>(progress.phase)]);
}

std::optional<RestartProgress> parse_restart_progress(const std::string& text) {
  std::string_view rest = text;
  const auto instance = take(rest, "instance=");
  const auto done = take(rest, "done=");
  const auto request = take(rest, "request=");
  const auto phase = take(rest, "phase=");
  if (!instance || !done || !request || !phase || !rest.empty()) return std::nullopt;
  RestartProgress progress;
  progress.instance = *instance;
  if (!done->empty()) {
    progress.done = number(*done);
    if (!progress.done) return std::nullopt;
  }
  const auto count = number(*request);
  if (!count) return std::nullopt;
  progress.request = *count;
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    if (kPhases[i] != *phase) continue;
    progress.phase = static_cast<Phase>(i);
    return progress;
  }
  return std::nullopt;
}

}  // namespace nimbus::reconcilers
