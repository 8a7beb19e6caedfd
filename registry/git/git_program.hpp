// GitTransport by the `git` program as a child process: libgit2's own transports
// never time out. Works on one local bare repository.
//
// The child has a deadline, reads no configuration of the system or the user, asks
// nobody anything, runs no hooks, follows no redirects, checks every object that it
// fetches and syncs it to disk. Credentials travel in its environment, for the one
// origin that they are meant for, never in arguments or urls.
//
// Thread rule: safe from any thread; see GitTransport.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/process/process.hpp"
#include "core/ports/clock.hpp"
#include "registry/git/transport.hpp"

namespace nimbus::registry {

struct GitProgramOptions {
  std::string repository;  // the bare repository's folder, absolute
  std::string program = "git";
  /// A fetch that would write a larger file ends with Invalid.
  std::uint64_t pack_limit_bytes = std::uint64_t{1} << 30U;
};

class GitProgram final : public GitTransport {
 public:
  /// `clock` must outlive this.
  GitProgram(GitProgramOptions options, const Clock& clock);

  Result<std::map<std::string, ObjectId>> list_remote(const GitRemote& remote,
                                                      const std::vector<std::string>& references,
                                                      const Call& call) override;
  Result<> fetch(const GitRemote& remote, const std::vector<FetchRef>& references, const Call& call) override;
  Result<> push(const GitRemote& remote, const ObjectId& commit, const std::string& reference,
                const std::optional<ObjectId>& expected, const Call& call) override;

  /// Packs the local repository anew and drops what has been unreachable for two
  /// hours. Other users of the repository need not stop.
  Result<> compact(const Call& call);
  /// Does so if many packs have gathered (each fetch and each commit makes one) and
  /// says whether it did.
  Result<bool> compact_if_needed(const Call& call);

 private:
  Result<base::ProgramResult> run(const GitRemote* remote, std::vector<std::string> arguments, const Call& call) const;
  Error failure(const base::ProgramResult& result, const std::string& what) const;
  Error rejected(const GitRemote& remote, const std::string& reference, const std::optional<ObjectId>& expected,
                 const std::string& summary, const base::ProgramResult& result, const Call& call);

  GitProgramOptions options_;
  const Clock& clock_;
  std::string path_variable_;
};

/// Full reference names that this program uses: "refs/…" of plain characters.
bool is_reference_name(std::string_view name) noexcept;

}  // namespace nimbus::registry
