// A changed registry file to the people who review it: one commit with this file alone,
// by the user's own git (its signing key, credentials and hooks), pushed.
// Thread rule: one thread.
#pragma once

#include <string>

#include "cli/edited.hpp"

namespace nimbus::cli {

enum class PushTo : std::uint8_t { Direct, Branch, Nowhere };

struct Published {
  std::string commit;
  std::string branch;  // that it was pushed to; empty: not pushed
  std::string link;    // where a pull request is made of the branch; empty: unknown
};

class Publisher {
 public:
  /// `folder`: the top of the registry's files.
  explicit Publisher(std::string folder) : folder_(std::move(folder)) {}

  /// Brings the status branches. Errors: those of git, in its words.
  Result<> fetch_status(const std::string& prefix) const;
  /// Errors: Conflict (the file has changes that are not committed).
  Result<> check_clean(const std::string& path) const;
  /// The file lies on disk (or is gone) already; commits it alone, onto the branch that
  /// is checked out, and pushes. With PushTo::Branch the commit is on a branch of its
  /// own, nothing is on disk, and the checkout stays as it is.
  /// Errors: Conflict (somebody pushed first), those of git.
  Result<Published> publish(const FileChange& change, const std::string& message, PushTo to,
                            const std::string& branch) const;
  bool has_remote() const;

 private:
  Result<std::string> git(std::vector<std::string> arguments, const std::string& input = {},
                          std::vector<std::string> environment = {}) const;
  Result<std::string> commit_apart(const FileChange& change, const std::string& message) const;
  std::string folder_;
};

/// The first https address that a forge prints at a push; else where the forge that
/// `remote` is of makes pull requests. Empty: unknown. Pure.
std::string pull_request_link(const std::string& push_output, const std::string& remote, const std::string& branch);

}  // namespace nimbus::cli
