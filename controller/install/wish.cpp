#include "controller/install/wish.hpp"

namespace nimbus::controller {
namespace {

constexpr std::string_view kPerson = "person:";

constexpr std::size_t kMostUserData = std::size_t{64} << 10U;  // goes through a plan, and JSON makes it longer

/// The tenant's own file first, then the shared one, as everywhere in the registry.
void read_user_data(const registry::Snapshot& snapshot, const ReadFile& read, InstanceWish& wish) {
  const auto& path = wish.instance.access.user_data;
  if (path.empty()) return;
  const auto* file = snapshot.find_file("tenants/" + wish.instance.tenant + "/" + path);
  if (file == nullptr) file = snapshot.find_file(path);
  auto text = file == nullptr ? Result<std::string>(Error{Code::NotFound, "no such file"}) : read(*file);
  if (!text) {
    wish.problem = path + " cannot be read: " + text.error().message;
  } else if (text->size() > kMostUserData || text->find('\0') != std::string::npos) {
    wish.problem = path + " is no text of at most 64 KiB";
  } else {
    wish.user_data = std::move(*text);
  }
}

void resolve(const registry::Snapshot& snapshot, const ReadFile& read, InstanceWish& wish) {
  const auto& instance = wish.instance;
  if (instance.adopt) {
    wish.problem = "adopts a machine that runs already; nothing is installed";
    return;
  }
  const auto* image = registry::find_image(snapshot, instance.tenant, instance.provider, instance.image);
  if (image == nullptr) {
    wish.problem = "there is no image \"" + instance.image + "\"";
    return;
  }
  wish.image = image->value;
  if (wish.image.installer != Installer::DiskImage || !wish.image.disk) {
    wish.problem = "image \"" + instance.image + "\" is no disk image; only those are installed so far";
  }
  if (!wish.image.storage.empty())
    wish.problem = "image \"" + instance.image + "\" asks for a storage layout; not offered yet";
  read_user_data(snapshot, read, wish);
  for (const auto& key : instance.access.ssh_keys) {
    if (!key.starts_with(kPerson)) {
      wish.ssh_keys.push_back(key);
      continue;
    }
    const auto* person = registry::find_person(snapshot, std::string_view(key).substr(kPerson.size()));
    if (person == nullptr) continue;
    wish.ssh_keys.insert(wish.ssh_keys.end(), person->value.ssh_keys.begin(), person->value.ssh_keys.end());
  }
}

}  // namespace

Wishes wishes_of(const registry::Snapshot* snapshot, const std::string& provider, const std::string& commit,
                 const ReadFile& read) {
  Wishes wishes;
  wishes.commit = commit;
  if (snapshot == nullptr) return wishes;
  if (const auto* found = registry::find_provider(*snapshot, provider)) wishes.provider = found->value.provider;
  for (const auto& entry : snapshot->networks) {
    if (entry->provider == provider) wishes.networks[entry->name] = entry->value;
  }
  for (const auto& entry : snapshot->tenants) wishes.tenants[entry->name] = entry->value;
  const auto elsewhere = std::make_shared<std::vector<Instance>>();
  wishes.elsewhere = elsewhere;
  for (const auto& entry : snapshot->instances) {
    if (entry->value.provider != provider) {
      elsewhere->push_back(entry->value);
      continue;
    }
    InstanceWish wish{
        .instance = entry->value, .path = entry->path, .image = {}, .ssh_keys = {}, .user_data = {}, .problem = {}};
    resolve(*snapshot, read, wish);
    wishes.instances[entry->value.id()] = std::move(wish);
  }
  return wishes;
}

}  // namespace nimbus::controller
