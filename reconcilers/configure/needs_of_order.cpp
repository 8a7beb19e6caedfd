#include "reconcilers/configure/needs_of_order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::Presence;

class Needs {
 public:
  explicit Needs(const host::Configuration& wanted) : wanted_(wanted), found_(wanted.resources.size()) {
    for (std::size_t at = 0; at < wanted.resources.size(); ++at) {
      const auto& resource = wanted.resources[at];
      ids_[resource.id] = at;
      if (const auto* it = std::get_if<host::Mount>(&resource.wanted); it != nullptr) mounts_[it->path] = at;
      if (const auto* it = std::get_if<host::Directory>(&resource.wanted); it != nullptr) folders_[it->path] = at;
      if (const auto* it = std::get_if<host::Link>(&resource.wanted); it != nullptr) folders_[it->path] = at;
    }
  }

  std::vector<std::vector<std::size_t>> all() {
    for (std::size_t at = 0; at < wanted_.resources.size(); ++at) {
      const auto& resource = wanted_.resources[at];
      for (const auto& id : resource.after) need(at, id);
      for (const auto& id : resource.notifies) {
        if (const auto told = ids_.find(id); told != ids_.end()) add(told->second, at);
      }
      std::visit([&](const auto& it) { of(at, it); }, resource.wanted);
    }
    std::vector<std::vector<std::size_t>> out;
    out.reserve(found_.size());
    for (const auto& needs : found_) out.emplace_back(needs.begin(), needs.end());
    return out;
  }

 private:
  void add(std::size_t at, std::size_t needed) {
    if (at != needed) found_[at].insert(needed);
  }
  void need(std::size_t at, const std::string& id) {
    if (const auto found = ids_.find(id); found != ids_.end()) add(at, found->second);
  }
  /// root is there before everything.
  void owners(std::size_t at, const std::string& owner, const std::string& group) {
    if (owner != "root") need(at, "user:" + owner);
    if (group == "root") return;
    need(at, "group:" + group);
    need(at, "user:" + group);  // which brings a group of its name along
  }
  bool absent(std::size_t at) const {
    const auto* folder = std::get_if<host::Directory>(&wanted_.resources[at].wanted);
    return folder != nullptr && folder->presence == Presence::Absent;
  }
  /// Folders and mounts above `path`; a folder that is to go comes after what is in it.
  void above(std::size_t at, const std::string& path, bool itself_mounted) {
    if (itself_mounted) {
      if (const auto found = mounts_.find(path); found != mounts_.end()) add(at, found->second);
    }
    for (std::string folder = path; folder != "/";) {
      folder = folder_of(folder);
      if (const auto found = mounts_.find(folder); found != mounts_.end()) add(at, found->second);
      const auto found = folders_.find(folder);
      if (found == folders_.end()) continue;
      if (absent(found->second)) {
        add(found->second, at);
      } else {
        add(at, found->second);
      }
    }
  }

  void of(std::size_t, const host::Package&) {}
  void of(std::size_t at, const host::File& it) {
    if (it.presence == Presence::Present) owners(at, it.owner, it.group);
    above(at, it.path, false);
  }
  void of(std::size_t at, const host::Directory& it) {
    if (it.presence == Presence::Present) owners(at, it.owner, it.group);
    above(at, it.path, it.presence == Presence::Present);
  }
  void of(std::size_t at, const host::Link& it) { above(at, it.path, false); }
  void of(std::size_t at, const host::OwnedFiles& it) { above(at, it.folder + "/x", false); }
  void of(std::size_t at, const host::Group& it) {
    if (it.presence == Presence::Present) return;
    // A group goes after its members.
    for (std::size_t other = 0; other < wanted_.resources.size(); ++other) {
      const auto* user = std::get_if<host::User>(&wanted_.resources[other].wanted);
      if (user != nullptr && user->presence == Presence::Absent) add(at, other);
    }
  }
  void of(std::size_t at, const host::User& it) {
    if (it.presence == Presence::Absent) return;
    for (const auto& group : it.groups) need(at, "group:" + group);
    need(at, "group:" + it.name);
    for (std::string folder = it.home.empty() ? "/home/x" : it.home; folder != "/";) {
      folder = folder_of(folder);
      if (const auto found = mounts_.find(folder); found != mounts_.end()) add(at, found->second);
      const auto found = folders_.find(folder);
      if (found == folders_.end() || it.home.empty() || absent(found->second)) continue;
      const auto* made = std::get_if<host::Directory>(&wanted_.resources[found->second].wanted);
      if (made == nullptr || (made->owner != it.name && made->group != it.name)) add(at, found->second);
    }
  }
  void of(std::size_t at, const host::Unit& it) {
    for (const char* folder : {"/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"}) {
      need(at, "file:" + (folder + it.name));
      need(at, "link:" + (folder + it.name));
    }
    const auto dropins = "file:/etc/systemd/system/" + it.name + ".d/";
    for (auto found = ids_.lower_bound(dropins); found != ids_.end() && found->first.starts_with(dropins); ++found) {
      add(at, found->second);
    }
  }
  void of(std::size_t, const host::Sysctl&) {}
  void of(std::size_t, const host::KernelModule&) {}
  void of(std::size_t at, const host::Mount& it) { above(at, it.path, false); }
  void of(std::size_t at, const host::Swap& it) { above(at, it.path, false); }
  void of(std::size_t, const host::Setting&) {}
  void of(std::size_t at, const host::Block& it) {
    above(at, it.path, false);
    need(at, "file:" + it.path);
  }
  void of(std::size_t at, const host::Command& it) {
    if (it.user != "root") need(at, "user:" + it.user);
  }
  void of(std::size_t, const host::Action&) {}

  const host::Configuration& wanted_;
  std::map<std::string, std::size_t> ids_, mounts_, folders_;
  std::vector<std::set<std::size_t>> found_;
};

bool of_repositories(const host::Wanted& wanted) {
  std::string_view path;
  if (const auto* file = std::get_if<host::File>(&wanted)) path = file->path;
  if (const auto* link = std::get_if<host::Link>(&wanted)) path = link->path;
  for (const std::string_view folder :
       {"/etc/apt/", "/usr/share/keyrings/", "/etc/yum.repos.d/", "/etc/pki/rpm-gpg/", "/etc/zypp/", "/etc/apk/"}) {
    if (path.starts_with(folder)) return true;
  }
  const auto* owned = std::get_if<host::OwnedFiles>(&wanted);
  return owned != nullptr && (owned->folder + "/").starts_with("/etc/apt/");
}

struct RankOf {
  int operator()(const host::Package&) const { return 1; }
  int operator()(const host::Group&) const { return 2; }
  int operator()(const host::User&) const { return 3; }
  int operator()(const host::Mount&) const { return 4; }
  int operator()(const host::Directory&) const { return 5; }
  int operator()(const host::File&) const { return 6; }
  int operator()(const host::Link&) const { return 6; }
  int operator()(const host::Block&) const { return 6; }
  int operator()(const host::Setting&) const { return 6; }
  int operator()(const host::KernelModule&) const { return 6; }
  int operator()(const host::OwnedFiles&) const { return 7; }
  int operator()(const host::Sysctl&) const { return 7; }
  int operator()(const host::Swap&) const { return 7; }
  int operator()(const host::Command&) const { return 8; }
  // What may cut the host off comes last.
  int operator()(const host::Action& it) const { return it.undo.empty() ? 9 : 11; }
  int operator()(const host::Unit&) const { return 10; }
};

}  // namespace

std::vector<std::vector<std::size_t>> direct_needs(const host::Configuration& wanted) { return Needs(wanted).all(); }

int rank_of(const host::Wanted& wanted) { return std::visit(RankOf{}, wanted); }

std::vector<bool> repository_ranks(const host::Configuration& wanted) {
  std::vector<bool> out(wanted.resources.size(), false);
  std::map<std::string, std::pair<bool, bool>> notified;  // id -> by repositories, by others
  for (std::size_t at = 0; at < out.size(); ++at) {
    out[at] = of_repositories(wanted.resources[at].wanted);
    for (const auto& id : wanted.resources[at].notifies) (out[at] ? notified[id].first : notified[id].second) = true;
  }
  for (std::size_t at = 0; at < out.size(); ++at) {
    const auto* action = std::get_if<host::Action>(&wanted.resources[at].wanted);
    const auto found = notified.find(wanted.resources[at].id);
    if (action == nullptr || !action->undo.empty() || found == notified.end()) continue;
    out[at] = found->second.first && !found->second.second;
  }
  return out;
}

}  // namespace nimbus::reconcilers::configure
