#include "registry/git/commit_source.hpp"

#include <algorithm>
#include <utility>

#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

TreeEntry::Kind kind_of(unsigned mode) {
  switch (mode) {
    case 0100644U:
      return TreeEntry::Kind::File;
    case 0100755U:
      return TreeEntry::Kind::Executable;
    case 0120000U:
      return TreeEntry::Kind::Link;
    case 0160000U:
      return TreeEntry::Kind::Submodule;
    default:
      return TreeEntry::Kind::Other;
  }
}

}  // namespace

CommitSource::CommitSource(const GitRepository& repository, ObjectId commit)
    : repository_(repository), commit_(std::move(commit)) {}

Result<std::vector<TreeEntry>> CommitSource::list() const {
  TreeLimits limits;
  limits.items = kMaxEntries;
  auto items = repository_.list(commit_, limits);
  if (!items) return std::move(items.error());
  std::vector<TreeEntry> entries;
  entries.reserve(items->size());
  for (auto& item : *items) {
    const auto kind = kind_of(item.mode);
    const bool is_file = kind == TreeEntry::Kind::File || kind == TreeEntry::Kind::Executable;
    entries.push_back({std::move(item.path), kind, TreeEntry::kUnknownSize, is_file ? std::move(item.id) : ""});
  }
  std::ranges::sort(entries, {}, &TreeEntry::path);
  return entries;
}

Result<std::string> CommitSource::read(const TreeEntry& entry) const {
  auto bytes = repository_.read_blob(entry.blob, kMaxFile);
  if (!bytes) return std::move(bytes.error()).with("while reading " + base::printable(entry.path, 200));
  return bytes;
}

}  // namespace nimbus::registry
