// Control: the simulator's own HTTP port, for tests and people: what is true, what
// happened, and what to break. On a UNIX socket or a loopback address only; it asks for
// no password. Its page is docs/reference/nimbus-sim-control.md.
#pragma once

#include <memory>
#include <string>

#include "base/json/json.hpp"
#include "simulator/http/server.hpp"
#include "simulator/simulation.hpp"

namespace nimbus::simulator {

class Control {
 public:
  explicit Control(Simulation& simulation);
  /// "unix:/run/nimbus-sim.sock" or "127.0.0.1:8099"; port 0 lets the kernel choose.
  /// Returns where it listens. Errors: Invalid (not a loopback address), those of sockets.
  Result<std::string> listen(const std::string& where);

 private:
  http::Response answer(const http::Request& request);
  http::Response fault_request(const http::Request& request);
  http::Response machine_request(Node& node, const http::Request& request, std::string_view rest);
  base::Json summary();

  Simulation* simulation_;
  http::Server server_;
};

}  // namespace nimbus::simulator
