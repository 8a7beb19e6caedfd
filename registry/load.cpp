#include "registry/load.hpp"

#include <optional>
#include <type_traits>
#include <utility>

#include "registry/checks.hpp"
#include "registry/cross_checks.hpp"
#include "registry/dependencies.hpp"
#include "registry/machine_merge.hpp"
#include "registry/read_table.hpp"
#include "registry/schema/tables.hpp"
#include "registry/tree_checks.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Table;

class Loader {
 public:
  Loader(const TreeSource& source, const Snapshot* previous) : source_(source), previous_(previous) {}

  Result<LoadResult> run() {
    auto listed = source_.list();
    if (!listed) return std::move(listed.error());
    snapshot_->tree = std::move(*listed);
    snapshot_->objects.resize(snapshot_->tree.size());
    classify_all();
    load_kind(snapshot_->settings, FileKind::Registry);
    load_kind(snapshot_->limits, FileKind::Limits);
    load_kind(snapshot_->roles, FileKind::Roles);
    load_kind(snapshot_->bindings, FileKind::Bindings);
    load_kind(snapshot_->approvals, FileKind::Approval);
    load_kind(snapshot_->tenants, FileKind::Tenant);
    load_kind(snapshot_->people, FileKind::Person);
    load_kind(snapshot_->providers, FileKind::Provider);
    load_kind(snapshot_->classes, FileKind::Class);
    load_kind(snapshot_->networks, FileKind::Network);
    load_kind(snapshot_->images, FileKind::Image);
    load_kind(snapshot_->profiles, FileKind::Profile);
    load_machines();
    load_kind(snapshot_->instances, FileKind::Instance);
    digest_instances();
    snapshot_->claims = all_claims(snapshot_->machines, previous_);
    cross_check(*snapshot_, source_, problems_);
    sort_problems(problems_);
    snapshot_->problems = problems_;
    return LoadResult{snapshot_, std::move(problems_)};
  }

 private:
  struct Found {
    std::size_t index;  // into the tree
    PathInfo info;
    std::size_t before;  // index into the previous tree if the blob is the same
  };
  static constexpr std::size_t kNew = SIZE_MAX;

  void classify_all() {
    check_tree(snapshot_->tree, problems_);
    std::size_t before = 0;
    found_[static_cast<std::size_t>(FileKind::Machine)].reserve(snapshot_->tree.size());
    for (std::size_t i = 0; i < snapshot_->tree.size(); ++i) {
      const auto& file = snapshot_->tree[i];
      auto verdict = classify(file.path);
      if (verdict.kind == PathVerdict::Kind::Wrong) {
        problems_.push_back({verdict.code, Severity::Error, file.path, 0, 0, 0, std::move(verdict.message), {}});
      }
      if (verdict.kind != PathVerdict::Kind::Known || verdict.info.kind == FileKind::Content) continue;
      if (file.kind != TreeEntry::Kind::File && file.kind != TreeEntry::Kind::Executable) continue;
      found_[static_cast<std::size_t>(verdict.info.kind)].push_back({i, verdict.info, same_before(file, before)});
    }
  }

  /// Both trees are sorted: `at` only moves on.
  std::size_t same_before(const TreeEntry& file, std::size_t& at) const {
    if (previous_ == nullptr) return kNew;
    const auto& tree = previous_->tree;
    int order = -1;
    while (at < tree.size() && (order = tree[at].path.compare(file.path)) < 0) ++at;
    if (at == tree.size() || order != 0 || tree[at].blob != file.blob || file.blob.empty()) return kNew;
    return previous_->objects[at] != nullptr ? at : kNew;
  }

  template <class T>
  std::shared_ptr<Entry<T>> entry_for(const Found& found) {
    const auto& file = snapshot_->tree[found.index];
    auto entry = new_entry<T>();
    entry->path = file.path;
    entry->blob = file.blob;
    entry->provider = found.info.provider;
    entry->tenant = found.info.tenant;
    entry->name = found.info.name;
    return entry;
  }

  template <class T>
  void keep(const Found& found, const EntryPtr<T>& entry) {
    snapshot_->objects[found.index] = entry;
    problems_.insert(problems_.end(), entry->problems.begin(), entry->problems.end());
  }

  template <class T>
  EntryPtr<T> reused(const Found& found) const {
    return std::static_pointer_cast<const Entry<T>>(previous_->objects[found.before]);
  }

  // What a file of each kind is read into.
  template <class T>
  void read(const Table& table, FileKind kind, Entry<T>& entry, Report& report) {
    fill_names(entry);
    walk(*spec_of(kind), table, &entry.value, kInMachine, report);
    if (!has_errors(entry.problems)) check(entry, table, report);
  }
  void read(const Table& table, FileKind kind, Entry<ProfileFile>& entry, Report& report) {
    entry.value.profile.path = entry.path;
    entry.value.profile.name = entry.name;
    entry.value.table = table;
    walk(*spec_of(kind), table, &entry.value.profile, level_of(kind), report);
    if (!has_errors(entry.problems)) check(entry, report);
  }
  void read(const Table& table, FileKind kind, Entry<ProviderFile>& entry, Report& report) {
    entry.value.provider.name = entry.name;
    walk(*spec_of(kind), table, &entry.value.provider, kInMachine, report);
    const auto* defaults = table.find("defaults");
    if (defaults == nullptr || defaults->table() == nullptr) return;
    entry.value.defaults = *defaults->table();
    DesiredMachine unused;
    walk(tables::kDefaults, entry.value.defaults, &unused, kInDefaults, report);
    check_trust(table, "defaults.bmc", report);
  }
  void read(const Table& table, FileKind kind, Entry<MachineClass>& entry, Report& report) {
    entry.value.table = table;
    DesiredMachine unused;
    walk(*spec_of(kind), table, &unused, kInClass, report);
    check_trust(table, "bmc", report);
  }

  static void fill_names(Entry<Network>& e) { e.value.provider = e.provider, e.value.name = e.name; }
  static void fill_names(Entry<Image>& e) { e.value.path = e.path, e.value.name = e.name; }
  static void fill_names(Entry<Instance>& e) { e.value.tenant = e.tenant, e.value.name = e.name; }
  static void fill_names(Entry<Tenant>& e) { e.value.name = e.name; }
  static void fill_names(Entry<Person>& e) { e.value.id = e.name; }
  static void fill_names(Entry<Approval>& e) { e.value.digest = e.name; }
  template <class T>
  static void fill_names(Entry<T>&) {}

  template <class T>
  EntryPtr<T> load_one(const Found& found) {
    if (found.before != kNew) return reused<T>(found);
    auto entry = entry_for<T>(found);
    entry->digest = digest_of({entry->path}, *snapshot_);
    Report report(entry->path, entry->problems);
    if (const auto table = read_table(source_, snapshot_->tree[found.index], report)) {
      read(*table, found.info.kind, *entry, report);
    }
    return entry;
  }

  template <class T>
  void load_kind(Entries<T>& into, FileKind kind) {
    const auto& found = found_[static_cast<std::size_t>(kind)];
    into.reserve(found.size());
    for (const auto& each : found) {
      into.push_back(load_one<T>(each));
      keep(each, into.back());
    }
  }

  template <class T>
  void load_kind(EntryPtr<T>& into, FileKind kind) {
    for (const auto& each : found_[static_cast<std::size_t>(kind)]) {
      into = load_one<T>(each);
      keep(each, into);
    }
  }

  void load_machines() {
    const auto& found = found_[static_cast<std::size_t>(FileKind::Machine)];
    snapshot_->machines.reserve(found.size());
    std::string_view provider;
    bool same_surroundings = false;
    for (const auto& each : found) {
      if (each.info.provider != provider) {
        provider = each.info.provider;
        same_surroundings = surroundings_unchanged(provider);
      }
      EntryPtr<DesiredMachine> entry;
      if (each.before != kNew) {
        entry = reused<DesiredMachine>(each);
        if (!same_surroundings && !surroundings_unchanged(*entry)) entry = nullptr;
      }
      if (entry == nullptr) entry = load_machine(each);
      keep(each, entry);
      snapshot_->machines.push_back(std::move(entry));
    }
  }

  /// True if no file of the provider that machines are merged from changed.
  bool surroundings_unchanged(std::string_view provider) const {
    if (previous_ == nullptr) return false;
    const auto same = [&](const auto& now, const auto& before) {
      const auto of = [&](const auto& list, auto& out) {
        for (const auto& each : list) {
          if (each->provider == provider) out.push_back(each.get());
        }
      };
      std::vector<const void*> a;
      std::vector<const void*> b;
      of(now, a);
      of(before, b);
      return a == b;
    };
    return same(snapshot_->providers, previous_->providers) && same(snapshot_->classes, previous_->classes) &&
           same(snapshot_->networks, previous_->networks);
  }

  bool surroundings_unchanged(const MachineEntry& entry) const {
    const auto& machine = entry.value;
    return find_provider(*snapshot_, entry.provider) == find_provider(*previous_, entry.provider) &&
           find_class(*snapshot_, entry.provider, machine.class_name) ==
               find_class(*previous_, entry.provider, machine.class_name) &&
           find_network(*snapshot_, entry.provider, machine.boot.network) ==
               find_network(*previous_, entry.provider, machine.boot.network);
  }

  EntryPtr<DesiredMachine> load_machine(const Found& found) {
    auto entry = entry_for<DesiredMachine>(found);
    Report report(entry->path, entry->problems);
    merge_.fill(*entry, read_table(source_, snapshot_->tree[found.index], report), report);
    return entry;
  }

  /// An instance's file may be unchanged while what it refers to is not.
  void digest_instances() {
    const auto& found = found_[static_cast<std::size_t>(FileKind::Instance)];
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& entry = snapshot_->instances[i];
      auto digest = digest_of(dependencies(*entry, *snapshot_), *snapshot_);
      if (digest == entry->digest) continue;
      auto renewed = copy_of(*entry);
      renewed->digest = std::move(digest);
      entry = renewed;
      snapshot_->objects[found[i].index] = std::move(renewed);
    }
  }

  const TreeSource& source_;
  const Snapshot* previous_;
  std::shared_ptr<Snapshot> snapshot_ = std::make_shared<Snapshot>();
  std::vector<Problem> problems_;
  std::vector<Found> found_[kFileKinds];
  MachineMerge merge_{*snapshot_};
};

}  // namespace

Result<LoadResult> load(const TreeSource& source, const Snapshot* previous) { return Loader(source, previous).run(); }

}  // namespace nimbus::registry
