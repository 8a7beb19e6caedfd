// DhcpServer: dnsmasq, kept in line with what Service serves.
//
// A machine that is new costs no restart. What else changes does, and not a reload: dnsmasq
// crashed on that once. What changes shortly after a restart is gathered and brought in with
// the next one, so that many machines that change at once cost a few restarts; and transfers
// that are under way are let finish first, for a while.
//
// Thread rule: safe from any thread; one thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "boot/dnsmasq.hpp"
#include "boot/service.hpp"
#include "boot/supervisor.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::boot {

class DhcpServer {
 public:
  struct Setup {
    std::string program;  // dnsmasq
    DnsmasqFacts facts;
    std::chrono::milliseconds between_restarts{1000};
  };

  /// The references must outlive this.
  DhcpServer(Setup setup, const Service& service, const Clock& clock);
  ~DhcpServer();
  DhcpServer(const DhcpServer&) = delete;
  DhcpServer& operator=(const DhcpServer&) = delete;

  /// Serves what was served before this process began, and follows changes from now on. Once.
  Result<> start();
  /// Whether these orders can be served. Before the first that want a DHCP server this
  /// looks for another one, which takes seconds. Errors: Invalid, Conflict (there is another
  /// one), Internal.
  Result<> accepts(const Orders& orders);
  /// Service serves something else than before: dnsmasq follows soon.
  void changed();

 private:
  void follow(const std::stop_token& stop);
  enum class Line { Straight, Restarted, Waits };
  /// `waited`: for transfers to finish.
  Result<Line> bring_in_line(std::chrono::milliseconds waited);
  Result<> begin_anew(DnsmasqFiles wanted);

  const Setup setup_;
  const Service& service_;
  const Clock& clock_;
  std::mutex running_;    // of the next two
  DnsmasqFiles serving_;  // what dnsmasq runs with; hosts that went are still in it until a restart
  std::optional<Supervisor> child_;
  std::mutex mutex_;  // of the next
  std::condition_variable_any condition_;
  bool changed_ = false;
  std::jthread thread_;
};

}  // namespace nimbus::boot
