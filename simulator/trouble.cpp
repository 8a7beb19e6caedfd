// Simulation, the part where requests meet faults.
#include <sys/socket.h>

#include "simulator/simulation.hpp"

namespace nimbus::simulator {
namespace {

constexpr std::size_t kGarbageSize = 64;

void send_datagram(const Node& node, const base::SocketAddress& to, ipmi::Bytes datagram) {
  // A full buffer loses the packet, as on a real network.
  static_cast<void>(
      ::sendto(node.ipmi_socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT, to.data(), to.size()));
}

}  // namespace

void Simulation::take_datagram(Node& node, ipmi::Bytes datagram, const base::SocketAddress& from) {
  advance(node);
  const Trouble trouble = faults_.empty() ? Trouble{} : faults_.for_ipmi(node.machine->name(), clock_->now());
  if (trouble.drop) {
    node.machine->record(Source::Fault, "drop", "datagram");
    return;
  }
  if (trouble.delay.count() == 0) {
    answer_datagram(node, datagram, from, trouble);
    return;
  }
  loop_->start_timer(trouble.delay,
                     [this, &node, kept = ipmi::Buffer(datagram.begin(), datagram.end()), from, trouble] {
                       advance(node);
                       answer_datagram(node, kept, from, trouble);
                     });
}

void Simulation::answer_datagram(Node& node, ipmi::Bytes datagram, const base::SocketAddress& from,
                                 const Trouble& trouble) {
  node.ipmi->interfere({trouble.lie, trouble.stale, trouble.no_sessions, trouble.completion_code});
  node.ipmi->receive(datagram, from, [&](const base::SocketAddress& to, ipmi::Bytes answer) {
    if (trouble.garbage) {
      ipmi::Buffer noise(answer.begin(), answer.end());
      for (std::size_t i = noise.size() / 2; i < noise.size(); ++i) noise[i] = static_cast<std::uint8_t>(noise_.next());
      send_datagram(node, to, noise);
      return;
    }
    send_datagram(node, to, answer);
    if (trouble.duplicate) send_datagram(node, to, answer);
  });
  reschedule(node);
  if (node.sol_timer == base::EventLoop::TimerId::None && node.ipmi->wants_polls()) poll_sol(node);
}

http::Response Simulation::answer_redfish(const http::Request& request, const http::Visit& visit) {
  Node& node = *nodes_[visit.listener];
  advance(node);
  if (!node.machine->bmc_up()) return {.after = http::Response::After::Close, .spoil = {.drop = true}};
  const Trouble trouble =
      faults_.empty() ? Trouble{} : faults_.for_redfish(node.machine->name(), request, clock_->now());
  if (trouble.drop) {
    node.machine->record(Source::Fault, "drop", request.method + " " + request.path);
    return {.after = http::Response::After::Close, .spoil = {.delay = trouble.delay, .drop = true}};
  }
  node.redfish->interfere({trouble.lie, trouble.stale, trouble.no_sessions, trouble.status});
  http::Response response = node.redfish->answer(request);
  if (trouble.retry_after) response.headers.emplace_back("Retry-After", std::to_string(*trouble.retry_after));
  if (trouble.garbage) {
    response.body.clear();
    for (std::size_t i = 0; i < kGarbageSize; ++i) response.body += static_cast<char>(noise_.below(256));
  }
  response.spoil = {trouble.delay, false, trouble.truncate_after, trouble.bytes_per_second};
  reschedule(node);
  return response;
}

std::uint64_t Simulation::add_fault(FaultRule rule) {
  const bool event = is_event(rule.kind);
  const auto after = rule.after;
  const std::uint64_t id = faults_.add(std::move(rule), clock_->now());
  if (event) loop_->start_timer(after, [this, id] { carry_out(id); });
  return id;
}

void Simulation::carry_out(std::uint64_t fault_id) {
  // A copy: what is carried out may change the rules.
  for (const auto& active : std::vector<FaultEngine::Active>(faults_.rules())) {
    if (active.id != fault_id) continue;
    for (const auto& node : nodes_) {
      if (!FaultEngine::concerns(active.rule, node->machine->name())) continue;
      carry_out(active.rule, *node);
      faults_.count_use(fault_id);
    }
  }
}

void Simulation::carry_out(const FaultRule& rule, Node& node) {
  advance(node);
  if (rule.kind == FaultKind::RestartBmc) {
    node.machine->restart_bmc(Source::Fault, rule.away);
  } else if (rule.kind == FaultKind::PurgeTasks && node.redfish) {
    node.redfish->tasks.clear();
    node.machine->record(Source::Fault, "purge-tasks", "");
  } else if (rule.kind == FaultKind::NewCertificate && node.redfish) {
    const auto identity = base::make_self_signed("nimbus-sim", {"nimbus-sim-changed"});
    auto tls = identity ? base::TlsServerContext::create(*identity)
                        : Result<std::shared_ptr<base::TlsServerContext>>(identity.error());
    if (tls) {
      redfish_server_->set_tls(node.index, std::move(*tls));
      redfish_server_->disconnect(node.index);
    }
    node.machine->record(Source::Fault, "new-certificate", "", tls ? "ok" : tls.error().message);
  }
  reschedule(node);
}

}  // namespace nimbus::simulator
