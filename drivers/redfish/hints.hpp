// Hints from a BMC's event stream (DSP0266, 14.5: Server-sent events), where its
// EventService names one.
//
// The stream uses the login of the session that polls: no second one is made. What the
// events say is not read, but those that only carry telemetry are no hints. A stream
// that could not be had, or that was lost, is asked for again after a minute, then
// twice as long each time up to an hour; polling does not depend on it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/event_streams.hpp"
#include "base/json/json.hpp"
#include "core/call.hpp"
#include "core/result.hpp"
#include "drivers/redfish/shared_session.hpp"

namespace nimbus::redfish {

/// What an EventService says of its stream.
struct EventService {
  std::string stream;              // link; empty: none
  bool enabled = true;             // false only if it says so
  bool filters_by_format = false;  // "$filter=EventFormatType eq Event" is understood
};
EventService read_event_service(const base::Json& json);

/// Whether an event's data, or its beginning, is a reason to look.
bool is_hint(std::string_view data) noexcept;

/// One for each BMC, whatever number of machines are behind it.
/// Thread rule: safe from any thread; a listener runs on the streams' own.
class SharedHints {
 public:
  /// `session` and `streams` outlive it. `streams`: null: none are opened.
  SharedHints(SharedSession& session, base::EventStreams* streams, base::ClientOptions peer)
      : session_(session), streams_(streams), peer_(std::move(peer)) {}

  /// As BmcHints. `who` tells listeners apart.
  Result<> offered(const Call& call);
  Result<> listen(const void* who, std::function<void()> hint, const Call& call);
  /// Afterwards the listener is not called any more; without any the stream is closed.
  void forget(const void* who) noexcept;

 private:
  Result<std::string> find_stream(const Call& call);
  Result<> open(const Call& call);
  void note_end(MonoTime now);
  void tell_all();

  SharedSession& session_;
  base::EventStreams* const streams_;
  const base::ClientOptions peer_;

  std::mutex listeners_mutex_;  // never held while a stream is opened or closed
  std::map<const void*, std::function<void()>> listeners_;

  std::mutex mutex_;  // of what follows
  std::unique_ptr<base::EventStream> stream_;
  std::optional<Error> trouble_;  // why there is no stream
  MonoTime opened_{};
  MonoTime not_before_{};
  int failures_ = 0;  // in a row
};

/// What the machines behind one BMC share.
struct Service {
  explicit Service(Session login, std::chrono::milliseconds spacing = {}, base::EventStreams* streams = nullptr,
                   base::ClientOptions peer = {})
      : session(std::move(login), spacing), hints(session, streams, std::move(peer)) {}
  SharedSession session;
  SharedHints hints;
};

}  // namespace nimbus::redfish
