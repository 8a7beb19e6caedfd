// Why a Git program failed, from what it printed. Pure.
//
// Git has one exit code for every failure and ssh another one, so the reason can
// only be had from their messages (in the C locale). A text that is not known counts
// as Unreachable, which is tried again later; nothing but the code depends on it.
#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"

namespace nimbus::registry {

Code classify_git_failure(std::string_view errors) noexcept;

/// The lines that matter, joined, without credentials, printable.
std::string summarize_git_errors(std::string_view errors);

}  // namespace nimbus::registry
