#include "registry/plan/plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "registry/dependencies.hpp"
#include "registry/plan/object_plans.hpp"
#include "registry/stalls.hpp"

namespace nimbus::registry {

std::string_view to_string(Effect effect) noexcept {
  constexpr std::array<std::string_view, 16> kNames = {
      "none",      "reported",  "recorded", "move",   "in-place",  "unmanaged",           "observe-only",
      "power",     "root-code", "unknown",  "reboot", "power-off", "credential-exposure", "install",
      "reinstall", "release"};
  return kNames[static_cast<std::size_t>(effect)];
}

Effect PlanItem::worst() const noexcept {
  Effect worst = Effect::None;
  for (const auto& change : changes) worst = std::max(worst, change.effect);
  return worst;
}

DataLoss PlanItem::data_loss() const noexcept {
  DataLoss loss = DataLoss::No;
  for (const auto& change : changes) {
    if (change.blocked.empty()) loss = std::max(loss, change.data_loss);
  }
  return loss;
}

DataLoss PlanItem::blocked_data_loss() const noexcept {
  DataLoss loss = DataLoss::No;
  for (const auto& change : changes) {
    if (!change.blocked.empty()) loss = std::max(loss, change.data_loss);
  }
  return loss;
}

namespace {

template <class T>
using ById = std::unordered_map<std::string, const Entry<T>*>;

template <class T>
ById<T> by_id(const Entries<T>& entries) {
  ById<T> out;
  for (const auto& entry : entries) out.emplace(entry->id(), entry.get());
  return out;
}

template <class Map>
const typename Map::mapped_type* facts_of(const Map& map, const std::string& id) {
  const auto found = map.find(id);
  return found != map.end() ? &found->second : nullptr;
}

class Planner {
 public:
  Planner(const Snapshot& base, const Snapshot& head, const PlanFacts& facts)
      : base_(base), head_(head), facts_(facts), stalls_(head) {}

  Plan run() {
    machines();
    instances();
    others();
    block_all_if_refused();
    std::ranges::sort(plan_.items, [](const PlanItem& a, const PlanItem& b) {
      const auto key = [](const PlanItem& item) {
        return std::tuple(-static_cast<int>(item.data_loss()), -static_cast<int>(item.blocked_data_loss()),
                          -static_cast<int>(item.worst()));
      };
      return std::tuple(key(a), a.object, a.id, a.path) < std::tuple(key(b), b.object, b.id, b.path);
    });
    plan_.limits = limits_of(plan_.items, base_);
    plan_.totals = totals_of(plan_.items);
    plan_.digest = base::sha256_hex(text());
    return std::move(plan_);
  }

 private:
  template <class T>
  PlanItem item(const Entry<T>& entry, FileKind object, PlanItem::Kind kind) {
    PlanItem out;
    out.object = object;
    out.kind = kind;
    out.id = entry.id();
    out.path = entry.path;
    out.provider = entry.provider;
    return out;
  }

  void keep(PlanItem item) {
    if (!item.changes.empty()) plan_.items.push_back(std::move(item));
  }

  bool changed(const std::string& file) const {
    const auto* before = base_.find_file(file);
    const auto* after = head_.find_file(file);
    if (before == nullptr || after == nullptr) return before != after;
    return before->blob != after->blob;
  }

  template <class T>
  std::vector<std::string> changed_files(const Entry<T>* before, const Entry<T>* after) const {
    std::set<std::string> files;
    for (const auto& [entry, snapshot] : {std::pair{before, &base_}, std::pair{after, &head_}}) {
      if (entry == nullptr) continue;
      for (const auto& file : dependencies(*entry, *snapshot)) {
        if (changed(file)) files.insert(file);
      }
    }
    return {files.begin(), files.end()};
  }

  static constexpr const char* kStays = "the last accepted version stays in force";
  static constexpr const char* kStaysOut =
      "no version was accepted before, so Nimbus leaves it alone until that is mended";

  /// An object with errors, or that refers to one, stays on its accepted version.
  template <class T>
  void block_if_broken(const Entry<T>& head, PlanItem& item) const {
    const auto errors = stalls_.against(head);
    if (errors.empty()) return;
    const std::string& file = errors.front().file;
    const std::string what = file == head.path ? "the file has errors" : file + " has errors";
    const std::string follows = item.kind == PlanItem::Kind::Added ? kStaysOut : kStays;
    for (auto& change : item.changes) change.blocked = what + ": " + follows;
    if (item.changes.empty()) item.changes.push_back({Effect::None, DataLoss::No, {}, {}, {}, what, follows});
  }

  /// Errors of registry.toml and policy/ keep everything as it is.
  void block_all_if_refused() {
    if (stalls_.refused_by().empty()) return;
    for (auto& item : plan_.items) {
      for (auto& change : item.changes)
        change.blocked = stalls_.refused_by() + " has errors: the whole commit is refused";
    }
  }

  // Machines ---------------------------------------------------------------

  void machines() {
    const auto before = by_id(base_.machines);
    const auto after = by_id(head_.machines);
    std::unordered_map<std::string, std::string> pins;
    for (const auto& entry : head_.instances) {
      const auto& pin = entry->value.requirements.machine;
      if (!pin.empty()) pins[entry->value.provider + "/" + pin] = entry->id();
    }
    for (const auto& entry : head_.machines) {
      const auto old = before.find(entry->id());
      if (old == before.end()) {
        added(*entry, after);
      } else if (old->second != entry.get()) {
        compare(*old->second, *entry, pins);
      }
    }
    for (const auto& entry : base_.machines) {
      if (!after.contains(entry->id())) removed(*entry, before);
    }
  }

  void compare(const MachineEntry& old, const MachineEntry& entry,
               const std::unordered_map<std::string, std::string>& pins) {
    if (old.digest == entry.digest && old.value == entry.value) return;
    MachineContext context;
    context.facts = facts_of(facts_.machines, entry.id());
    if (const auto pin = pins.find(entry.id()); pin != pins.end()) context.pinned_by = pin->second;
    auto out = item(entry, FileKind::Machine, PlanItem::Kind::Changed);
    out.changes = machine_changes(old.value, entry.value, context);
    if (old.path != entry.path) {
      out.changes.push_back(
          {Effect::Move, DataLoss::No, {}, old.path, entry.path, "another file: nothing happens to the machine", {}});
    }
    block_if_broken(entry, out);
    out.files = changed_files(&old, &entry);
    keep(std::move(out));
  }

  /// The machine of the other side that has the same identity under another name.
  static const MachineEntry* same_machine(const MachineEntry& entry, const Entries<DesiredMachine>& others,
                                          const ById<DesiredMachine>& not_these) {
    const auto& own = entry.value.identity;
    for (const auto& other : others) {
      if (not_these.contains(other->id())) continue;
      const auto& theirs = other->value.identity;
      if ((!own.serial.empty() && own.serial == theirs.serial) || (!own.uuid.empty() && own.uuid == theirs.uuid))
        return other.get();
    }
    return nullptr;
  }

  void added(const MachineEntry& entry, const ById<DesiredMachine>& after) {
    auto out = item(entry, FileKind::Machine, PlanItem::Kind::Added);
    if (const auto* old = same_machine(entry, base_.machines, after)) {
      out.changes.push_back({Effect::Move,
                             DataLoss::No,
                             {},
                             old->id(),
                             entry.id(),
                             "the same serial or UUID under another name: nothing happens to the machine",
                             {}});
      auto rest = machine_changes(old->value, entry.value, {});
      out.changes.insert(out.changes.end(), rest.begin(), rest.end());
    } else {
      out.changes.push_back(
          {Effect::CredentialExposure,
           DataLoss::No,
           "bmc.address",
           {},
           entry.value.bmc.address,
           entry.value.enforcement == Enforcement::Enforce
               ? "a new machine: its credentials are sent to this address; differences are corrected"
               : "a new machine: its credentials are sent to this address; it is looked at, not written to",
           {}});
    }
    block_if_broken(entry, out);
    out.files = changed_files<DesiredMachine>(nullptr, &entry);
    keep(std::move(out));
  }

  void removed(const MachineEntry& entry, const ById<DesiredMachine>& before) {
    if (same_machine(entry, head_.machines, before) != nullptr) return;  // told as a move
    auto out = item(entry, FileKind::Machine, PlanItem::Kind::Removed);
    out.changes.push_back(
        {Effect::Unmanaged, DataLoss::No, {}, {}, {}, "no more writes to it; its disks are never erased", {}});
    out.files = changed_files<DesiredMachine>(&entry, nullptr);
    keep(std::move(out));
  }

  // Instances --------------------------------------------------------------

  void instances() {
    const auto before = by_id(base_.instances);
    const auto after = by_id(head_.instances);
    for (const auto& entry : head_.instances) {
      const auto old = before.find(entry->id());
      InstanceContext context{facts_of(facts_.instances, entry->id()), &base_, &head_};
      const bool fresh = old == before.end();
      if (!fresh && old->second->digest == entry->digest) continue;
      auto out = item(*entry, FileKind::Instance, fresh ? PlanItem::Kind::Added : PlanItem::Kind::Changed);
      out.provider = entry->value.provider;
      if (fresh) {
        out.changes.push_back(instance_added(*entry, context));
      } else {
        out.changes = instance_changes(*old->second, *entry, context);
      }
      block_if_broken(*entry, out);
      out.files = changed_files(fresh ? nullptr : old->second, entry.get());
      keep(std::move(out));
    }
    for (const auto& entry : base_.instances) {
      if (after.contains(entry->id())) continue;
      InstanceContext context{facts_of(facts_.instances, entry->id()), &base_, &head_};
      auto out = item(*entry, FileKind::Instance, PlanItem::Kind::Removed);
      out.provider = entry->value.provider;
      out.changes.push_back(instance_removed(*entry, context));
      out.files = changed_files<Instance>(entry.get(), nullptr);
      keep(std::move(out));
    }
  }

  // Everything else --------------------------------------------------------

  void other(FileKind kind, const std::string& path, std::string provider, std::string reason) {
    if (!changed(path)) return;
    PlanItem out;
    out.object = kind;
    out.id = path;
    out.path = path;
    out.provider = std::move(provider);
    out.files = {path};
    const bool was = base_.find_file(path) != nullptr;
    const bool is = head_.find_file(path) != nullptr;
    out.kind = was && is ? PlanItem::Kind::Changed : is ? PlanItem::Kind::Added : PlanItem::Kind::Removed;
    out.changes.push_back({Effect::Reported, DataLoss::No, {}, {}, {}, std::move(reason), {}});
    plan_.items.push_back(std::move(out));
  }

  template <class T>
  void others(FileKind kind, const Entries<T>& before, const Entries<T>& after, const char* reason) {
    std::map<std::string, std::string> paths;
    for (const auto& entry : before) paths[entry->path] = entry->provider;
    for (const auto& entry : after) paths[entry->path] = entry->provider;
    for (const auto& [path, provider] : paths) other(kind, path, provider, reason);
  }

  void others() {
    other(FileKind::Registry, "registry.toml", {}, "concerns every controller of this registry");
    other(FileKind::Limits, "policy/limits.toml", {}, "holds from the commit after this one");
    other(FileKind::Roles, "policy/roles.toml", {}, "who may change what");
    other(FileKind::Bindings, "policy/bindings.toml", {}, "who may change what");
    others(FileKind::Tenant, base_.tenants, head_.tenants, "nothing new is placed beyond it; what runs goes on");
    others(FileKind::Person, base_.people, head_.people, "who may log in and sign");
    others(FileKind::Approval, base_.approvals, head_.approvals, "releases the plan of this digest until it expires");
    others(FileKind::Provider, base_.providers, head_.providers,
           "consent and limits hold for new placements and disruptions; defaults are shown at each machine");
    others(FileKind::Network, base_.networks, head_.networks, "boot services and ports follow");
  }

  // The digest ---------------------------------------------------------------

  /// Unambiguous: every part is preceded by its length.
  std::string text() const {
    const bool grave = std::ranges::any_of(plan_.items, is_grave);
    std::string out;
    const auto put = [&](std::string_view part) { out += fmt::format("{}:{}\n", part.size(), part); };
    for (const auto& item : plan_.items) {
      if (item.object == FileKind::Approval || (grave && !is_grave(item))) continue;
      put(to_string(item.object));
      put(fmt::format("{}", static_cast<int>(item.kind)));
      put(item.id);
      put(item.path);
      for (const auto& change : item.changes) {
        if (grave && !leaves_registry(item) && (change.data_loss == DataLoss::No || !change.blocked.empty())) continue;
        put(to_string(change.effect));
        put(fmt::format("{}", static_cast<int>(change.data_loss)));
        put(change.key);
        put(change.from);
        put(change.to);
        put(change.blocked);
      }
    }
    return out;
  }

  /// May have to be approved.
  static bool is_grave(const PlanItem& item) { return item.data_loss() != DataLoss::No || leaves_registry(item); }

  const Snapshot& base_;
  const Snapshot& head_;
  const PlanFacts& facts_;
  const Stalls stalls_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const Snapshot& base, const Snapshot& head, const PlanFacts& facts) {
  return Planner(base, head, facts).run();
}

bool is_approved(const std::vector<Approval>& approvals, std::string_view digest, WallTime now) noexcept {
  return std::ranges::any_of(approvals,
                             [&](const Approval& each) { return each.digest == digest && now < each.expires; });
}

}  // namespace nimbus::registry
