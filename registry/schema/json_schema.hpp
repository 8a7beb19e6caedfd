// JSON Schemas (Draft 4) of the registry's files, from the same field tables that
// the parser uses. For editors (taplo, Even Better TOML) and other tools; what a
// schema cannot say (references, uniqueness) only the loader checks.
// Thread rule: safe from any thread.
#pragma once

#include <string>

#include "base/json/json.hpp"
#include "registry/path.hpp"

namespace nimbus::registry {

/// Null for FileKind::Content.
base::Json json_schema(FileKind kind);
/// "machine.schema.json"
std::string schema_file_name(FileKind kind);

}  // namespace nimbus::registry
