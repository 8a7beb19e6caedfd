// What a Git repository is made of, as values.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace nimbus::registry {

/// 40 lower-case hexadecimal digits: the SHA-1 of a commit, tree or blob.
using ObjectId = std::string;

bool is_object_id(std::string_view text) noexcept;

/// An author or committer. `when` has whole seconds.
struct GitPerson {
  std::string name;
  std::string email;
  WallTime when{};

  friend bool operator==(const GitPerson&, const GitPerson&) = default;
};

struct GitCommit {
  ObjectId id;
  ObjectId tree;
  std::vector<ObjectId> parents;
  GitPerson author;
  GitPerson committer;
  std::string message;  // bytes as they are: foreign text
};

/// An entry of a tree that is not a folder itself.
struct TreeItem {
  std::string path;   // from the root, bytes as they are: foreign text
  unsigned mode = 0;  // 0100644 file, 0100755 executable, 0120000 link, 0160000 submodule
  ObjectId id;

  friend bool operator==(const TreeItem&, const TreeItem&) = default;
};

/// A path whose blob or mode differs between two trees.
struct PathChange {
  std::string path;
  std::optional<ObjectId> before;  // empty: added
  std::optional<ObjectId> after;   // empty: removed

  friend bool operator==(const PathChange&, const PathChange&) = default;
};

/// Bounds on foreign trees: a few kilobytes of Git objects can describe billions
/// of paths (the same subtree, named many times, at every level).
struct TreeLimits {
  std::size_t items = 200'000;  // files and folders seen in one walk
  std::size_t depth = 16;       // folders in folders
  std::size_t path_bytes = 1024;
  std::size_t object_bytes = std::size_t{32} << 20U;  // one tree object
};

}  // namespace nimbus::registry
