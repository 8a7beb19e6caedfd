// nimbus-boot, as nimbusd talks to it; and whether an installed system answers.
//
// Thread rule: safe from any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "boot/protocol/image.hpp"
#include "boot/protocol/orders.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"
#include "reconcilers/install/decide.hpp"

namespace nimbus::controller {

class BootService {
 public:
  virtual ~BootService() = default;
  /// The whole of the orders; durable there on return. Errors: Unreachable, Timeout, Invalid, Conflict.
  virtual Result<> serve(const boot::Orders& orders, const Call& call) = 0;
  /// What it has is not what was told: the next serve() begins from nothing.
  virtual void distrust() = 0;
  /// Of the run that it serves to the machine with this MAC; nothing: it serves none.
  virtual Result<std::optional<boot::Heard>> heard(const std::string& mac, const Call& call) = 0;
  /// Whether its cache has an image; asked for it, it gets it. Nothing: it has no cache.
  virtual Result<std::optional<boot::ImageAnswer>> image(const boot::ImageOrder& order, const Call& call) = 0;
};

/// Sends what changed since the orders that were acknowledged last, and the whole whenever
/// that is not certain: at first, after an error, and if nimbus-boot says that it has others.
class UnixBootService final : public BootService {
 public:
  UnixBootService(std::string socket, const Clock& clock) : socket_(std::move(socket)), clock_(clock) {}
  /// One at a time; who comes meanwhile waits.
  Result<> serve(const boot::Orders& orders, const Call& call) override;
  void distrust() override;
  Result<std::optional<boot::Heard>> heard(const std::string& mac, const Call& call) override;
  Result<std::optional<boot::ImageAnswer>> image(const boot::ImageOrder& order, const Call& call) override;

 private:
  struct Acknowledged {
    boot::OrderMark mark;
    boot::Orders orders;
  };
  Result<> send_changes(const boot::Orders& orders, const Call& call);
  Result<> send_whole(const boot::Orders& orders, const Call& call);
  Result<> send(const char* method, const boot::OrdersUpdate& update, const Call& call);

  std::string socket_;
  const Clock& clock_;
  std::mutex sending_;
  std::optional<Acknowledged> acknowledged_;  // guarded by sending_; nothing: not certain
};

/// Whether sshd at `address` has the host key "ssh-ed25519 AAAA…", without logging in. A server
/// that proves no key is silent. Errors: Invalid (`host_key` is none).
Result<reconcilers::SshAnswer> ask_ssh(const std::string& address, const std::string& host_key, const Call& call,
                                       const Clock& clock);

}  // namespace nimbus::controller
