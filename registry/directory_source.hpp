// A registry in a folder: a work tree, also with uncommitted edits. Thread rule: one
// thread at a time.
#pragma once

#include <string>

#include "registry/source.hpp"

namespace nimbus::registry {

class DirectorySource final : public TreeSource {
 public:
  explicit DirectorySource(std::string folder);
  /// Blob ids are computed as Git does, so they equal those of a commit of the same
  /// files. Files above kMaxFile get no id. Errors: also Invalid (no such folder).
  Result<std::vector<TreeEntry>> list() const override;
  Result<std::string> read(const TreeEntry& entry) const override;

 private:
  std::string folder_;
};

}  // namespace nimbus::registry
