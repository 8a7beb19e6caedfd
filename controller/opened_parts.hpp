// What nimbusd opens before it starts: files, repositories, drivers.
#pragma once

#include <memory>
#include <optional>

#include "base/chain/chain.hpp"
#include "base/time/time.hpp"
#include "controller/config/config.hpp"
#include "controller/journal/journal.hpp"
#include "core/result.hpp"
#include "drivers/drivers.hpp"
#include "registry/git/repository.hpp"
#include "registry/git/ssh_signer.hpp"
#include "registry/git/transport.hpp"

namespace nimbus::controller {

struct OpenedParts {
  std::unique_ptr<const base::SystemClock> clock;
  registry::GitRemote remote;
  registry::GitRemote status_remote;
  std::optional<registry::SshSigner> signer;  // nothing: status is not signed
  std::optional<registry::GitRepository> mirror;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<base::ChainLog> chain;
  std::optional<drivers::DriverTable> drivers;
  std::unique_ptr<HostDriver> hosts;                  // null: hosts are not looked at …
  std::string host_public_key;                        // … or with this key
  std::optional<registry::GitRepository> host_files;  // the mirror, for what is configured on hosts
};

/// All of them. Errors: whatever cannot be opened, with the path or setting concerned.
Result<OpenedParts> open_parts(const Config& config);

}  // namespace nimbus::controller
