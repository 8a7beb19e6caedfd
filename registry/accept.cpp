#include "registry/accept.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "registry/stalls.hpp"

namespace nimbus::registry {
namespace {

/// Sets the brakes that `newest` pulls; true if that changed anything.
bool brake(DesiredMachine& machine, const DesiredMachine& newest) {
  auto& own = machine.lifecycle;
  const auto before = own;
  if (newest.lifecycle.hands_off) own.hands_off = true;
  if (newest.lifecycle.state == LifecycleState::Maintenance && own.state == LifecycleState::InService) {
    own.state = LifecycleState::Maintenance;
  }
  if (own == before) return false;
  if (!newest.lifecycle.reason.empty()) own.reason = newest.lifecycle.reason;
  // What is in force is no longer what the accepted files say: another digest.
  machine.digest = base::sha256_hex(fmt::format("{}\n{}\n{}", machine.digest, own.hands_off, name_of(own.state)));
  return true;
}

bool brake(Instance& instance, const Instance& newest) {
  if (instance.is_protected || !newest.is_protected) return false;
  instance.is_protected = true;
  return true;
}

template <class T>
bool brake(T&, const T&) {
  return false;
}

void copy_digest(Entry<DesiredMachine>& entry) { entry.digest = entry.value.digest; }
template <class T>
void copy_digest(Entry<T>&) {}

using Index = std::unordered_map<std::string, std::size_t>;

class Acceptor {
 public:
  Acceptor(std::shared_ptr<const Snapshot> previous, const Snapshot& loaded)
      : previous_(std::move(previous)), loaded_(loaded), stalls_(loaded) {}

  Acceptance run() {
    Acceptance out;
    out.problems = loaded_.problems;
    if (!stalls_.refused_by().empty()) {
      out.state = AcceptState::Refused;
      return only_brakes(std::move(out));
    }
    out.state = stalls_.none() ? AcceptState::Accepted : AcceptState::Partly;
    auto effective = std::make_shared<Snapshot>(loaded_);
    effective->problems.clear();
    if (!stalls_.none()) {
      choose(effective->providers, &Snapshot::providers, nullptr);
      choose(effective->classes, &Snapshot::classes, nullptr);
      choose(effective->networks, &Snapshot::networks, nullptr);
      choose(effective->images, &Snapshot::images, nullptr);
      choose(effective->profiles, &Snapshot::profiles, nullptr);
      choose(effective->machines, &Snapshot::machines, [&](const MachineEntry& entry) {
        out.unusable_machines.push_back({entry.provider, entry.name});
      });
      choose(effective->instances, &Snapshot::instances,
             [&](const InstanceEntry& entry) { out.unusable_instances.push_back(entry.id()); });
    }
    out.effective = std::move(effective);
    return out;
  }

  Acceptance hold() {
    Acceptance out;
    out.problems = loaded_.problems;
    out.state = AcceptState::Held;
    return only_brakes(std::move(out));
  }

 private:
  Acceptance only_brakes(Acceptance out) {
    if (previous_ == nullptr) {
      out.effective = std::make_shared<Snapshot>();
      for (const auto& entry : loaded_.machines) out.unusable_machines.push_back({entry->provider, entry->name});
      for (const auto& entry : loaded_.instances) out.unusable_instances.push_back(entry->id());
      return out;
    }
    auto effective = std::make_shared<Snapshot>(*previous_);
    bool changed = brake_all(effective->machines, loaded_.machines);
    changed = brake_all(effective->instances, loaded_.instances) || changed;
    out.effective = changed ? std::move(effective) : previous_;
    return out;
  }

  /// Where each entry stands in its list. Images and profiles of different scopes may
  /// share an id.
  template <class T>
  static Index index(const Entries<T>& entries) {
    Index at;
    at.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) at[key_of(*entries[i])] = i;
    return at;
  }

  template <class T>
  static std::string key_of(const Entry<T>& entry) {
    return entry.id() + "@" + entry.provider + "@" + entry.tenant;
  }

  template <class T>
  static bool brake_all(Entries<T>& effective, const Entries<T>& newest) {
    const auto by_id = index(newest);
    bool changed = false;
    for (auto& entry : effective) {
      const auto found = by_id.find(key_of(*entry));
      if (found == by_id.end()) continue;
      const auto& now = *newest[found->second];
      if (is_unreadable(now.problems)) continue;
      auto braked = copy_of(*entry);
      if (!brake(braked->value, now.value)) continue;
      copy_digest(*braked);
      entry = std::move(braked);
      changed = true;
    }
    return changed;
  }

  /// Replaces each bad entry by the one in force so far, or drops it.
  template <class T, class Unusable>
  void choose(Entries<T>& entries, Entries<T> Snapshot::*list, Unusable unusable) {
    static const Entries<T> kNone;
    const auto& before = previous_ != nullptr ? (*previous_).*list : kNone;
    const auto by_id = index(before);
    Entries<T> chosen;
    chosen.reserve(entries.size());
    for (const auto& entry : entries) {
      auto reasons = stalls_.against(*entry);
      if (reasons.empty()) {
        chosen.push_back(entry);
        continue;
      }
      const auto old = by_id.find(key_of(*entry));
      if (old == by_id.end()) {
        if constexpr (!std::is_same_v<Unusable, std::nullptr_t>) unusable(*entry);
        continue;
      }
      auto stalled = copy_of(*before[old->second]);
      stalled->path = entry->path;
      stalled->stalled = true;
      stalled->problems = std::move(reasons);
      if (!is_unreadable(entry->problems) && brake(stalled->value, entry->value)) copy_digest(*stalled);
      chosen.push_back(std::move(stalled));
    }
    entries = std::move(chosen);
  }

  std::shared_ptr<const Snapshot> previous_;
  const Snapshot& loaded_;
  Stalls stalls_;
};

}  // namespace

std::string_view to_string(AcceptState state) noexcept {
  switch (state) {
    case AcceptState::Accepted:
      return "accepted";
    case AcceptState::Partly:
      return "partly";
    case AcceptState::Refused:
      return "refused";
    case AcceptState::Held:
      return "held";
  }
  return "refused";
}

Acceptance accept(std::shared_ptr<const Snapshot> previous, const Snapshot& loaded) {
  return Acceptor(std::move(previous), loaded).run();
}

Acceptance hold_back(std::shared_ptr<const Snapshot> previous, const Snapshot& loaded) {
  return Acceptor(std::move(previous), loaded).hold();
}

}  // namespace nimbus::registry
