#include "simulator/simulation.hpp"

#include <sys/signalfd.h>
#include <sys/socket.h>

#include <sys/resource.h>

#include <fmt/format.h>

#include <cerrno>
#include <map>

#include <algorithm>
#include <array>

#include "simulator/certificate.hpp"
#include "simulator/fleet/build_machine.hpp"

namespace nimbus::simulator {
namespace {

constexpr int kMostPerWakeup = 32;
/// Two sockets for each machine, and some connections.
bool enough_descriptors(std::size_t machines) {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 3 * machines + 100;
}

constexpr auto kLastWords = std::chrono::milliseconds(100);
constexpr auto kSolInterval = std::chrono::milliseconds(20);

}  // namespace

Simulation::Simulation(std::unique_ptr<base::EventLoop> loop, const Clock& clock, std::uint64_t seed)
    : loop_(std::move(loop)), clock_(&clock), faults_(seed), noise_(seed), sender_(*loop_) {
  redfish_server_ = std::make_unique<http::Server>(
      *loop_,
      [this](const http::Request& request, const http::Visit& visit) { return answer_redfish(request, visit); });
  redfish_server_->set_stream_end(
      [this](http::ListenerTag tag, std::uint64_t stream) { nodes_[tag]->redfish->events.remove_stream(stream); });
  redfish_server_->set_gate([this](http::ListenerTag tag) {
    Node& node = *nodes_[tag];
    advance(node);
    return node.machine->bmc_up();
  });
}

Result<> Simulation::watch_signals(const sigset_t& signals, std::stop_source stop) {
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return base::socket_error("block signals", errno);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return base::socket_error("watch signals", errno);
  return loop_->watch(signals_.get(), base::Interest::Read, [this, stop](base::Ready) mutable {
    loop_->unwatch(signals_.get());
    stop.request_stop();
  });
}

Simulation::~Simulation() {
  for (const auto& node : nodes_) {
    loop_->unwatch(node->ipmi_socket.get());
    loop_->cancel_timer(node->due_timer);
    loop_->cancel_timer(node->sol_timer);
  }
}

Result<std::unique_ptr<Simulation>> Simulation::start(const FleetFile& fleet, const Clock& clock) {
  auto loop = base::EventLoop::create();
  if (!loop) return std::move(loop.error());
  std::unique_ptr<Simulation> out(new Simulation(std::move(*loop), clock, fleet.seed));
  if (std::ranges::any_of(fleet.machines, [](const MachineSpec& spec) { return !spec.redfish.empty(); })) {
    auto identity = fleet_certificate(fleet);
    if (!identity) return std::move(identity.error());
    auto tls = base::TlsServerContext::create(*identity);
    if (!tls) return std::move(tls.error());
    out->tls_ = std::move(*tls);
  }
  if (!enough_descriptors(fleet.machines.size())) out->listeners_ = Listeners::Shared;
  for (const auto& spec : fleet.machines) {
    if (auto ok = out->add(spec, fleet.seed); !ok)
      return std::move(ok.error()).with("while starting machine " + spec.name);
  }
  if (out->listeners_ == Listeners::Shared) {
    if (auto ok = out->serve_redfish_shared(); !ok) return std::move(ok.error());
  }
  return out;
}

Result<> Simulation::add(const MachineSpec& spec, std::uint64_t seed) {
  auto machine = build_machine(spec, seed, *clock_);
  if (!machine) return std::move(machine.error());
  auto node = std::make_unique<Node>();
  node->machine = std::move(*machine);
  node->redfish_address = spec.redfish;
  node->ipmi_address = spec.ipmi;
  if (!spec.ipmi.empty()) {
    if (auto ok = serve_ipmi(*node); !ok) return ok;
  }
  if (spec.qemu) {
    node->host = std::make_unique<QemuHost>(*loop_, *node->machine, *spec.qemu);
    node->machine->attach(node->host.get());
    if (spec.power == Power::On) node->host->power_on(node->machine->last_boot());
  }
  node->index = nodes_.size();
  if (!spec.redfish.empty()) {
    if (auto ok = serve_redfish(*node); !ok) return ok;
  }
  nodes_.push_back(std::move(node));
  Node& kept = *nodes_.back();
  by_name_[kept.machine->name()] = &kept;
  return {};
}

Result<> Simulation::serve_ipmi(Node& node) {
  const auto where = base::parse_host_port(node.ipmi_address, 623);
  if (!where) return where.error();
  const auto address = base::SocketAddress::numeric(*where);
  if (!address) return address.error();
  auto socket = base::bind_udp(*address);
  if (!socket) return std::move(socket.error());
  node.ipmi = std::make_unique<ipmi::Responder>(*node.machine);
  node.ipmi_socket = std::move(*socket);
  return loop_->watch(node.ipmi_socket.get(), base::Interest::Read, [this, &node](base::Ready) { receive_ipmi(node); });
}

Result<> Simulation::serve_redfish(Node& node) {
  const auto where = base::parse_host_port(node.redfish_address, 443);
  if (!where) return where.error();
  const auto address = base::SocketAddress::numeric(*where);
  if (!address) return address.error();
  node.redfish = std::make_unique<redfish::Service>(*node.machine);
  if (listeners_ == Listeners::Shared && where->host.starts_with("127.")) return {};
  const auto bound = redfish_server_->listen(*address, node.index, tls_);
  if (!bound) return bound.error();
  return {};
}

Result<> Simulation::serve_redfish_shared() {
  std::map<std::uint16_t, std::unordered_map<std::string, http::ListenerTag>> ports;
  for (const auto& node : nodes_) {
    if (!node->redfish || !node->redfish_address.starts_with("127.")) continue;
    const auto where = base::parse_host_port(node->redfish_address, 443);
    if (where) ports[where->port][where->text()] = node->index;
  }
  for (auto& [port, machines] : ports) {
    if (auto ok = redfish_server_->listen_shared(port, std::move(machines), tls_); !ok) return ok;
  }
  return {};
}

Node* Simulation::find(std::string_view name) noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void Simulation::advance(Node& node) { node.machine->advance(clock_->now()); }

void Simulation::send_events(Node& node) {
  if (!node.redfish || (node.redfish->events.all().empty() && !node.machine->listened)) return;
  for (const auto stream : node.redfish->events.take_ended()) {
    // Not now: the request that ended it may have come by a connection that is being read.
    loop_->start_timer(std::chrono::milliseconds(0),
                       [this, &node, stream] { redfish_server_->end_stream(node.index, stream); });
  }
  for (auto& delivery : node.redfish->take_deliveries()) {
    if (delivery.stream) {
      redfish_server_->publish(node.index, *delivery.stream,
                               fmt::format("id: {}\ndata: {}\n\n", delivery.event_id, delivery.body));
      continue;
    }
    sender_.send(std::move(delivery), [&node](const redfish::Delivery& lost) {
      node.machine->record(Source::Machine, "subscription-ended", lost.destination, "no answer");
      node.redfish->events.remove(lost.subscription);
    });
  }
}

void Simulation::reschedule(Node& node) {
  send_events(node);
  if (node.restarts_seen != node.machine->bmc_restarts()) {
    node.restarts_seen = node.machine->bmc_restarts();
    // Not now: the answer to the request that asked for it is still on its way.
    loop_->start_timer(kLastWords, [this, &node] { redfish_server_->disconnect(node.index); });
  }
  const auto due = node.machine->next_due();
  if (due == node.due_at) return;
  loop_->cancel_timer(node.due_timer);
  node.due_timer = base::EventLoop::TimerId::None;
  node.due_at = due;
  if (!due) return;
  node.due_timer = loop_->start_timer(*due, [this, &node] {
    node.due_at.reset();
    node.due_timer = base::EventLoop::TimerId::None;
    advance(node);
    reschedule(node);
  });
}

void Simulation::receive_ipmi(Node& node) {
  std::array<std::uint8_t, ipmi::kMaxDatagram + 1> room;  // NOLINT: filled by the kernel
  for (int i = 0; i < kMostPerWakeup; ++i) {
    sockaddr_storage from;  // NOLINT: filled by the kernel
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(node.ipmi_socket.get(), room.data(), room.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) break;
    take_datagram(node, {room.data(), static_cast<std::size_t>(size)},
                  base::SocketAddress(reinterpret_cast<const sockaddr*>(&from), from_size));
  }
}

void Simulation::poll_sol(Node& node) {
  node.sol_timer = loop_->start_timer(kSolInterval, [this, &node] {
    node.sol_timer = base::EventLoop::TimerId::None;
    advance(node);
    node.ipmi->poll([&node](const base::SocketAddress& to, ipmi::Bytes datagram) {
      static_cast<void>(
          ::sendto(node.ipmi_socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT, to.data(), to.size()));
    });
    if (node.ipmi->wants_polls()) poll_sol(node);
  });
}

}  // namespace nimbus::simulator
