// Walks over foreign trees, with bounds: GitRepository's list, find and diff.
#include <git2.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text/text.hpp"
#include "registry/git/library.hpp"
#include "registry/git/repository.hpp"

namespace nimbus::registry {
namespace {

using Tree = GitHandle<git_tree, git_tree_free>;
using Commit = GitHandle<git_commit, git_commit_free>;
using Database = GitHandle<git_odb, git_odb_free>;

struct Entry {
  std::string_view name;
  unsigned mode = 0;
  const git_oid* id = nullptr;

  bool is_folder() const noexcept { return mode == GIT_FILEMODE_TREE; }
};

/// One folder: the tree keeps alive what the entries point to.
struct Folder {
  Tree tree;
  std::vector<Entry> entries;  // in Git's order
};

class Walk {
 public:
  Walk(git_repository* repository, const TreeLimits& limits) : repository_(repository), limits_(limits) {}

  Result<Folder> read(const git_oid& id) {
    if (auto ok = check_size(id); !ok) return std::move(ok.error());
    git_tree* raw = nullptr;
    if (const int code = git_tree_lookup(&raw, repository_, &id); code < 0) {
      return git_error(code, "read tree " + object_id_text(id));
    }
    Folder folder{Tree(raw), {}};
    const std::size_t count = git_tree_entrycount(raw);
    seen_ += count;
    if (seen_ > limits_.items) {
      return Error{Code::Invalid, "more than " + std::to_string(limits_.items) + " files and folders"};
    }
    folder.entries.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(raw, i);
      folder.entries.push_back({git_tree_entry_name(entry), static_cast<unsigned>(git_tree_entry_filemode(entry)),
                                git_tree_entry_id(entry)});
    }
    return folder;
  }

  Result<std::string> join(const std::string& folder, std::string_view name, std::size_t depth) const {
    std::string path = folder.empty() ? std::string(name) : folder + "/" + std::string(name);
    if (path.size() > limits_.path_bytes || depth > limits_.depth) {
      return Error{Code::Invalid, "a path that is too long or too deep: " + base::printable(path, 120)};
    }
    return path;
  }

 private:
  Result<> check_size(const git_oid& id) {
    if (!database_) {
      git_odb* raw = nullptr;
      if (const int code = git_repository_odb(&raw, repository_); code < 0) return git_error(code, "open the objects");
      database_.reset(raw);
    }
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (const int code = git_odb_read_header(&size, &type, database_.get(), &id); code < 0) {
      return git_error(code, "read tree " + object_id_text(id));
    }
    if (size > limits_.object_bytes) {
      return Error{Code::Invalid,
                   "tree " + object_id_text(id) + " is larger than " + std::to_string(limits_.object_bytes) + " bytes"};
    }
    return {};
  }

  git_repository* repository_;
  TreeLimits limits_;
  Database database_;
  std::size_t seen_ = 0;
};

/// Calls `take(path, entry)` for each file below `id`.
template <class Take>
Result<> each_file(Walk& walk, const git_oid& id, const std::string& path, std::size_t depth, const Take& take) {
  auto folder = walk.read(id);
  if (!folder) return std::move(folder.error()).with("in folder '" + base::printable(path, 120) + "'");
  for (const auto& entry : folder->entries) {
    auto inner = walk.join(path, entry.name, depth);
    if (!inner) return std::move(inner.error());
    if (!entry.is_folder()) {
      take(*inner, entry);
    } else if (auto ok = each_file(walk, *entry.id, *inner, depth + 1, take); !ok) {
      return ok;
    }
  }
  return {};
}

class Difference {
 public:
  explicit Difference(Walk& walk) : walk_(walk) {}

  Result<> compare(const git_oid* before, const git_oid* after, const std::string& path, std::size_t depth) {
    if (before != nullptr && after != nullptr && git_oid_equal(before, after) != 0) return {};
    Folder old_folder;
    Folder new_folder;
    if (auto ok = load(before, old_folder); !ok) return ok;
    if (auto ok = load(after, new_folder); !ok) return ok;
    auto old_entry = old_folder.entries.begin();
    auto new_entry = new_folder.entries.begin();
    while (old_entry != old_folder.entries.end() || new_entry != new_folder.entries.end()) {
      const bool has_old = old_entry != old_folder.entries.end();
      const bool has_new = new_entry != new_folder.entries.end();
      const int order = !has_old ? 1 : !has_new ? -1 : old_entry->name.compare(new_entry->name);
      const Entry* from = order <= 0 ? &*old_entry++ : nullptr;
      const Entry* to = order >= 0 ? &*new_entry++ : nullptr;
      if (auto ok = step(from, to, path, depth); !ok) return ok;
    }
    return {};
  }

  std::vector<PathChange> take() && { return std::move(changes_); }

 private:
  /// Sorted by plain name (Git sorts a folder as if its name ended in '/').
  Result<> load(const git_oid* id, Folder& out) {
    if (id == nullptr) return {};
    auto folder = walk_.read(*id);
    if (!folder) return std::move(folder.error());
    out = std::move(*folder);
    std::ranges::sort(out.entries, {}, &Entry::name);
    return {};
  }

  Result<> step(const Entry* from, const Entry* to, const std::string& path, std::size_t depth) {
    if (from != nullptr && to != nullptr && from->mode == to->mode && git_oid_equal(from->id, to->id) != 0) return {};
    auto inner = walk_.join(path, (from != nullptr ? from : to)->name, depth);
    if (!inner) return std::move(inner.error());
    const auto file = [](const Entry* entry) { return entry != nullptr && !entry->is_folder() ? entry->id : nullptr; };
    const auto folder = [](const Entry* entry) { return entry != nullptr && entry->is_folder() ? entry->id : nullptr; };
    if (file(from) != nullptr || file(to) != nullptr) {
      PathChange change{*inner, {}, {}};
      if (file(from) != nullptr) change.before = object_id_text(*from->id);
      if (file(to) != nullptr) change.after = object_id_text(*to->id);
      changes_.push_back(std::move(change));
    }
    if (folder(from) == nullptr && folder(to) == nullptr) return {};
    return compare(folder(from), folder(to), *inner, depth + 1);
  }

  Walk& walk_;
  std::vector<PathChange> changes_;
};

Result<git_oid> tree_of(git_repository* repository, const ObjectId& commit) {
  git_oid id{};
  if (auto ok = parse_object_id(commit, id); !ok) return std::move(ok.error());
  git_commit* raw = nullptr;
  if (const int code = git_commit_lookup(&raw, repository, &id); code < 0) {
    return git_error(code, "read commit " + commit);
  }
  const Commit found(raw);
  return *git_commit_tree_id(raw);
}

}  // namespace

Result<std::vector<TreeItem>> GitRepository::list(const ObjectId& commit, const TreeLimits& limits) const {
  const auto root = tree_of(repository_.get(), commit);
  if (!root) return root.error();
  Walk walk(repository_.get(), limits);
  std::vector<TreeItem> items;
  auto ok = each_file(walk, *root, "", 1, [&](const std::string& path, const Entry& entry) {
    items.push_back({path, entry.mode, object_id_text(*entry.id)});
  });
  if (!ok) return std::move(ok.error()).with("while listing commit " + commit);
  return items;
}

Result<std::optional<TreeItem>> GitRepository::find(const ObjectId& commit, const std::string& path) const {
  const auto root = tree_of(repository_.get(), commit);
  if (!root) return root.error();
  Walk walk(repository_.get(), {});
  git_oid folder_id = *root;
  const auto parts = base::split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto folder = walk.read(folder_id);
    if (!folder) return std::move(folder.error());
    const auto entry = std::ranges::find(folder->entries, parts[i], &Entry::name);
    if (entry == folder->entries.end()) return std::optional<TreeItem>{};
    const bool last = i + 1 == parts.size();
    if (entry->is_folder() == last) return std::optional<TreeItem>{};
    if (last) return std::optional(TreeItem{path, entry->mode, object_id_text(*entry->id)});
    folder_id = *entry->id;
  }
  return std::optional<TreeItem>{};
}

Result<std::vector<PathChange>> GitRepository::diff(const std::optional<ObjectId>& before, const ObjectId& after,
                                                    const TreeLimits& limits) const {
  git_oid old_root{};
  if (before) {
    const auto root = tree_of(repository_.get(), *before);
    if (!root) return root.error();
    old_root = *root;
  }
  const auto new_root = tree_of(repository_.get(), after);
  if (!new_root) return new_root.error();
  TreeLimits both = limits;
  both.items *= 2;
  Walk walk(repository_.get(), both);
  Difference difference(walk);
  if (auto ok = difference.compare(before ? &old_root : nullptr, &*new_root, "", 1); !ok) {
    return std::move(ok.error()).with("while comparing with commit " + after);
  }
  auto changes = std::move(difference).take();
  std::ranges::sort(changes, {}, &PathChange::path);
  return changes;
}

}  // namespace nimbus::registry
