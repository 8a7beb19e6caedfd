#include "controller/loops/status_place.hpp"

#include <utility>

#include "base/log/log.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {

std::string status_branch(const std::string& provider, const std::string& prefix) {
  return "refs/heads/" + (prefix.empty() ? RegistrySettings::Status().branch_prefix : prefix) + "/" + provider;
}

bool StatusPlace::decide(const AcceptedRegistry& registry, Watcher& watcher) {
  const auto& wanted = registry.status;
  const auto say = [this](std::string text) { details_.set(Details::Topic::Place, std::move(text)); };
  const bool elsewhere = !wanted.repository.empty() && wanted.repository != config_.registry.url;
  if (elsewhere && wanted.repository != config_.status.repository) {
    say("registry.toml wants status in " + base::printable(wanted.repository, 200) +
        ": allow it with [status] repository in nimbusd.toml");
    return false;
  }
  const std::string branch = status_branch(config_.provider, wanted.branch_prefix);
  const std::string place = (elsewhere ? wanted.repository : config_.registry.url) + " " + branch;
  if (settled_) {
    const bool moved = place != place_;
    if (moved && !said_moved_) {
      base::log(base::Level::Warning, "status-moved", "restart nimbusd to write status to " + place);
    }
    said_moved_ = moved;
    say(moved ? "status goes to " + place + " after a restart" : "");
    return false;
  }
  auto remote = remote_;
  if (elsewhere) remote.url = wanted.repository;
  publisher_.place(std::move(remote), branch);
  watcher.watch_status(elsewhere ? "" : branch);
  elsewhere_ = elsewhere;
  place_ = place;
  say("");
  settled_ = true;
  return true;
}

}  // namespace nimbus::controller
