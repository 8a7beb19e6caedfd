#include "controller/opened_parts.hpp"

#include <algorithm>
#include <utility>

#include "base/file/file.hpp"
#include "base/process/self.hpp"
#include "controller/remotes.hpp"

namespace nimbus::controller {
namespace {

Result<> open_git(const Config& config, OpenedParts& parts) {
  auto remote = open_remote(config.registry);
  if (!remote) return std::move(remote.error());
  parts.remote = std::move(*remote);
  auto status_remote = open_remote(status_config(config));
  if (!status_remote) return std::move(status_remote.error());
  parts.status_remote = std::move(*status_remote);
  auto mirror = registry::GitRepository::open_or_create(config.mirror());
  if (!mirror) return std::move(mirror.error()).with("while opening the mirror");
  parts.mirror = std::move(*mirror);
  if (config.status.signing_key.empty()) return {};
  auto signer = registry::SshSigner::make(config.status.signing_key, *parts.clock);
  if (!signer) return std::move(signer.error()).with("while trying [status] signing_key");
  parts.signer = std::move(*signer);
  return {};
}

Result<> open_memories(const Config& config, OpenedParts& parts) {
  auto journal = Journal::open(config.data + "/journal.sqlite");
  if (!journal && journal.error().code == Code::Corrupt) {
    return std::move(journal.error())
        .with(
            "the journal may be moved away: what nothing else proves is then held for a person, and nothing is erased");
  }
  if (!journal) return std::move(journal.error());
  parts.journal = std::move(*journal);
  // The journal is ours alone, so no other controller's Git program can hold a lock.
  if (auto cleaned = parts.mirror->remove_stale_locks(); !cleaned) return cleaned;
  auto chain = base::ChainLog::open({.folder = config.audit});
  if (!chain) return std::move(chain.error()).with("while opening the audit log");
  parts.chain = std::move(*chain);
  return {};
}

Result<> open_drivers(const Config& config, OpenedParts& parts) {
  auto cas = read_cas(config);
  if (!cas) return std::move(cas.error());
  const auto use = base::process_use();
  const std::size_t descriptors = use ? use->most_descriptors : 0;
  // Each machine wants one for its BMC besides.
  const auto streams = std::min(config.event_streams, descriptors / 4);
  auto drivers = drivers::make_drivers({.cas = std::move(*cas), .event_streams = streams}, *parts.clock);
  if (!drivers) return std::move(drivers.error());
  parts.drivers = std::move(*drivers);
  return {};
}

Result<> open_hosts(const Config& config, OpenedParts& parts) {
  auto files = registry::GitRepository::open_or_create(config.mirror());
  if (!files) return std::move(files.error()).with("while opening the mirror");
  parts.host_files = std::move(*files);
  if (config.hosts.key.empty()) return {};
  const drivers::HostDriverOptions options{.key = config.hosts.key, .certificate = config.hosts.certificate};
  auto driver = drivers::make_host_driver(options, *parts.clock);
  if (!driver) return std::move(driver.error()).with("while trying [hosts] key");
  parts.hosts = std::move(*driver);
  auto shown = drivers::host_public_key(options);
  if (!shown) return std::move(shown.error()).with("while trying [hosts] key");
  parts.host_public_key = std::move(*shown);
  return {};
}

}  // namespace

Result<OpenedParts> open_parts(const Config& config) {
  if (auto made = base::make_folders(config.data, 0700); !made) return std::move(made.error());
  OpenedParts parts;
  parts.clock = std::make_unique<const base::SystemClock>();
  if (auto opened = open_git(config, parts); !opened) return std::move(opened.error());
  if (auto opened = open_memories(config, parts); !opened) return std::move(opened.error());
  if (auto opened = open_drivers(config, parts); !opened) return std::move(opened.error());
  if (auto opened = open_hosts(config, parts); !opened) return std::move(opened.error());
  return parts;
}

}  // namespace nimbus::controller
