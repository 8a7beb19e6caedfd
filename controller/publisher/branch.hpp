// What the status branch says at one of its commits: read once per term, and whenever
// somebody else moved the branch.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/result.hpp"
#include "registry/git/objects.hpp"
#include "registry/git/repository.hpp"
#include "registry/status/controller_status.hpp"

namespace nimbus::controller {

/// Of one document.
inline constexpr std::size_t kStatusDocumentBytes = std::size_t{256} << 10U;

/// Path -> blob.
using StatusIndex = std::unordered_map<std::string, registry::ObjectId>;

/// status.toml of a commit; nothing if there is no commit. Errors: Invalid (this is no
/// status branch), of GitRepository and parse_controller_status.
Result<std::optional<registry::ControllerStatus>> controller_of(const registry::GitRepository& repository,
                                                                const std::optional<registry::ObjectId>& commit);

/// How many commits the branch has, counted up to `most`.
Result<std::size_t> length_of(const registry::GitRepository& repository,
                              const std::optional<registry::ObjectId>& commit, std::size_t most);

Result<StatusIndex> index_of(const registry::GitRepository& repository,
                             const std::optional<registry::ObjectId>& commit);

/// Path -> text of all documents but status.toml. Errors: Invalid (too many bytes).
Result<std::map<std::string, std::string>> read_documents(const registry::GitRepository& repository,
                                                          const StatusIndex& index);

}  // namespace nimbus::controller
