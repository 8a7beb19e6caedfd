// Simulation: the machines of a fleet with their sockets, on one event loop.
//
// Thread rule: one thread, the one inside run().
#pragma once

#include <signal.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/net/event_loop.hpp"
#include "base/net/socket.hpp"
#include "simulator/event_sender.hpp"
#include "simulator/faults/engine.hpp"
#include "simulator/fleet/fleet_file.hpp"
#include "simulator/http/server.hpp"
#include "simulator/ipmi/responder.hpp"
#include "simulator/qemu/qemu_host.hpp"
#include "simulator/redfish/service.hpp"

namespace nimbus::simulator {

/// One machine and what serves it.
struct Node {
  std::unique_ptr<Machine> machine;
  std::unique_ptr<QemuHost> host;  // null: the machine only pretends
  std::unique_ptr<ipmi::Responder> ipmi;
  base::FileDescriptor ipmi_socket;
  std::unique_ptr<redfish::Service> redfish;
  std::size_t index = 0;  // in the simulation, and the tag of its Redfish listener
  unsigned restarts_seen = 0;
  std::string redfish_address;
  std::string ipmi_address;
  base::EventLoop::TimerId due_timer = base::EventLoop::TimerId::None;
  std::optional<MonoTime> due_at;
  base::EventLoop::TimerId sol_timer = base::EventLoop::TimerId::None;
};

class Simulation {
 public:
  /// Binds every socket. Errors: Invalid (the fleet), Conflict and Internal (sockets).
  static Result<std::unique_ptr<Simulation>> start(const FleetFile& fleet, const Clock& clock);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  void run(const std::stop_token& stop) { loop_->run(stop); }
  base::EventLoop& loop() noexcept { return *loop_; }
  /// Blocks these signals; one that arrives asks `stop`. Errors: Internal.
  Result<> watch_signals(const sigset_t& signals, std::stop_source stop);

  FaultEngine& faults() noexcept { return faults_; }
  /// Puts a rule in force; an event is carried out when its time comes. Returns its id.
  std::uint64_t add_fault(FaultRule rule);
  /// What every machine's Redfish is known by; null if none is served.
  const base::TlsServerContext* tls() const noexcept { return tls_.get(); }
  http::Server& redfish_server() noexcept { return *redfish_server_; }
  const std::vector<std::unique_ptr<Node>>& nodes() const noexcept { return nodes_; }
  Node* find(std::string_view name) noexcept;
  /// Lets time pass for a machine, before it is looked at or acted on.
  void advance(Node& node);
  /// Wakes the machine when its next event is due; call after acting on it.
  void reschedule(Node& node);

 private:
  Simulation(std::unique_ptr<base::EventLoop> loop, const Clock& clock, std::uint64_t seed);
  Result<> add(const MachineSpec& spec, std::uint64_t seed);
  Result<> serve_ipmi(Node& node);
  Result<> serve_redfish(Node& node);
  Result<> serve_redfish_shared();
  http::Response answer_redfish(const http::Request& request, const http::Visit& visit);
  void receive_ipmi(Node& node);
  void take_datagram(Node& node, ipmi::Bytes datagram, const base::SocketAddress& from);
  void answer_datagram(Node& node, ipmi::Bytes datagram, const base::SocketAddress& from, const Trouble& trouble);
  void carry_out(std::uint64_t fault_id);
  void carry_out(const FaultRule& rule, Node& node);
  void poll_sol(Node& node);
  void send_events(Node& node);

  std::unique_ptr<base::EventLoop> loop_;
  base::FileDescriptor signals_;
  std::shared_ptr<base::TlsServerContext> tls_;
  const Clock* clock_;
  enum class Listeners : std::uint8_t { OnePerMachine, Shared } listeners_ = Listeners::OnePerMachine;
  FaultEngine faults_;
  Random noise_;
  EventSender sender_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::string_view, Node*> by_name_;
  std::unique_ptr<http::Server> redfish_server_;  // last: its connections look at the nodes
};

}  // namespace nimbus::simulator
