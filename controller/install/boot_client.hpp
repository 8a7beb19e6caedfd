// nimbus-boot, as nimbusd talks to it; and whether an installed system answers.
//
// Thread rule: safe from any thread.
#pragma once

#include <string>

#include "boot/protocol/orders.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"
#include "reconcilers/install/decide.hpp"

namespace nimbus::controller {

class BootService {
 public:
  virtual ~BootService() = default;
  /// Durable there on return. Errors: Unreachable, Timeout, Invalid.
  virtual Result<> serve(const boot::Orders& orders, const Call& call) = 0;
  virtual Result<boot::HeardByMac> heard(const Call& call) = 0;
};

class UnixBootService final : public BootService {
 public:
  UnixBootService(std::string socket, const Clock& clock) : socket_(std::move(socket)), clock_(clock) {}
  Result<> serve(const boot::Orders& orders, const Call& call) override;
  Result<boot::HeardByMac> heard(const Call& call) override;

 private:
  std::string socket_;
  const Clock& clock_;
};

/// Asks sshd at `address` for its host key with the ssh program, without logging in.
/// `folder`: for the file with the key that is expected. Errors: Internal.
Result<reconcilers::SshAnswer> ask_ssh(const std::string& address, const std::string& host_key,
                                       const std::string& folder, const Call& call, const Clock& clock);

}  // namespace nimbus::controller
