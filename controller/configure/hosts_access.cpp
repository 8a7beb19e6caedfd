// Our access to hosts: remembered once it was used, taken away when nobody wants it any more.
#include <utility>

#include "base/log/log.hpp"
#include "controller/configure/hosts.hpp"
#include "controller/machine/permitted_write.hpp"

namespace nimbus::controller {

void Hosts::keep_access(const HostTarget& target, Slot& slot) {
  // A host that was installed anew, or has another address, is where the access must be taken away.
  HostAccess access{.instance = target.instance,
                    .path = target.path,
                    .machine = target.machine,
                    .adopted = target.adopted,
                    .endpoint = target.endpoint};
  if (slot.access == access) return;
  const auto kept = tools_.access.keep(access);
  if (kept) slot.access = std::move(access);
  if (!kept) base::log(base::Level::Error, "journal-unreadable", kept.error().text(), {{"instance", target.instance}});
}

/// Brakes hold this as they hold corrections. A machine whose file is gone as well is only rid of us.
std::optional<Refusal> Hosts::may_not_drop(const HostAccess& access) const {
  const Authority authority = tools_.pass.authority();
  Lifecycle lifecycle;
  {
    const std::lock_guard lock(mutex_);
    if (!leaving_.contains(access.instance) || heir_of(access)) {
      return Refusal{kSuperseded, "the host is configured again"};
    }
    const auto machine = registry_->machines.find(access.machine);
    if (machine != registry_->machines.end()) lifecycle = machine->second.desired->lifecycle;
  }
  return guard_write({.authority = authority,
                      .lifecycle = std::move(lifecycle),
                      .identity = {.verdict = IdentityMatch::Verdict::Matches, .reason = {}},
                      .local_hold = tools_.pass.local_hold(access.machine)});
}

/// Under the lock. Who is configured where that access leads: another name or tenant of the same host.
std::optional<HostAccess> Hosts::heir_of(const HostAccess& access) const {
  for (const auto& [instance, entry] : wanted_) {
    const auto target = target_of(instance);
    if (!target || target->endpoint != access.endpoint) continue;
    return HostAccess{.instance = instance,
                      .path = target->path,
                      .machine = target->machine,
                      .adopted = target->adopted,
                      .endpoint = target->endpoint};
  }
  return std::nullopt;
}

/// What we installed and erased since, or what somebody installed anew, is another host: there is nothing to take away.
void Hosts::drop_access(const std::string& instance, std::stop_token stop) {
  HostAccess access;
  std::optional<HostAccess> heir;
  bool same_host = false;
  Slot* slot = nullptr;
  {
    const std::lock_guard lock(mutex_);
    slot = slots_.at(instance).get();
    const auto leaving = leaving_.find(instance);
    if (leaving == leaving_.end()) {  // wanted again since the pass began
      slot->running = false;
      return queue_.add(instance, Lane::Event);
    }
    access = leaving->second;
    heir = heir_of(access);
    const auto place = places_.find(instance);
    same_host = access.adopted || (place != places_.end() && place->second.host_key == access.endpoint.host_key);
  }
  std::optional<Error> error;
  if (heir) {
    // It answers for it before we do no longer: it may never be looked at.
    if (auto kept = tools_.access.keep(*heir); !kept) error = std::move(kept.error());
  } else if (!same_host) {
    error = Error{Code::NotFound, "the host is not there"};
  } else if (auto refused = may_not_drop(access)) {
    error = Error{Code::Busy, std::move(refused->message)};
  } else {
    const auto& clock = tools_.pass.clock;
    MonoTime permitted = clock.now();
    auto host = tools_.pass.hosts != nullptr ? tools_.pass.hosts->attach(access.endpoint)
                                             : Result<std::unique_ptr<Host>>(Error{Code::Unsupported, kWithoutKey});
    const std::string script = removal_script(access.endpoint.user, tools_.public_key);
    const auto again = [&]() -> std::optional<MonoTime> {
      if (may_not_drop(access)) return std::nullopt;
      return clock.now();
    };
    auto answer =
        host ? write_while_permitted(
                   clock, {.deadline = permitted + limits_.look, .stop = stop}, permitted,
                   [&](const Call& call) { return (*host)->run({.text = script, .as_root = true}, call); }, again)
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
  const bool done = !error || (!heir && (error->code == Code::Auth || (!same_host && !access.adopted)));
  const bool wanted_again = !leaving_.contains(instance);
  if (done && tools_.access.forget(instance)) {
    slot->access.reset();
    if (heir) {
      tools_.dropped(access, Error{Code::Busy, "it is the access of " + heir->instance + " now"});
    } else if (same_host) {
      tools_.dropped(access, std::nullopt);
    }
    if (wanted_again) return queue_.add(instance, Lane::Event);
    leaving_.erase(instance);
    slots_.erase(instance);
    return;
  }
  if (wanted_again) return queue_.add(instance, Lane::Event);
  ++slot->failures;
  queue_.add(instance, Lane::Slow, retry_after(slot->failures));
  tools_.dropped(access, error);
}

}  // namespace nimbus::controller
