// The files that make an editor know the registry's format: a JSON Schema for each
// kind, and taplo's configuration that says which file is of which kind.
#pragma once

#include <string>
#include <vector>

namespace nimbus::cli {

struct SchemaFile {
  std::string path;  // from the registry's top
  std::string text;
};
/// ".nimbus/schemas/machine.schema.json", …, ".taplo.toml".
std::vector<SchemaFile> schema_files();

}  // namespace nimbus::cli
