// Whole files, with limits, errors that name the file, and writes that survive a
// crash. Thread rule: safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace nimbus::base {

/// A regular file of at most `limit` bytes; a larger one is an error, not cut.
/// Errors: NotFound, Invalid (not a regular file, too large), Internal.
Result<std::string> read_file(const std::string& path, std::size_t limit);

/// As read_file, and refuses a file that group or others may read, write or
/// execute, or that belongs to somebody else: for secrets. Errors: also Untrusted.
Result<std::string> read_private_file(const std::string& path, std::size_t limit);

/// Replaces `path` as a whole: written beside it, synced, renamed, folder synced.
Result<> write_file_atomically(const std::string& path, std::string_view content, unsigned mode);

struct NewFile {
  std::string path;
  std::string_view content;
};
/// The same for several files, which take their places in this order and once all are synced: cheaper than one by one.
/// After an error those at the front may be in place.
Result<> write_files_atomically(std::span<const NewFile> files, unsigned mode);

/// Makes the folder and its parents; what exists is fine. New ones get `mode`.
Result<> make_folders(const std::string& path, unsigned mode);

struct FolderEntry {
  std::string name;
  enum class Kind : std::uint8_t { File, Folder, Link, Other } kind = Kind::Other;
  unsigned mode = 0;  // permission bits
  std::size_t size = 0;
};
/// Sorted by name; "." and ".." left out. Links are not followed.
Result<std::vector<FolderEntry>> list_folder(const std::string& path);

}  // namespace nimbus::base
