// Objects of a registry by the names that people use. Pure but for what `loaded`
// reads. Thread rule: one thread.
#pragma once

#include <string>

#include "cli/loaded.hpp"
#include "core/result.hpp"
#include "registry/path.hpp"

namespace nimbus::cli {

/// The path of the file of a kind whose id is `name` ("berlin-1/m017"), or whose last part
/// is, where that is clear; `name` empty: of a kind with a single file.
/// Errors: NotFound, with a guess at what was meant.
Result<std::string> find_object(const Loaded& loaded, registry::FileKind kind, const std::string& name);

/// registry.toml, limits, roles, bindings: there is one, so it needs no name.
bool has_single_file(registry::FileKind kind) noexcept;

}  // namespace nimbus::cli
