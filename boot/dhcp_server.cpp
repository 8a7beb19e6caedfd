#include "boot/dhcp_server.hpp"

#include <utility>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "boot/dhcp_probe.hpp"

namespace nimbus::boot {
namespace {

using base::Level;

/// Servers ping an address for 3 s before they offer it.
constexpr std::chrono::milliseconds kProbe{4500};

}  // namespace

DhcpServer::DhcpServer(Setup setup, const Service& service, const Clock& clock)
    : setup_(std::move(setup)), service_(service), clock_(clock) {}

DhcpServer::~DhcpServer() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<> DhcpServer::start() {
  if (auto served = bring_in_line(); !served) return served;
  thread_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
  return {};
}

void DhcpServer::changed() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  condition_.notify_all();
}

void DhcpServer::follow(const std::stop_token& stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!condition_.wait(lock, stop, [this] { return changed_; })) return;
      changed_ = false;
    }
    const auto served = bring_in_line();
    if (!served) base::log(Level::Error, "dhcp-not-configured", served.error().text());
    std::unique_lock lock(mutex_);
    if (!served) changed_ = true;
    condition_.wait_for(lock, stop, setup_.between_restarts, [] { return false; });
  }
}

Result<> DhcpServer::accepts(const Orders& orders) {
  if (orders.dhcp == DhcpService::None) return {};
  if (auto text = dnsmasq_configuration(setup_.facts, orders, {}); !text) return std::move(text.error());
  if (orders.dhcp == DhcpService::Proxy) return {};  // meant to be beside another one
  const std::lock_guard lock(running_);
  if (child_) return {};
  auto other = other_dhcp_server(setup_.facts.interface, kProbe, clock_);
  if (!other) return std::move(other.error());
  if (!*other) return {};
  const std::string why = "another DHCP server answers on " + setup_.facts.interface + ": " + **other;
  base::log(Level::Error, "dhcp-conflict", why);
  return Error{Code::Conflict, why + "; nothing is served beside it"};
}

Result<> DhcpServer::bring_in_line() {
  const std::lock_guard lock(running_);
  const Orders hosts = service_.hosts();
  if (hosts.dhcp == DhcpService::None) {
    child_.reset();
    configuration_.clear();
    return {};
  }
  auto text = dnsmasq_configuration(setup_.facts, hosts, service_.installing());
  if (!text) return std::move(text.error());
  if (*text == configuration_) return {};
  const std::string path = setup_.facts.state + "/dnsmasq.conf";
  if (auto written = base::write_file_atomically(path, *text, 0600); !written) return written;
  configuration_ = std::move(*text);
  // A file, begun anew with each start: dnsmasq does not end while its log is a pipe that
  // nobody reads any more, which is what it has when this process was killed. And no
  // change of user or group: that would undo that it ends with this process.
  const std::string log = setup_.facts.state + "/dnsmasq.log";
  if (auto begun = base::write_file_atomically(log, "", 0600); !begun) return begun;
  if (child_) {
    child_->restart();
  } else {
    child_.emplace("dnsmasq",
                   std::vector<std::string>{setup_.program, "--keep-in-foreground", "--log-facility=" + log,
                                            "--conf-file=" + path, "--user=", "--group=", "--pid-file="},
                   clock_);
  }
  return {};
}

}  // namespace nimbus::boot
