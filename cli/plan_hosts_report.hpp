// The hosts of a plan in the forms that people and pipelines read. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "cli/console.hpp"
#include "cli/plan_hosts.hpp"

namespace nimbus::cli {

/// For a terminal; foreign text escaped. Empty: no host changes.
std::string hosts_for_people(const std::vector<HostPlan>& hosts, std::size_t left_out, const Console& console);
/// For a comment on a pull request, at most `most_bytes`: hosts that change in the same way together, first
/// without the lines of files, then not at all where it would be too long. Foreign text cannot be markup.
std::string hosts_as_markdown(const std::vector<HostPlan>& hosts, std::size_t left_out, std::size_t most_bytes);
base::Json hosts_as_json(const std::vector<HostPlan>& hosts);

}  // namespace nimbus::cli
