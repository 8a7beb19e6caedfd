#include "registry/snapshot.hpp"

#include <algorithm>

namespace nimbus::registry {
namespace {

/// Entries are sorted by path: the one of `path`, or null.
template <class T>
const Entry<T>* by_path(const Entries<T>& entries, std::string_view path) noexcept {
  const auto at =
      std::ranges::lower_bound(entries, path, {}, [](const auto& entry) { return std::string_view(entry->path); });
  return at != entries.end() && (*at)->path == path ? at->get() : nullptr;
}

template <class T, class... Parts>
const Entry<T>* by_parts(const Entries<T>& entries, const Parts&... parts) noexcept {
  std::string path;
  (path.append(std::string_view(parts)), ...);
  return by_path(entries, path);
}

}  // namespace

const TreeEntry* Snapshot::find_file(std::string_view path) const noexcept {
  const auto at =
      std::ranges::lower_bound(tree, path, {}, [](const TreeEntry& entry) { return std::string_view(entry.path); });
  return at != tree.end() && at->path == path ? &*at : nullptr;
}

const Entry<ProviderFile>* find_provider(const Snapshot& snapshot, std::string_view provider) noexcept {
  return by_parts(snapshot.providers, "providers/", provider, "/provider.toml");
}

const Entry<Network>* find_network(const Snapshot& snapshot, std::string_view provider,
                                   std::string_view name) noexcept {
  return by_parts(snapshot.networks, "providers/", provider, "/networks/", name, ".toml");
}

const Entry<MachineClass>* find_class(const Snapshot& snapshot, std::string_view provider,
                                      std::string_view name) noexcept {
  return by_parts(snapshot.classes, "providers/", provider, "/classes/", name, ".toml");
}

const Entry<Tenant>* find_tenant(const Snapshot& snapshot, std::string_view tenant) noexcept {
  return by_parts(snapshot.tenants, "policy/tenants/", tenant, ".toml");
}

const Entry<Person>* find_person(const Snapshot& snapshot, std::string_view person) noexcept {
  return by_parts(snapshot.people, "policy/people/", person, ".toml");
}

const Entry<Image>* find_image(const Snapshot& snapshot, std::string_view tenant, std::string_view provider,
                               std::string_view name) noexcept {
  if (!tenant.empty()) {
    if (const auto* own = by_parts(snapshot.images, "tenants/", tenant, "/images/", name, ".toml")) return own;
  }
  if (!provider.empty()) {
    if (const auto* local = by_parts(snapshot.images, "providers/", provider, "/images/", name, ".toml")) return local;
  }
  return by_parts(snapshot.images, "images/", name, ".toml");
}

const Entry<ProfileFile>* find_profile(const Snapshot& snapshot, std::string_view tenant,
                                       std::string_view name) noexcept {
  if (!tenant.empty()) {
    if (const auto* own = by_parts(snapshot.profiles, "tenants/", tenant, "/profiles/", name, ".toml")) return own;
  }
  return by_parts(snapshot.profiles, "profiles/", name, ".toml");
}

const MachineEntry* find_machine(const Snapshot& snapshot, std::string_view provider, std::string_view name) noexcept {
  const auto at = std::ranges::find_if(
      snapshot.machines, [&](const auto& entry) { return entry->name == name && entry->provider == provider; });
  return at != snapshot.machines.end() ? at->get() : nullptr;
}

const InstanceEntry* find_instance(const Snapshot& snapshot, std::string_view tenant, std::string_view name) noexcept {
  return by_parts(snapshot.instances, "tenants/", tenant, "/instances/", name, ".toml");
}

}  // namespace nimbus::registry
