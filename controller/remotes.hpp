// What the configuration says about others, with the files read that it names.
#pragma once

#include <map>
#include <string>

#include "controller/config/config.hpp"
#include "core/result.hpp"
#include "registry/git/git_program.hpp"

namespace nimbus::controller {

/// With the access token read. Errors: those of reading it.
Result<registry::GitRemote> open_remote(const RemoteConfig& config);
/// The registry's remote, with what [status] says otherwise.
RemoteConfig status_config(const Config& config);
/// Name -> certificates in PEM. Errors: those of reading them, with the CA's name.
Result<std::map<std::string, std::string>> read_cas(const Config& config);

}  // namespace nimbus::controller
