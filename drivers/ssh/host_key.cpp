#include "drivers/ssh/host_key.hpp"

#include <utility>

#include "drivers/ssh/keys.hpp"
#include "drivers/ssh/session.hpp"

namespace nimbus::ssh {

Result<> prove_host_key(const std::string& address, const std::string& host_key, const Call& call, const Clock& clock) {
  auto key = parse_host_key(host_key);
  if (!key) return std::move(key.error()).with("while reading the host key of " + address);
  return Session::prove(address, *key, call, clock);
}

}  // namespace nimbus::ssh
