// Reads a whole registry from a source and finds every problem in one pass.
//
// Objects whose blob, and whose class, provider and network, did not change since
// `previous` are reused: a commit that changes k files of N parses k files.
// Thread rule: safe from any thread, one source per thread.
#pragma once

#include <memory>
#include <vector>

#include "core/result.hpp"
#include "registry/snapshot.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

struct LoadResult {
  std::shared_ptr<const Snapshot> snapshot;  // never null
  std::vector<Problem> problems;             // sorted; the same as snapshot->problems
};

/// `previous`: an earlier result for the same registry, or null. Errors: only if the
/// source cannot be listed; what is wrong inside is a problem, not an error.
Result<LoadResult> load(const TreeSource& source, const Snapshot* previous = nullptr);

/// Version that registry.toml's `requires` is compared with.
inline constexpr int kFormatMajor = 1;
inline constexpr int kFormatMinor = 0;

}  // namespace nimbus::registry
