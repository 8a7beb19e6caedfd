// Snapshot: a registry as values, immutable and shared by pointer. The loader
// (load.hpp) makes one of what a commit says; accept() (accept.hpp) makes one of
// what is in force. Thread rule: immutable; safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml/value.hpp"
#include "core/desired/image.hpp"
#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"
#include "core/desired/network.hpp"
#include "core/desired/policy.hpp"
#include "core/desired/profile.hpp"
#include "core/desired/provider.hpp"
#include "core/desired/registry.hpp"
#include "registry/path.hpp"
#include "registry/problem.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

/// One file and the object that it defines.
template <class T>
struct Entry {
  std::string path;
  std::string blob;
  std::string provider, tenant, name;  // from the path
  /// SHA-256 (hex) over path and blob id of every file that defines the object.
  std::string digest;
  /// Loaded: what the good keys of the file say, even if others are wrong.
  /// In force: complete.
  T value;
  /// In force only: the file says something else, which is not in force because of
  /// `problems`; `value` is the last accepted version.
  bool stalled = false;
  /// Loaded: of this file alone. In force: why it is stalled.
  std::vector<Problem> problems;
  /// Hashes of what must be unique in the registry; see unique_checks.cpp.
  std::vector<std::uint64_t> claims;

  /// "berlin-1/m017", "acme/web-1", "debian-12".
  std::string id() const {
    const std::string& scope = provider.empty() ? tenant : provider;
    return scope.empty() ? name : scope + "/" + name;
  }
};
template <class T>
using EntryPtr = std::shared_ptr<const Entry<T>>;
/// Sorted by path.
template <class T>
using Entries = std::vector<EntryPtr<T>>;

/// A class or a provider's defaults: rows of a machine, merged as text by key.
struct MachineClass {
  base::toml::Table table;
};
struct ProviderFile {
  Provider provider;
  base::toml::Table defaults;
};
/// Profiles are merged as text by key: host/merge.hpp.
struct ProfileFile {
  Profile profile;  // of this file alone, variables as written
  base::toml::Table table;
};

struct Snapshot {
  EntryPtr<RegistrySettings> settings;  // null: absent
  EntryPtr<Limits> limits;              // null: absent, the defaults hold
  EntryPtr<Roles> roles;
  EntryPtr<Bindings> bindings;
  Entries<Approval> approvals;
  Entries<Tenant> tenants;
  Entries<Person> people;
  Entries<ProviderFile> providers;
  Entries<MachineClass> classes;
  Entries<Network> networks;
  Entries<Image> images;
  Entries<ProfileFile> profiles;
  Entries<DesiredMachine> machines;
  Entries<Instance> instances;

  /// Of what the commit says: every problem found, sorted. In force: empty.
  std::vector<Problem> problems;

  /// Every file of the tree, sorted by path; the loader reuses `objects`, which lie
  /// parallel to it.
  std::vector<TreeEntry> tree;
  std::vector<std::shared_ptr<const void>> objects;
  /// Claims of all machines, sorted; null if one occurs twice.
  std::shared_ptr<const std::vector<std::uint64_t>> claims;

  const TreeEntry* find_file(std::string_view path) const noexcept;
};

/// An entry to be filled, and a copy to be changed, on the heap. Compiled once, in
/// entries.hpp, for every kind: what an object of each kind is built and destroyed
/// with is most of a compiler's work on the files that use them.
template <class T>
std::shared_ptr<Entry<T>> new_entry();
template <class T>
std::shared_ptr<Entry<T>> copy_of(const Entry<T>& entry);

using MachineEntry = Entry<DesiredMachine>;
using InstanceEntry = Entry<Instance>;

/// By names; null if there is none. Linear in the number of providers only.
const Entry<ProviderFile>* find_provider(const Snapshot& snapshot, std::string_view provider) noexcept;
const Entry<Network>* find_network(const Snapshot& snapshot, std::string_view provider, std::string_view name) noexcept;
const Entry<MachineClass>* find_class(const Snapshot& snapshot, std::string_view provider,
                                      std::string_view name) noexcept;
const Entry<Tenant>* find_tenant(const Snapshot& snapshot, std::string_view tenant) noexcept;
const Entry<Person>* find_person(const Snapshot& snapshot, std::string_view person) noexcept;
/// The tenant's own, then the provider's, then everybody's.
const Entry<Image>* find_image(const Snapshot& snapshot, std::string_view tenant, std::string_view provider,
                               std::string_view name) noexcept;
const Entry<ProfileFile>* find_profile(const Snapshot& snapshot, std::string_view tenant,
                                       std::string_view name) noexcept;
/// Linear: machines lie in groups.
const MachineEntry* find_machine(const Snapshot& snapshot, std::string_view provider, std::string_view name) noexcept;
const InstanceEntry* find_instance(const Snapshot& snapshot, std::string_view tenant, std::string_view name) noexcept;

}  // namespace nimbus::registry
