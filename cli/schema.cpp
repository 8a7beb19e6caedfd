// nimbusctl schema: what editors and other tools need to know the format.
#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "cli/context.hpp"
#include "cli/kinds.hpp"
#include "cli/place.hpp"
#include "cli/schema_files.hpp"
#include "registry/schema/json_schema.hpp"

namespace nimbus::cli {
namespace {

using registry::FileKind;

constexpr std::string_view kFolder = ".nimbus/schemas/";

/// taplo's glob of the files of a kind.
std::string_view glob_of(FileKind kind) {
  switch (kind) {
    case FileKind::Registry:
      return "registry.toml";
    case FileKind::Limits:
      return "policy/limits.toml";
    case FileKind::Roles:
      return "policy/roles.toml";
    case FileKind::Bindings:
      return "policy/bindings.toml";
    case FileKind::Approval:
      return "policy/approvals/*.toml";
    case FileKind::Tenant:
      return "policy/tenants/*.toml";
    case FileKind::Person:
      return "policy/people/*.toml";
    case FileKind::Provider:
      return "providers/*/provider.toml";
    case FileKind::Class:
      return "providers/*/classes/*.toml";
    case FileKind::Network:
      return "providers/*/networks/*.toml";
    case FileKind::Machine:
      return "providers/*/machines/**/*.toml";
    case FileKind::Image:
      return "**/images/*.toml";
    case FileKind::Profile:
      return "**/profiles/*.toml";
    case FileKind::Instance:
      return "tenants/*/instances/*.toml";
    case FileKind::Content:
      return "";
  }
  return "";
}

}  // namespace

std::vector<SchemaFile> schema_files() {
  std::vector<SchemaFile> out;
  std::string taplo =
      "# Which schema describes which file, for taplo and editors built on it. Written by\n"
      "# `nimbusctl schema install`; run it again after an update of nimbusctl.\n"
      "include = [\"**/*.toml\"]\nexclude = [\"**/files/**\"]\n\n[formatting]\nalign_comments = false\n"
      "array_auto_collapse = false\narray_auto_expand = false\n";
  for (const auto kind : schema_kinds()) {
    const std::string path = std::string(kFolder) + registry::schema_file_name(kind);
    out.push_back({path, registry::json_schema(kind).text(base::JsonStyle::Pretty) + "\n"});
    taplo += fmt::format("\n[[rule]]\ninclude = [\"{}\"]\n\n[rule.schema]\npath = \"./{}\"\n", glob_of(kind), path);
  }
  out.push_back({".taplo.toml", taplo});
  return out;
}

Exit run_schema_print(Context& context) {
  const auto kind = registry::file_kind_from(context.args.text("KIND"));
  if (!kind) return Exit::NotFound;
  context.console.out(registry::json_schema(*kind).text(base::JsonStyle::Pretty) + "\n");
  return Exit::Ok;
}

Exit run_schema_install(Context& context) {
  constexpr unsigned kFile = 0644, kFolderMode = 0755;
  auto place = find_place(context.registry_start());
  if (!place) return fail(context, place.error());
  if (place->folder.empty()) return fail(context, {Code::Invalid, "a bare repository has no files on disk"});
  for (const auto& file : schema_files()) {
    const std::string path = place->folder + "/" + file.path;
    const auto old = base::read_file(path, std::size_t{16} << 20U);
    if (old && *old == file.text) continue;
    if (auto made = base::make_folders(path.substr(0, path.rfind('/')), kFolderMode); !made)
      return fail(context, made.error());
    if (auto written = base::write_file_atomically(path, file.text, kFile); !written)
      return fail(context, written.error());
    context.console.out(file.path + "\n");
  }
  return Exit::Ok;
}

}  // namespace nimbus::cli
