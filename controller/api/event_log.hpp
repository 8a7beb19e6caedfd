// Events: what happened, in order, for whoever watches the API. The newest are kept
// in memory, so that a client that lost its connection goes on where it was; what is
// older is told by the state itself.
//
// Ids are "<start of this process>-<number>": after a restart a client is told to
// begin anew. Thread rule: safe from any thread; publishing never waits for clients.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/server.hpp"
#include "base/json/json.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::controller {

class EventLog {
 public:
  /// Kept in memory; a few hundred bytes each.
  static constexpr std::size_t kKept = 4096;
  /// A client that is further behind reads the state anew instead of old events.
  static constexpr std::size_t kReplayed = 500;

  explicit EventLog(const Clock& clock);

  /// `data` is an object; id, type, time and machine are added to it. `machine` empty:
  /// the event concerns none in particular.
  void publish(std::string_view type, const std::string& machine, base::Json data);

  struct Page {
    std::vector<base::Json> events;
    std::string next;    // what to ask for next time
    bool reset = false;  // what was asked for is no longer here
  };
  /// Events after `id`, oldest first; without an id from the oldest one on. `machine`
  /// empty: all. Nothing: `id` makes no sense.
  std::optional<Page> after(std::string_view id, const std::string& machine, std::size_t most) const;

  /// A client stays subscribed until it goes; `after` empty: only what comes.
  void subscribe(base::HttpStream stream, const std::string& after, std::string machine);
  std::size_t subscribers() const;

 private:
  struct Event {
    std::uint64_t number = 0;
    std::string machine;
    base::Json json;
  };
  struct Subscriber {
    base::HttpStream stream;
    std::string machine;
  };

  std::string id_of(std::uint64_t number) const;
  /// The number in an id of this process; nothing for any other text.
  std::optional<std::uint64_t> number_in(std::string_view id) const;
  std::optional<Page> after_locked(std::string_view id, const std::string& machine, std::size_t most) const;

  const Clock& clock_;
  const std::string epoch_;
  mutable std::mutex mutex_;  // of all below
  std::uint64_t last_ = 0;
  std::deque<Event> events_;
  std::vector<Subscriber> subscribers_;
};

}  // namespace nimbus::controller
