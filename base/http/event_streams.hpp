// EventStreams: event streams (text/event-stream) of many HTTPS peers, on one thread.
//
// For peers that may be slow, broken or hostile. What holds, whatever they send:
//   - A peer is known as ClientOptions says, or nothing is sent to it.
//   - So many streams and no more; a few at a time may be on their way to their first
//     answer, within a fixed time.
//   - Of each event the beginning is kept (EventParser). Who sends more than
//     kMostBytes within kWindow is cut off.
// A stream that ended stays ended: whether to open another is the caller's matter.
//
// Thread rule: safe from any thread. The handler of a stream runs on the thread of all
// of them: it must be quick. It may not destroy its own stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/client.hpp"
#include "core/result.hpp"

namespace nimbus::base {

/// One stream, from the wish for it on. Destroying it closes it; afterwards its handler
/// does not run any more.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// The peer has accepted: events may come.
  virtual bool stands() const = 0;
  /// Why it is over; nothing: it is not. Codes: as HttpFailure, Unsupported (another
  /// status than 200, or no event stream), Auth (401, 403), RateLimited (too much came).
  virtual std::optional<Error> ended() const = 0;
};

struct EventStreamRequest {
  ClientOptions peer;
  std::string target;  // path and query
  HttpHeaders headers = {};
};

class EventStreams {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
  static constexpr std::chrono::seconds kWindow{10};

  /// Outlives its streams.
  virtual ~EventStreams() = default;
  /// Returns at once. Errors: Busy (no place is free), Invalid (origin, target).
  virtual Result<std::unique_ptr<EventStream>> open(EventStreamRequest request,
                                                    std::function<void(std::string_view data)> on_event) = 0;
  /// Those that stand now.
  virtual std::size_t standing() const = 0;
};

/// `most`: streams at a time, one descriptor each. `start_time`: for name, connection,
/// TLS and the head of the answer together. The thread begins with the first stream.
Result<std::unique_ptr<EventStreams>> make_event_streams(
    std::size_t most, std::chrono::milliseconds start_time = std::chrono::seconds(15));

}  // namespace nimbus::base
