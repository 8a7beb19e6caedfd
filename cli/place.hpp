// Where the registry is: a checkout, or a bare repository.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "registry/git/repository.hpp"

namespace nimbus::cli {

struct Place {
  std::string folder;      // top of the files; empty in a bare repository
  std::string git_folder;  // the repository; empty: the files are under no version control
};

/// Looks at `start` and its parents, as git does: a folder with registry.toml or
/// .git, or a bare repository. Errors: NotFound.
Result<Place> find_place(const std::string& start);

/// Errors: Invalid (no repository here), and those of GitRepository::open.
Result<registry::GitRepository> open_repository(const Place& place);

/// A commit by a name that people use: an id, in full or its first digits,
/// a branch, a tag, "origin/main", "HEAD", each with "~N" or "^" behind it. Errors: NotFound, Invalid, Conflict (an id
/// of which several have these first digits).
Result<registry::ObjectId> resolve_revision(const registry::GitRepository& repository, std::string_view revision);

}  // namespace nimbus::cli
