// Service: the Redfish side of one machine's BMC: requests in, answers out. Opens no
// socket; all it knows is the machine, its own sessions and tasks, and what it is asked.
//
// Sources: DSP0266 1.20 (protocol), DSP8010 2023.3 (schemas). Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "simulator/http/message.hpp"
#include "simulator/model/machine.hpp"
#include "simulator/redfish/events.hpp"
#include "simulator/redfish/messages.hpp"
#include "simulator/redfish/sessions.hpp"

namespace nimbus::simulator::redfish {

using base::Json;
using http::Request;
using http::Response;

/// A long operation (DSP2046, Task). Kept until it is read after its end, or purged.
struct Task {
  std::string id;
  std::string name;
  MonoTime ends{};
  WallTime started{};
  bool failed = false;
  std::string created = {};  // path of the resource that it makes
};

struct Call;
struct Route;

class Service {
 public:
  explicit Service(Machine& machine);

  /// The machine must have been advanced to now.
  Response answer(const Request& request);

  Machine& machine() noexcept { return *machine_; }
  /// What goes wrong with the next request, as a fault script says.
  struct Interference {
    bool lie = false;           // writes are acknowledged and not done
    bool stale = false;         // reads show what they showed first
    bool no_sessions = false;   // no new session is let in
    std::optional<int> status;  // an error answer, nothing is done
  };
  /// Events since the last call; to be called whenever something may have happened.
  std::vector<Delivery> take_deliveries() {
    events.collect(*machine_, system, chassis);
    return events.take_deliveries();
  }
  void interfere(const Interference& interference) {
    interference_ = interference;
    if (!interference.stale) stale_.clear();
  }
  Sessions sessions;
  Events events;
  std::vector<Task> tasks;
  bool session_service_enabled = true;
  std::string system;  // "/redfish/v1/Systems/1"
  std::string manager;
  std::string chassis;
  std::optional<MonoTime> power_changed;  // the last accepted power action
  std::optional<MonoTime> went_off;       // the last ForceOff
  std::optional<MonoTime> ejected;
  std::uint64_t next_task = 1;

  Task& start_task(std::string name, std::chrono::milliseconds takes);

 private:
  struct Who {
    Privilege privilege = Privilege::None;
    std::string session_id;
  };
  std::optional<Who> authenticate(const Request& request);
  Response dispatch(const Request& request, const Who& who);
  std::optional<Response> refuse_early(const Request& request);
  void finish(Response& response, const Request& request);

  std::optional<Response> interfered(const Request& request, const Route& route, const Call& call);

  Machine* machine_;
  unsigned restarts_;
  Interference interference_;
  std::map<std::string, Response> stale_;  // by path
};

}  // namespace nimbus::simulator::redfish
