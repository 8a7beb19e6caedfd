#include "controller/guard/window.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace nimbus::controller {
namespace {

using std::chrono::minutes;

constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr minutes kDay{24 * 60};

/// "22:30" as minutes of the day. The registry has checked the form.
std::optional<minutes> clock_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  int hour = 0;
  int minute = 0;
  const auto number = [](std::string_view part, int& into) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), into);
    return error == std::errc{} && end == part.data() + part.size();
  };
  if (!number(text.substr(0, 2), hour) || !number(text.substr(3), minute)) return std::nullopt;
  return minutes{hour * 60 + minute};
}

bool has_day(const Window& window, unsigned weekday) {
  return window.days.empty() || std::ranges::find(window.days, kDays[weekday]) != window.days.end();
}

std::string text_of(const Window& window) {
  std::string out;
  for (const auto& day : window.days) out += (out.empty() ? "" : ",") + day;
  return (out.empty() ? "" : out + " ") + window.from + "-" + window.to + " " + window.timezone;
}

std::string text_of(const std::vector<Window>& windows) {
  std::string out;
  for (const auto& window : windows) out += (out.empty() ? "" : "; ") + text_of(window);
  return out;
}

}  // namespace

bool is_open(const Window& window, WallTime now, const ZoneOffset& zones) {
  const auto offset = zones(window.timezone, now);
  const auto from = clock_time(window.from);
  const auto to = clock_time(window.to);
  if (!offset || !from || !to) return false;
  const auto local = std::chrono::floor<minutes>(now.time_since_epoch() + *offset);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const minutes time = local - day;
  const unsigned today = std::chrono::weekday{std::chrono::sys_days{day}}.c_encoding();
  const unsigned yesterday = (today + 6) % 7;
  if (*from < *to) return has_day(window, today) && time >= *from && time < *to;
  // Over midnight: the day is that of its begin.
  return (has_day(window, today) && time >= *from && time < kDay) || (has_day(window, yesterday) && time < *to);
}

bool any_open(const std::vector<Window>& windows, WallTime now, const ZoneOffset& zones) {
  return windows.empty() || std::ranges::any_of(windows, [&](const auto& each) { return is_open(each, now, zones); });
}

std::string closed(const Policy& policy, const std::vector<Window>& instance, WallTime now, const ZoneOffset& zones) {
  for (const auto& limits : policy.limits) {
    if (!any_open(limits.windows, now, zones))
      return "waits for a window of policy/limits.toml: " + text_of(limits.windows);
  }
  if (!any_open(instance, now, zones)) return "waits for a window of the instance: " + text_of(instance);
  return {};
}

}  // namespace nimbus::controller
