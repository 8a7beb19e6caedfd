// What a path of the registry means: the kind of file and the names in it. The
// path is the name; no file repeats its own. Pure. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "registry/problem.hpp"

namespace nimbus::registry {

enum class FileKind : std::uint8_t {
  Registry,  // registry.toml
  Limits,    // policy/limits.toml
  Roles,     // policy/roles.toml
  Bindings,  // policy/bindings.toml
  Approval,  // policy/approvals/<digest>.toml
  Tenant,    // policy/tenants/<tenant>.toml
  Person,    // policy/people/<person>.toml
  Provider,  // providers/<provider>/provider.toml
  Class,     // providers/<provider>/classes/<class>.toml
  Network,   // providers/<provider>/networks/<network>.toml
  Machine,   // providers/<provider>/machines/[<group>/]<machine>.toml
  Image,     // [providers/<provider>/ | tenants/<tenant>/]images/<image>.toml
  Profile,   // [tenants/<tenant>/]profiles/<profile>.toml
  Instance,  // tenants/<tenant>/instances/<instance>.toml
  Content,   // [tenants/<tenant>/]files/…: bytes, not read as TOML
};
inline constexpr std::size_t kFileKinds = static_cast<std::size_t>(FileKind::Content) + 1;

/// "machine", "network", …: as people write it on a command line.
std::string_view to_string(FileKind kind) noexcept;
std::optional<FileKind> file_kind_from(std::string_view name) noexcept;

/// policy/ and registry.toml: an error there refuses the whole commit.
bool governs_all(FileKind kind) noexcept;

/// Views into the path that was classified.
struct PathInfo {
  FileKind kind = FileKind::Registry;
  std::string_view provider;  // empty unless below providers/<provider>/
  std::string_view tenant;    // empty unless below tenants/<tenant>/
  std::string_view name;      // of the object; of Content: the path below files/
};

struct PathVerdict {
  enum class Kind : std::uint8_t { Known, Ignored, Wrong } kind = Kind::Ignored;
  PathInfo info;        // if Known
  ProblemCode code{};   // if Wrong
  std::string message;  // if Wrong
};

/// Files other than *.toml are Ignored outside files/. `path` must outlive the info.
PathVerdict classify(std::string_view path);

/// True if every part is a plain name: not empty, not "." or "..", no control
/// characters, no backslash, valid UTF-8.
bool is_clean_path(std::string_view path) noexcept;

}  // namespace nimbus::registry
