// Our access to hosts: remembered once it was used, taken away when nobody wants it any more.
#include <utility>

#include "base/log/log.hpp"
#include "controller/configure/hosts.hpp"

namespace nimbus::controller {

void Hosts::keep_access(const HostTarget& target, Slot& slot) {
  if (slot.access_kept) return;
  const auto kept = tools_.access.keep({.instance = target.instance,
                                        .path = target.path,
                                        .machine = target.machine,
                                        .adopted = target.adopted,
                                        .endpoint = target.endpoint});
  slot.access_kept = kept.has_value();
  if (!kept) base::log(base::Level::Error, "journal-unreadable", kept.error().text(), {{"instance", target.instance}});
}

/// What we installed and erased since, or what somebody installed anew, is another host: there is nothing to take away.
void Hosts::drop_access(const std::string& instance, std::stop_token stop) {
  HostAccess access;
  bool same_host = false;
  Slot* slot = nullptr;
  {
    const std::lock_guard lock(mutex_);
    access = leaving_.at(instance);
    slot = slots_.at(instance).get();
    const auto place = places_.find(instance);
    same_host = access.adopted || (place != places_.end() && place->second.host_key == access.endpoint.host_key);
  }
  std::optional<Error> error;
  if (!same_host) {
    error = Error{Code::NotFound, "the host is not there"};
  } else if (tools_.pass.authority().state != Authority::State::Held) {
    error = Error{Code::Busy, "no term on the status branch: nothing is written to hosts"};
  } else {
    auto host = tools_.pass.hosts != nullptr ? tools_.pass.hosts->attach(access.endpoint)
                                             : Result<std::unique_ptr<Host>>(Error{Code::Unsupported, kWithoutKey});
    auto answer = host
                      ? (*host)->run({.text = removal_script(access.endpoint.user, tools_.public_key), .as_root = true},
                                     {tools_.pass.clock.now() + limits_.look, stop})
                      : Result<HostAnswer>(host.error());
    tools_.pass.stepped();
    if (!answer)
      error = std::move(answer.error());
    else if (answer->exit_status != 0)
      error = Error{Code::Conflict, "the script that removes the access failed"};
  }
  const std::lock_guard lock(mutex_);
  slot->running = false;
  // A host that refuses our key has it no more: somebody was faster, or an answer was lost.
  const bool done = !error || error->code == Code::Auth || (!same_host && !access.adopted);
  if (done && tools_.access.forget(instance)) {
    leaving_.erase(instance);
    slots_.erase(instance);
    if (same_host) tools_.dropped(access, std::nullopt);
    return;
  }
  ++slot->failures;
  queue_.add(instance, Lane::Slow, retry_after(slot->failures));
  tools_.dropped(access, error);
}

}  // namespace nimbus::controller
