#include "registry/tree_checks.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/path.hpp"

namespace nimbus::registry {
namespace {

void add(std::vector<Problem>& problems, ProblemCode code, const std::string& file, std::string message,
         std::string related = {}) {
  problems.push_back({code, Severity::Error, file, 0, 0, 0, std::move(message), std::move(related)});
}

void check_kind(const TreeEntry& entry, std::vector<Problem>& problems) {
  switch (entry.kind) {
    case TreeEntry::Kind::File:
      return;
    case TreeEntry::Kind::Executable:
      if (classify(entry.path).kind != PathVerdict::Kind::Known) return;
      return add(problems, ProblemCode::BadFile, entry.path, "the file is executable: git update-index --chmod=-x");
    case TreeEntry::Kind::Link:
      return add(problems, ProblemCode::BadFile, entry.path,
                 "symbolic links do not belong into a registry: copy the file");
    case TreeEntry::Kind::Submodule:
      return add(problems, ProblemCode::BadFile, entry.path, "submodules do not belong into a registry");
    case TreeEntry::Kind::Other:
      return add(problems, ProblemCode::BadFile, entry.path, "this is not a regular file");
  }
}

bool has_upper(std::string_view path) {
  // Without branches: this runs over every byte of every path of the registry.
  unsigned found = 0;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    found |= static_cast<unsigned>(static_cast<unsigned>(byte - 'A') < 26U) | (byte & 0x80U);
  }
  return found != 0;
}

/// Only paths with capitals can collide, so only those are looked at closely.
class CaseFolding {
 public:
  explicit CaseFolding(const std::vector<TreeEntry>& tree) : tree_(tree) {}

  void look_at(const std::string& path, std::vector<Problem>& problems) {
    for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
      const auto prefix = path.substr(0, slash);
      if (has_upper(prefix)) {
        const auto lower = base::to_lower(prefix);
        const auto [seen, fresh] = seen_.try_emplace(lower, prefix);
        const std::string other = !fresh && seen->second != prefix   ? seen->second
                                  : exists(lower) && lower != prefix ? lower
                                                                     : "";
        if (!other.empty()) {
          return add(problems, ProblemCode::CaseCollision, path,
                     fmt::format("'{}' and '{}' are the same on file systems that ignore case: rename one",
                                 base::printable(prefix, 200), base::printable(other, 200)));
        }
      }
      if (slash == std::string::npos) return;
    }
  }

 private:
  bool exists(const std::string& path) const {
    const auto at = std::ranges::lower_bound(tree_, path, {}, &TreeEntry::path);
    if (at != tree_.end() && at->path == path) return true;
    const auto below = std::ranges::lower_bound(tree_, path + "/", {}, &TreeEntry::path);
    return below != tree_.end() && below->path.starts_with(path + "/");
  }

  const std::vector<TreeEntry>& tree_;
  std::map<std::string, std::string> seen_;  // lower case to what was written first
};

}  // namespace

void check_tree(const std::vector<TreeEntry>& tree, std::vector<Problem>& problems) {
  CaseFolding folding(tree);
  std::unordered_map<std::string_view, std::size_t> counts;
  std::string_view last;
  std::size_t* count = nullptr;
  for (const auto& entry : tree) {
    check_kind(entry, problems);
    if (has_upper(entry.path)) folding.look_at(entry.path, problems);
    const std::string_view folder = std::string_view(entry.path).substr(0, entry.path.rfind('/') + 1);
    if (count == nullptr || folder != last) {
      count = &counts[folder];
      last = folder;
    }
    if (++*count == kMaxFilesInFolder + 1) {
      problems.push_back({ProblemCode::CrowdedFolder,
                          Severity::Warning,
                          entry.path,
                          0,
                          0,
                          0,
                          fmt::format("the folder '{}' has more than {} files: use groups",
                                      base::printable(folder, 200), kMaxFilesInFolder),
                          {}});
    }
  }
}

}  // namespace nimbus::registry
