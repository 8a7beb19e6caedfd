// The arguments and environment of a `git` child. Pure; for git_program.cpp.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "registry/git/remote.hpp"

namespace nimbus::registry {

struct GitCommand {
  std::vector<std::string> configuration;  // "-c", "name=value", …
  std::vector<std::string> environment;
};

/// `remote` may be null for commands that stay local. Errors: Invalid (a url, file
/// name or password that cannot be handed over).
Result<GitCommand> git_command(const GitRemote* remote, const std::string& path_variable);

/// The remote's url as git takes it.
std::string git_url(const GitRemote& remote);

}  // namespace nimbus::registry
