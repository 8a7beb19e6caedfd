#include "controller/api/event_log.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/core.h>

#include "base/time/time.hpp"

namespace nimbus::controller {
namespace {

using base::Json;

/// One event in the form of server-sent events (HTML standard, 9.2).
std::string sse(std::string_view id, std::string_view type, const Json& data) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", id, type, data.text());
}

std::string sse(const Json& event) {
  return sse(event["id"].as_string().value_or(""), event["type"].as_string().value_or("message"), event);
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

EventLog::EventLog(const Clock& clock)
    : clock_(clock),
      epoch_(std::to_string(
          std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall().time_since_epoch()).count())) {}

std::string EventLog::id_of(std::uint64_t number) const { return fmt::format("{}-{}", epoch_, number); }

std::optional<std::uint64_t> EventLog::number_in(std::string_view id) const {
  if (!id.starts_with(epoch_ + "-")) return std::nullopt;
  const std::string_view digits = id.substr(epoch_.size() + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

void EventLog::publish(std::string_view type, const std::string& machine, Json data) {
  const std::string time = base::to_rfc3339(clock_.wall());
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = ++last_;
  Json event = Json::object({{"id", id_of(number)}, {"type", type}, {"time", time}});
  event.set("machine", machine.empty() ? Json() : Json(machine));
  for (const auto& member : data.members()) event.set(member.key, member.value);
  const std::string text = sse(event);
  events_.push_back({number, machine, std::move(event)});
  if (events_.size() > kKept) events_.pop_front();
  std::erase_if(subscribers_, [&](const Subscriber& subscriber) {
    // An empty text asks whether the client is still there.
    return !subscriber.stream.send(subscriber.machine.empty() || subscriber.machine == machine ? text : std::string());
  });
}

std::optional<EventLog::Page> EventLog::after_locked(std::string_view id, const std::string& machine,
                                                     std::size_t most) const {
  Page page{.events = {}, .next = id_of(last_), .reset = false};
  std::uint64_t from = 0;
  if (!id.empty()) {
    const auto dash = id.find('-');
    if (dash == std::string_view::npos || !is_digits(id.substr(0, dash)) || !is_digits(id.substr(dash + 1))) {
      return std::nullopt;
    }
    const auto number = number_in(id);
    if (number && *number > last_) return std::nullopt;
    const bool kept = number && (events_.empty() || *number + 1 >= events_.front().number);
    if (!kept) {
      page.reset = true;
      return page;
    }
    from = *number;
  }
  for (const auto& event : events_) {
    if (event.number <= from) continue;
    if (page.events.size() == most) break;
    page.next = id_of(event.number);
    if (machine.empty() || event.machine == machine) page.events.push_back(event.json);
  }
  return page;
}

std::optional<EventLog::Page> EventLog::after(std::string_view id, const std::string& machine, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  return after_locked(id, machine, most);
}

void EventLog::subscribe(base::HttpStream stream, const std::string& after, std::string machine) {
  const std::lock_guard lock(mutex_);
  if (!after.empty()) {
    auto page = after_locked(after, machine, kReplayed + 1);
    if (!page || page->reset || page->events.size() > kReplayed) {
      stream.send(sse(id_of(last_), "reset", Json::object({{"id", id_of(last_)}, {"type", "reset"}})));
    } else {
      for (const auto& event : page->events) stream.send(sse(event));
    }
  }
  subscribers_.push_back({std::move(stream), std::move(machine)});
}

std::size_t EventLog::subscribers() const {
  const std::lock_guard lock(mutex_);
  return subscribers_.size();
}

}  // namespace nimbus::controller
