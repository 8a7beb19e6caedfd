// Events of one BMC: who wants them and what they look like (DSP0266, section 14;
// DSP2046, EventService, EventDestination and Event). Delivers nothing itself: whoever
// owns the sockets takes what is to be sent.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.hpp"
#include "simulator/model/machine.hpp"

namespace nimbus::simulator::redfish {

/// Where events go: an address that they are posted to, or an open event stream.
struct Subscription {
  std::string id;
  std::string destination;              // "http://127.0.0.1:8000/events"; empty for a stream
  std::optional<std::uint64_t> stream;  // number of the stream's connection
  std::string context;
  std::vector<std::pair<std::string, std::string>> headers;  // sent with every event
  std::vector<std::string> registry_prefixes;                // empty: all
  std::vector<std::string> resource_types;                   // empty: all
};

struct Delivery {
  std::string subscription;
  std::string destination;
  std::optional<std::uint64_t> stream;
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint64_t event_id = 0;
  std::string body;  // an Event as JSON
};

class Events {
 public:
  static constexpr std::size_t kMost = 20;         // what bmcweb allows, streams among them
  static constexpr std::size_t kMostStreams = 10;  // likewise
  static constexpr int kRetries = 3;
  static constexpr std::chrono::seconds kRetryInterval{2};

  /// Null when there are enough already.
  const Subscription* add(Subscription subscription);
  Subscription* find(std::string_view id);
  bool remove(std::string_view id);
  void remove_stream(std::uint64_t number);
  const std::vector<Subscription>& all() const noexcept { return all_; }
  std::size_t streams() const noexcept;

  /// What the machine's log had to say since the last call, for everybody who wants it.
  void collect(Machine& machine, const std::string& system, const std::string& chassis);
  /// One record for everybody, whatever they subscribed to.
  void send(const base::Json& record);
  std::vector<Delivery> take_deliveries() { return std::exchange(outbox_, {}); }
  /// Streams whose subscription was deleted.
  std::vector<std::uint64_t> take_ended() { return std::exchange(ended_, {}); }
  std::uint64_t next_stream() noexcept { return next_stream_++; }

 private:
  void deliver(const Subscription& subscription, const base::Json& record);

  std::vector<Subscription> all_;
  std::vector<Delivery> outbox_;
  std::vector<std::uint64_t> ended_;
  unsigned next_id_ = 1;
  std::uint64_t next_stream_ = 1;
  std::uint64_t next_event_ = 1;
};

/// A record of an event, as it stands in the array of an Event.
base::Json event_record(std::string_view message_id, std::string_view message,
                        std::initializer_list<std::string_view> arguments, std::string_view severity,
                        std::string_view origin, WallTime at);

}  // namespace nimbus::simulator::redfish
