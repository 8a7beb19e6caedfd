// The files of one commit, for the registry loader. Reads the object database only;
// nothing is ever checked out. Thread rule: one thread, that of the repository.
#pragma once

#include <string>
#include <vector>

#include "registry/git/repository.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

class CommitSource final : public TreeSource {
 public:
  /// `repository` must outlive this. `commit` is looked up by list().
  CommitSource(const GitRepository& repository, ObjectId commit);

  /// Sizes are not looked up (kUnknownSize): read() checks them.
  Result<std::vector<TreeEntry>> list() const override;
  Result<std::string> read(const TreeEntry& entry) const override;

 private:
  const GitRepository& repository_;
  ObjectId commit_;
};

}  // namespace nimbus::registry
