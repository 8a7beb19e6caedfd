// A registry that was read, from disk or from a commit, with what it was read from.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/place.hpp"
#include "core/result.hpp"
#include "registry/load.hpp"
#include "registry/source.hpp"

namespace nimbus::cli {

struct Loaded {
  Place place;
  std::unique_ptr<registry::GitRepository> repository;  // null: read from disk
  registry::ObjectId commit;                            // empty: read from disk
  std::unique_ptr<registry::TreeSource> source;
  registry::LoadResult result;

  /// How many files were looked at.
  std::size_t files() const;
  /// The text of a file; nothing if there is none that can be read.
  std::optional<std::string> text_of(const std::string& path) const;
};

/// The registry at `start` (see find_place); `revision` empty: the files on disk, or
/// HEAD of a bare repository. What is wrong inside is in `result`, not an error.
Result<Loaded> load_registry(const std::string& start, const std::string& revision);

/// One commit of an open repository. `previous` speeds it up: see registry::load.
Result<registry::LoadResult> load_commit(const registry::GitRepository& repository, const registry::ObjectId& commit,
                                         const registry::Snapshot* previous = nullptr);

}  // namespace nimbus::cli
