// A bare Git repository on the local disk: its objects and references. Never a
// work tree, never an index, and never the network (see transport.hpp). No
// configuration outside of the repository is read.
//
// Thread rule: one thread at a time for each object; open one for each thread
// (about a third of a millisecond). Objects that a child program fetched are found
// without reopening; reopen after packs were removed (repack).
//
// Errors: NotFound, Conflict (somebody else moved the reference), Busy (a lock file
// is held), Untrusted (the folder belongs to another user), Corrupt (damaged or
// malicious objects), Invalid (beyond a limit, not a valid name), Internal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "registry/git/objects.hpp"

struct git_repository;

namespace nimbus::registry {

class GitRepository {
 public:
  static Result<GitRepository> open(const std::string& path);
  /// Makes an empty bare repository if there is none yet.
  static Result<GitRepository> open_or_create(const std::string& path);

  GitRepository(GitRepository&&) noexcept;
  GitRepository& operator=(GitRepository&&) noexcept;
  ~GitRepository();

  const std::string& path() const noexcept { return path_; }

  /// The commit that a full reference name ("refs/heads/main") points to, through
  /// annotated tags; nothing if there is no such reference.
  Result<std::optional<ObjectId>> resolve(const std::string& reference) const;

  /// The commit whose id begins with `prefix`, at least four hexadecimal digits; nothing
  /// if there is none. Errors: also Conflict (several begin so).
  Result<std::optional<ObjectId>> find_commit(const std::string& prefix) const;

  /// Compare-and-swap: moves `reference` to `to` if it is at `expected` (nothing:
  /// does not exist). Durable when it returns. Errors: also Conflict.
  Result<> move_reference(const std::string& reference, const ObjectId& to, const std::optional<ObjectId>& expected);
  /// What does not exist is fine.
  Result<> delete_reference(const std::string& reference);

  /// At most 1 MiB.
  Result<GitCommit> commit(const ObjectId& id) const;
  /// How many commits are reachable from `id`, counting no further than `most`.
  Result<std::size_t> count_commits(const ObjectId& id, std::size_t most) const;
  /// Whether `ancestor` is reachable from `descendant`, or is the same commit.
  Result<bool> is_ancestor(const ObjectId& ancestor, const ObjectId& descendant) const;

  /// All files of a commit, in Git's order.
  Result<std::vector<TreeItem>> list(const ObjectId& commit, const TreeLimits& limits = {}) const;
  /// The file at `path` of a commit; nothing if there is none, or it is a folder.
  Result<std::optional<TreeItem>> find(const ObjectId& commit, const std::string& path) const;
  /// Paths that differ between two commits, sorted; `before` nothing: the empty
  /// tree. Costs what differs, not what is there.
  Result<std::vector<PathChange>> diff(const std::optional<ObjectId>& before, const ObjectId& after,
                                       const TreeLimits& limits = {}) const;

  /// Size of a blob, without reading it.
  Result<std::size_t> blob_size(const ObjectId& id) const;
  /// A larger blob is an error (Invalid), found before it is unpacked.
  Result<std::string> read_blob(const ObjectId& id, std::size_t limit_bytes) const;

  /// Removes lock files that a killed Git program left beside references. Only for
  /// the repository's one owner, while no Git program runs on it.
  Result<> remove_stale_locks();

  /// For this folder's own sources.
  git_repository* raw() const noexcept { return repository_.get(); }

 private:
  struct Close {
    void operator()(git_repository* repository) const noexcept;
  };
  GitRepository(std::string path, git_repository* repository);

  std::string path_;
  std::unique_ptr<git_repository, Close> repository_;
};

}  // namespace nimbus::registry
