#include "registry/dependencies.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"

namespace nimbus::registry {
namespace {

using Paths = std::vector<std::string>;

std::string provider_path(std::string_view provider) { return fmt::format("providers/{}/provider.toml", provider); }
std::string network_path(std::string_view provider, std::string_view name) {
  return fmt::format("providers/{}/networks/{}.toml", provider, name);
}

/// A file below files/: the tenant's own before everybody's.
void add_content(Paths& paths, const std::string& tenant, const std::string& path, const Snapshot& snapshot) {
  if (path.empty()) return;
  const auto* found = find_content(snapshot, tenant, path);
  paths.push_back(found != nullptr ? found->path : path);
}

void add_people(Paths& paths, const std::vector<std::string>& keys) {
  constexpr std::string_view kPerson = "person:";
  for (const auto& key : keys) {
    if (key.starts_with(kPerson)) paths.push_back(fmt::format("policy/people/{}.toml", key.substr(kPerson.size())));
  }
}

void add(Paths& paths, const Entry<Image>& image, const Snapshot& snapshot) {
  paths.push_back(image.path);
  add_content(paths, image.tenant, image.value.template_file, snapshot);
}

void add(Paths& paths, const Entry<ProfileFile>& profile, const Snapshot& snapshot) {
  paths.push_back(profile.path);
  const auto& rows = profile.value.profile;
  for (const auto& source : content_sources(rows)) add_content(paths, profile.tenant, source.path, snapshot);
  for (const auto& user : rows.users) add_people(paths, user.ssh_keys);
}

}  // namespace

std::vector<ContentSource> content_sources(const Profile& profile) {
  std::vector<ContentSource> out;
  const auto add = [&](const std::string& path, std::string_view table, std::size_t row, std::string_view key) {
    if (!path.empty()) out.push_back({path, fmt::format("{}.{}.{}", table, row, key)});
  };
  for (std::size_t i = 0; i < profile.files.size(); ++i) add(profile.files[i].source, "file", i, "source");
  for (std::size_t i = 0; i < profile.ca_certificates.size(); ++i) {
    add(profile.ca_certificates[i].source, "ca_certificate", i, "source");
  }
  for (std::size_t i = 0; i < profile.repositories.size(); ++i) {
    if (const auto& key = profile.repositories[i].key) add(key->source, "repository", i, "key.source");
  }
  return out;
}

const TreeEntry* find_content(const Snapshot& snapshot, std::string_view tenant, std::string_view path) {
  if (!tenant.empty()) {
    if (const auto* own = snapshot.find_file(fmt::format("tenants/{}/{}", tenant, path))) return own;
  }
  return snapshot.find_file(path);
}

Paths dependencies(const Entry<DesiredMachine>& entry, const Snapshot&) {
  Paths paths{entry.path, provider_path(entry.provider)};
  const auto& machine = entry.value;
  if (!machine.class_name.empty()) {
    paths.push_back(fmt::format("providers/{}/classes/{}.toml", entry.provider, machine.class_name));
  }
  if (!machine.boot.network.empty()) paths.push_back(network_path(entry.provider, machine.boot.network));
  return paths;
}

Paths dependencies(const Entry<Instance>& entry, const Snapshot& snapshot) {
  const auto& instance = entry.value;
  Paths paths{entry.path, provider_path(instance.provider), fmt::format("policy/tenants/{}.toml", entry.tenant)};
  if (const auto* image = find_image(snapshot, entry.tenant, instance.provider, instance.image))
    add(paths, *image, snapshot);
  for (const auto& name : instance.profiles) {
    if (const auto* profile = find_profile(snapshot, entry.tenant, name)) add(paths, *profile, snapshot);
  }
  for (const auto& each : instance.networks) paths.push_back(network_path(instance.provider, each.name));
  add_people(paths, instance.access.ssh_keys);
  add_content(paths, entry.tenant, instance.access.user_data, snapshot);
  return paths;
}

Paths dependencies(const Entry<ProviderFile>& entry, const Snapshot&) { return {entry.path}; }
Paths dependencies(const Entry<MachineClass>& entry, const Snapshot&) {
  return {entry.path, provider_path(entry.provider)};
}
Paths dependencies(const Entry<Network>& entry, const Snapshot&) { return {entry.path, provider_path(entry.provider)}; }

Paths dependencies(const Entry<Image>& entry, const Snapshot& snapshot) {
  Paths paths;
  add(paths, entry, snapshot);
  return paths;
}

Paths dependencies(const Entry<ProfileFile>& entry, const Snapshot& snapshot) {
  Paths paths;
  add(paths, entry, snapshot);
  return paths;
}

std::string digest_of(const Paths& files, const Snapshot& snapshot) {
  std::string text;
  for (const auto& file : files) {
    const auto* entry = snapshot.find_file(file);
    text.append(file).push_back('\0');
    if (entry != nullptr) text.append(entry->blob);
    text.push_back('\n');
  }
  return base::sha256_hex(text);
}

}  // namespace nimbus::registry
