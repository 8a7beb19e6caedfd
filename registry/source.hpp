// TreeSource: where the files of a registry come from, a folder or a commit. The
// loader reads through it and nothing else. Implementations: DirectorySource here,
// CommitSource in registry/git/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace nimbus::registry {

/// One entry of the tree. Folders are not listed themselves.
struct TreeEntry {
  enum class Kind : std::uint8_t { File, Executable, Link, Submodule, Other };
  std::string path;  // from the top of the registry, '/' between parts, bytes as stored
  Kind kind = Kind::File;
  std::uint64_t size = 0;  // of a file, in bytes; kUnknownSize where finding out would mean reading it
  std::string blob;        // Git blob id in hex (40); empty for what is no file

  static constexpr std::uint64_t kUnknownSize = UINT64_MAX;
};

/// Thread rule: one thread at a time.
class TreeSource {
 public:
  virtual ~TreeSource() = default;
  /// Every entry below the top, sorted by path bytewise; ".git" left out.
  /// Errors: NotFound, Invalid (more entries than kMaxEntries), Corrupt, Internal.
  virtual Result<std::vector<TreeEntry>> list() const = 0;
  /// The bytes of a file that list() returned. A file above kMaxFile is an error.
  /// Errors: NotFound, Invalid, Corrupt, Internal.
  virtual Result<std::string> read(const TreeEntry& entry) const = 0;

  /// A registry of 100,000 machines fits ten times over; a hostile tree does not.
  static constexpr std::size_t kMaxEntries = 2'000'000;
  static constexpr std::size_t kMaxFile = std::size_t{256} * 1024;
};

}  // namespace nimbus::registry
