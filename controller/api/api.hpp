// The API of nimbusd: docs/reference/openapi.json describes it, and a test holds the
// two together.
//
// Reading is served everywhere that nimbusd listens; whatever changes something only on
// the control socket, to people whom the kernel names and the configuration admits. No
// call waits for a machine: a change is an entry in the queue or a file on this disk.
// Thread rule: handlers run on several threads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "controller/api/console.hpp"
#include "controller/api/event_log.hpp"
#include "controller/api/live_board.hpp"
#include "controller/api/peers.hpp"
#include "controller/api/router.hpp"
#include "controller/holds/holds.hpp"

namespace nimbus::controller {

/// What the controller says of itself, beside its machines.
struct ControllerView {
  std::string provider;
  std::string id;
  std::string authority;  // "starting", "held", "deposed"
  std::uint64_t term = 0;
  std::string detail;  // lines for people: what does not work now
  bool ready = false;
  WallTime started{};
  std::size_t queued = 0;
  std::size_t running = 0;
  std::size_t status_waiting = 0;
};

/// Somebody changed something through the API.
struct ApiChange {
  std::string what;     // "hold", "resume", "reconcile", "fetch", "confirm", "console"
  std::string machine;  // empty: all, or none
  std::string by;       // "alice (uid 1000)"
  std::string reason;
};

/// All references must outlive the server.
struct ApiContext {
  const Clock& clock;
  const LiveBoard& board;
  EventLog& events;
  const LocalHolds& holds;
  const PeerPolicy& peers;
  std::function<ControllerView()> controller;
  std::function<Result<std::vector<Run>>(const std::string& machine)> journal;
  std::function<bool(const std::string& machine)> look_at;
  std::function<void()> look_at_all;
  std::function<void()> fetch_now;
  /// A person agrees to a rewritten history. Errors: Conflict (it is not the one held).
  std::function<Result<>(const std::string& commit)> confirm;
  std::function<void(const ApiChange&)> changed;
  /// Hosts that are configured: all, or one by "tenant/instance"; null: no such host.
  std::function<std::vector<base::Json>()> hosts = [] { return std::vector<base::Json>(); };
  std::function<base::Json(const std::string& instance)> host = [](const std::string&) { return base::Json(); };
  std::function<bool(const std::string& instance)> look_at_host = [](const std::string&) { return false; };
  ConsoleAccess consoles = {};
};

std::vector<ApiRoute> reading_routes(const ApiContext& context);
std::vector<ApiRoute> changing_routes(const ApiContext& context);

/// The description of the API, OpenAPI 3.1.
std::string_view openapi_text() noexcept;

}  // namespace nimbus::controller
