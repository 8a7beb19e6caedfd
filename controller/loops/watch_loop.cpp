#include "controller/loops/watch_loop.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "controller/loops/threads.hpp"

namespace nimbus::controller {

using base::Level;
using Topic = Details::Topic;

WatchLoop::WatchLoop(Tools tools, registry::GitRepository mirror)
    : tools_(std::move(tools)),
      mirror_(std::move(mirror)),
      watcher_(mirror_, tools_.git, tools_.remote,
               {"refs/heads/" + tools_.config.registry.branch, status_branch(tools_.config.provider)}),
      intake_(mirror_, tools_.clock, tools_.config.provider) {}

Call WatchLoop::call(std::stop_token stop) const {
  return {tools_.clock.now() + tools_.current.get()->git_deadline, std::move(stop)};
}

void WatchLoop::run(std::stop_token stop) {
  Trouble trouble("fetch-failed", "fetch-works");
  take_what_is_there();
  while (!stop.stop_requested()) {
    const auto current = tools_.current.get();
    // One fetch, and at times one repacking or one question about the term.
    tools_.vitals.back_by(Vitals::Part::Watch, tools_.clock.now() + 3 * current->git_deadline + 2 * current->poll);
    auto look = watcher_.look(call(stop));
    if (stop.stop_requested()) return;
    tools_.exchanged("fetch", look.has_value());
    if (look) {
      trouble.over();
      take_look(*look, stop);
    } else {
      trouble.met(look.error());
    }
    tools_.details.set(Topic::Fetch, trouble.text());
    pack_mirror(stop);
    wake_.wait_until(tools_.clock.now() + with_jitter(tools_.current.get()->poll), stop);
  }
}

void WatchLoop::pack_mirror(std::stop_token stop) {
  auto packed = tools_.git.compact_if_needed(call(std::move(stop)));
  if (!packed) {
    base::log(Level::Warning, "mirror-not-packed", packed.error().text());
  } else if (*packed) {
    // The old packs are gone: look at the new ones.
    auto opened = registry::GitRepository::open(tools_.config.mirror());
    if (opened) mirror_ = std::move(*opened);
  }
}

/// After a restart the forge may be down: what the mirror knows is looked at (not
/// written to: there is no term yet).
void WatchLoop::take_what_is_there() {
  auto seen = mirror_.resolve(Watcher::kSeen);
  if (seen && *seen) take_commit(**seen);
}

void WatchLoop::take_look(const Look& look, std::stop_token stop) {
  {
    const std::lock_guard lock(held_mutex_);
    held_tip_ = look.held_tip;
  }
  if (look.moved || !taken_) take_commit(look.tip);
  tools_.details.set(Topic::Hold, look.held);
  if (look.held != last_held_) {
    if (!look.held.empty()) {
      base::log(Level::Error, "history-rewritten", look.held);
      take(intake_.take_brakes(look.held_tip, look.held), look.held_tip);
    } else if (!look.moved) {
      take_commit(look.tip);  // the branch is back where it was
    }
  }
  last_held_ = look.held;
  // Somebody else may have taken over.
  const bool moved = tools_.place.elsewhere() || look.status_tip != tools_.publisher.tip();
  if (tools_.publisher.authority().state == Authority::State::Held && moved) {
    if (auto verified = tools_.publisher.verify(call(std::move(stop))); !verified) {
      base::log(Level::Warning, "term-unverified", verified.error().text());
    }
  }
}

Result<> WatchLoop::confirm(const registry::ObjectId& commit) {
  {
    const std::lock_guard lock(held_mutex_);
    if (held_tip_.empty()) return Error{Code::Conflict, "no rewritten history is held"};
    if (held_tip_ != commit) {
      return Error{Code::Conflict, "what is held is " + held_tip_ + ": look at that one before you confirm it"};
    }
  }
  // The watch thread's own view of the mirror is not shared.
  auto mirror = registry::GitRepository::open(tools_.config.mirror());
  if (!mirror) return std::move(mirror.error());
  auto before = mirror->resolve(Watcher::kConfirmed);
  if (!before) return std::move(before.error());
  if (auto moved = mirror->move_reference(Watcher::kConfirmed, commit, *before); !moved) return moved;
  wake();
  return {};
}

void WatchLoop::take(const Result<std::shared_ptr<const AcceptedRegistry>>& accepted, const std::string& commit) {
  if (!accepted) {
    base::log(Level::Error, "registry-unreadable", accepted.error().text(), {{"commit", commit}});
    tools_.details.set(Topic::Registry, accepted.error().text());
    return;
  }
  taken_ = true;
  tools_.details.set(Topic::Registry, "");
  const auto& registry = **accepted;
  base::log(registry.problems.empty() ? Level::Info : Level::Warning, "registry-accepted",
            fmt::format("{} machines, {} problems", registry.machines.size(), registry.problems.size()),
            {{"commit", registry.observed_commit}, {"in_force", registry.accepted_commit}});
  remember_author(registry.accepted_commit);
  if (tools_.place.decide(registry, watcher_)) tools_.placed();
  tools_.accepted(*accepted, mirror_);
}

void WatchLoop::remember_author(const std::string& commit) {
  const auto read = mirror_.commit(commit);
  if (!read) return;
  tools_.authors.remember(commit, base::printable(fmt::format("{} <{}>", read->author.name, read->author.email)));
}

}  // namespace nimbus::controller
