#include "boot/dhcp_server.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/net/file_descriptor.hpp"
#include "boot/dhcp_probe.hpp"

namespace nimbus::boot {
namespace {

using base::Level;

/// Servers ping an address for 3 s before they offer it.
constexpr std::chrono::milliseconds kProbe{4500};
/// Between looks whether transfers have finished.
constexpr std::chrono::milliseconds kLook{100};

bool transferring() {
  constexpr std::size_t kMost = std::size_t{16} << 20U;
  const auto sockets = base::read_file("/proc/net/udp", kMost);
  return sockets && is_transferring(*sockets);
}

/// A host as a file that dnsmasq finds complete: it reads whatever appears in that folder. One
/// that is lost in a crash is written again at the next start.
Result<> put_host(const std::string& state, const std::string& name, const std::string& line) {
  const std::string draft = state + "/host.new";
  const std::string place = state + "/hosts.d/" + name;
  {
    const base::FileDescriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const std::string text = line + "\n";
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      return Error{Code::Internal, "cannot write " + draft};
  }
  if (::rename(draft.c_str(), place.c_str()) != 0) return Error{Code::Internal, "cannot write " + place};
  return {};
}

}  // namespace

DhcpServer::DhcpServer(Setup setup, const Service& service, const Clock& clock)
    : setup_(std::move(setup)), service_(service), clock_(clock) {}

DhcpServer::~DhcpServer() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<> DhcpServer::start() {
  if (auto served = bring_in_line({}); !served) return std::move(served.error());
  thread_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
  return {};
}

void DhcpServer::changed() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  condition_.notify_all();
}

void DhcpServer::follow(const std::stop_token& stop) {
  bool waits = false;  // for transfers to finish
  MonoTime since{};    // then
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto changed = [this] { return changed_; };
      if (waits)
        condition_.wait_for(lock, stop, kLook, changed);
      else
        condition_.wait(lock, stop, changed);
      if (stop.stop_requested()) return;
      changed_ = false;
    }
    const auto waited = waits ? std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - since)
                              : std::chrono::milliseconds{0};
    const auto line = bring_in_line(waited);
    if (!line) base::log(Level::Error, "dhcp-not-configured", line.error().text());
    if (line && *line == Line::Waits) {
      if (!waits) since = clock_.now();
      waits = true;
      continue;
    }
    waits = false;
    std::unique_lock lock(mutex_);
    if (!line) changed_ = true;
    if (!line || *line == Line::Restarted)
      condition_.wait_for(lock, stop, setup_.between_restarts, [] { return false; });
  }
}

Result<> DhcpServer::accepts(const Orders& orders) {
  if (orders.dhcp == DhcpService::None) return {};
  if (auto here = check_network(setup_.facts, orders); !here) return here;
  if (auto text = dnsmasq_files(setup_.facts, orders, {}); !text) return std::move(text.error());
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

Result<DhcpServer::Line> DhcpServer::bring_in_line(std::chrono::milliseconds waited) {
  const std::lock_guard lock(running_);
  const Orders hosts = service_.hosts();
  if (hosts.dhcp == DhcpService::None) {
    child_.reset();
    serving_ = {};
    return Line::Straight;
  }
  auto wanted = dnsmasq_files(setup_.facts, hosts, service_.installing());
  if (!wanted) return std::move(wanted.error());
  const auto change = child_ ? change_between(serving_, *wanted) : DnsmasqChange{.restart = Restart::Soon, .added = {}};
  if (change.restart != Restart::None && (!child_ || may_restart(change.restart, transferring(), waited))) {
    if (auto begun = begin_anew(std::move(*wanted)); !begun) return std::move(begun.error());
    return Line::Restarted;
  }
  for (const auto& name : change.added) {
    auto& host = wanted->hosts.at(name);
    if (auto put = put_host(setup_.facts.state, name, host.line); !put) return std::move(put.error());
    serving_.hosts.insert_or_assign(name, std::move(host));
  }
  return change.restart == Restart::None ? Line::Straight : Line::Waits;
}

Result<> DhcpServer::begin_anew(DnsmasqFiles wanted) {
  const std::string& state = setup_.facts.state;
  if (auto made = base::make_folders(state + "/hosts.d", 0700); !made) return made;
  auto there = base::list_folder(state + "/hosts.d");
  if (!there) return std::move(there.error());
  // dnsmasq may see some of this before it is ended, which is as well.
  for (const auto& file : *there) {
    if (!wanted.hosts.contains(file.name)) ::unlink((state + "/hosts.d/" + file.name).c_str());
  }
  for (const auto& [name, host] : wanted.hosts) {
    const auto known = serving_.hosts.find(name);
    if (child_ && known != serving_.hosts.end() && known->second == host) continue;
    if (auto put = put_host(state, name, host.line); !put) return put;
  }
  const std::string path = state + "/dnsmasq.conf";
  if (auto written = base::write_file_atomically(path, wanted.configuration, 0600); !written) return written;
  serving_ = std::move(wanted);
  // A file, begun anew with each start: dnsmasq does not end while its log is a pipe that
  // nobody reads any more, which is what it has when this process was killed. And no
  // change of user or group: that would undo that it ends with this process.
  const std::string log = state + "/dnsmasq.log";
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
