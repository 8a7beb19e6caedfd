// A registry on disk as it would be with one file changed, added or removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/loaded.hpp"

namespace nimbus::cli {

inline constexpr unsigned kRegistryFileMode = 0644;

struct FileChange {
  std::string path;
  std::optional<std::string> text;  // nothing: the file is removed
};

/// The registry after the change.
Result<registry::LoadResult> load_edited(const Loaded& loaded, const FileChange& change);

/// Errors that the change brings. Lines move, so they do not count.
std::vector<registry::Problem> new_errors(const Loaded& loaded, const registry::LoadResult& after);

/// Prints them, and that nothing was changed.
Exit refuse(Context& context, const std::vector<registry::Problem>& problems);

}  // namespace nimbus::cli
