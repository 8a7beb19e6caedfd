#include "registry/directory_source.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"

namespace nimbus::registry {
namespace {

constexpr int kMaxDepth = 16;

/// What Git calls a file of this content.
std::string blob_id(std::string_view content) {
  return base::sha1_hex({fmt::format("blob {}", content.size()), std::string_view("\0", 1), content});
}

class Lister {
 public:
  explicit Lister(const std::string& folder) : folder_(folder) {}

  Result<> visit(const std::string& below, int depth) {
    if (depth > kMaxDepth) return Error{Code::Invalid, fmt::format("{} lies too deep", below)};
    auto listed = base::list_folder(below.empty() ? folder_ : folder_ + "/" + below);
    if (!listed) return std::move(listed.error());
    for (const auto& each : *listed) {
      if (each.name == ".git") continue;
      const std::string path = below.empty() ? each.name : below + "/" + each.name;
      if (each.kind == base::FolderEntry::Kind::Folder) {
        if (auto inner = visit(path, depth + 1); !inner) return inner;
        continue;
      }
      if (entries.size() >= TreeSource::kMaxEntries) return Error{Code::Invalid, "the folder has too many files"};
      entries.push_back(entry(path, each));
    }
    return {};
  }

  std::vector<TreeEntry> entries;

 private:
  TreeEntry entry(const std::string& path, const base::FolderEntry& found) const {
    using Kind = TreeEntry::Kind;
    TreeEntry out{path, Kind::Other, found.size, {}};
    if (found.kind == base::FolderEntry::Kind::Link) out.kind = Kind::Link;
    if (found.kind != base::FolderEntry::Kind::File) return out;
    out.kind = (found.mode & 0100U) != 0 ? Kind::Executable : Kind::File;
    // A file that cannot be read is reported by the loader when it reads it.
    if (auto content = base::read_file(folder_ + "/" + path, TreeSource::kMaxFile)) out.blob = blob_id(*content);
    return out;
  }

  const std::string& folder_;
};

}  // namespace

DirectorySource::DirectorySource(std::string folder) : folder_(std::move(folder)) {}

Result<std::vector<TreeEntry>> DirectorySource::list() const {
  Lister lister(folder_);
  if (auto visited = lister.visit({}, 0); !visited) return std::move(visited.error());
  std::ranges::sort(lister.entries, {}, &TreeEntry::path);
  return std::move(lister.entries);
}

Result<std::string> DirectorySource::read(const TreeEntry& entry) const {
  return base::read_file(folder_ + "/" + entry.path, kMaxFile);
}

}  // namespace nimbus::registry
