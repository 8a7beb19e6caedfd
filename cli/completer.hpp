// Names of the local registry, for the shell's <Tab>. Never fails: where there is
// no registry there are no names.
#pragma once

#include <string_view>
#include <vector>

#include "base/args/command_table.hpp"

namespace nimbus::cli {

/// Kinds: "provider-machine", "provider", "revision", "kind-key", "help".
std::vector<base::Candidate> completer_values(std::string_view kind);

}  // namespace nimbus::cli
