// Builds one commit on top of another without index, work tree or loose objects:
// everything new goes into one pack, synced to disk, so that a crash leaves either
// the whole commit or nothing. Costs what changes, not what is there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "registry/git/objects.hpp"
#include "registry/git/repository.hpp"

namespace nimbus::registry {

/// Path -> new content; nothing: the file is removed (no file there: fine; folders
/// that become empty go too). A file replaces a folder of its name, and the other
/// way round.
using FileChanges = std::map<std::string, std::optional<std::string>>;

/// Signs the bytes of a commit; the answer is an armoured signature ("-----BEGIN SSH
/// SIGNATURE-----" …) for the header "gpgsig".
class CommitSigner {
 public:
  virtual ~CommitSigner() = default;
  virtual Result<std::string> sign(std::string_view commit) = 0;
};

struct NewCommit {
  std::optional<ObjectId> base;   // commit whose files it starts from; nothing: no files
  std::vector<ObjectId> parents;  // usually the base; none: a root commit
  FileChanges changes;
  GitPerson author;
  GitPerson committer;
  std::string message;  // UTF-8, ends in a line end
};

/// Writes the commit and returns its id; nothing if its files would be those of
/// `base` (nothing was written then). Moves no reference. `signer` may be null.
///
/// Reads and writes through a handle of its own: `repository` gives the place only,
/// so two threads may build at the same time.
///
/// Errors: Invalid (a path that Git or the registry format forbids, a name with
/// '<', '>' or a line end), NotFound (no such base or parent), Corrupt, Internal
/// (disk full, no permission), and the signer's.
Result<std::optional<ObjectId>> write_commit(const GitRepository& repository, const NewCommit& commit,
                                             CommitSigner* signer = nullptr);

/// The id that these bytes have as a file in Git.
ObjectId blob_id(std::string_view bytes);

/// Fit for a message: one line, printable, not too long.
std::string commit_subject(std::string_view text);

/// "subject\n\nbody\n\nName: value\n…": trailers as `git interpret-trailers` reads
/// them. Values are made one printable line each.
std::string commit_message(std::string_view subject, std::string_view body,
                           const std::vector<std::pair<std::string, std::string>>& trailers);

/// The last block of "Name: value" lines; a name that is there twice: the last one counts.
std::map<std::string, std::string> trailers_of(std::string_view message);

}  // namespace nimbus::registry
