#include "registry/path.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "core/names.hpp"

namespace nimbus::registry {
namespace {

constexpr std::array<std::string_view, kFileKinds> kNames = {"registry", "limits", "roles",    "bindings", "approval",
                                                             "tenant",   "person", "provider", "class",    "network",
                                                             "machine",  "image",  "profile",  "instance", "content"};

/// The parts of a path without allocating: registry paths have at most six.
struct Parts {
  std::array<std::string_view, 8> part;
  std::size_t count = 0;
  bool overflow = false;

  explicit Parts(std::string_view path) {
    while (true) {
      const auto slash = path.find('/');
      if (count == part.size()) {
        overflow = true;
        return;
      }
      part[count++] = path.substr(0, slash);
      if (slash == std::string_view::npos) return;
      path.remove_prefix(slash + 1);
    }
  }
  bool begins(std::size_t index, std::string_view name) const { return index < count && part[index] == name; }
};

PathVerdict known(PathInfo info) { return {PathVerdict::Kind::Known, info, {}, {}}; }
PathVerdict wrong(ProblemCode code, std::string message) {
  return {PathVerdict::Kind::Wrong, {}, code, std::move(message)};
}

PathVerdict unknown_path(std::string_view path) {
  return wrong(ProblemCode::UnknownPath,
               fmt::format("the format has no file '{}'; see the layout in the reference", base::printable(path, 200)));
}

std::string_view stem(std::string_view file) { return file.substr(0, file.size() - std::string_view(".toml").size()); }

bool is_plan_digest(std::string_view text) {
  return text.size() >= 12 && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The last check of every object: its names are labels.
PathVerdict named(PathInfo info) {
  const auto bad = [](std::string_view what, std::string_view name) {
    return wrong(ProblemCode::BadName,
                 fmt::format("'{}' is no name for a {}: use lower-case letters, digits and inner dashes, at most 63",
                             base::printable(name, 80), what));
  };
  if (!info.provider.empty() && !is_dns_label(info.provider)) return bad("provider", info.provider);
  if (!info.tenant.empty() && !is_dns_label(info.tenant)) return bad("tenant", info.tenant);
  if (!is_dns_label(info.name)) return bad(to_string(info.kind), info.name);
  return known(info);
}

PathVerdict classify_policy(std::string_view path, const Parts& parts) {
  if (parts.count == 2) {
    for (const auto kind : {FileKind::Limits, FileKind::Roles, FileKind::Bindings}) {
      if (stem(parts.part[1]) == to_string(kind)) return known({kind, {}, {}, to_string(kind)});
    }
  }
  if (parts.count == 3 && parts.part[1] == "approvals") {
    const auto digest = stem(parts.part[2]);
    if (is_plan_digest(digest)) return known({FileKind::Approval, {}, {}, digest});
    return wrong(ProblemCode::BadName,
                 fmt::format("'{}' is no digest of a plan: 12 to 64 lower-case hexadecimal digits",
                             base::printable(digest, 80)));
  }
  if (parts.count == 3) {
    for (const auto& [folder, kind] : {std::pair{std::string_view("tenants"), FileKind::Tenant},
                                       std::pair{std::string_view("people"), FileKind::Person}}) {
      if (parts.part[1] == folder) return named({kind, {}, {}, stem(parts.part[2])});
    }
  }
  return unknown_path(path);
}

PathVerdict classify_provider(std::string_view path, const Parts& parts) {
  const std::string_view provider = parts.part[1];
  if (parts.count == 3 && parts.part[2] == "provider.toml") return named({FileKind::Provider, provider, {}, provider});
  if (parts.begins(2, "storage")) {
    return wrong(ProblemCode::ReservedPath, "providers/<provider>/storage/ is reserved for a later format");
  }
  if (parts.count == 4) {
    for (const auto& [folder, kind] : {std::pair{std::string_view("classes"), FileKind::Class},
                                       std::pair{std::string_view("networks"), FileKind::Network},
                                       std::pair{std::string_view("machines"), FileKind::Machine},
                                       std::pair{std::string_view("images"), FileKind::Image}}) {
      if (parts.part[2] == folder) return named({kind, provider, {}, stem(parts.part[3])});
    }
  }
  if (parts.count == 5 && parts.part[2] == "machines") {
    if (!is_dns_label(parts.part[3])) {
      return wrong(ProblemCode::BadName, fmt::format("'{}' is no name for a group of machines: use lower-case letters, "
                                                     "digits and inner dashes, at most 63",
                                                     base::printable(parts.part[3], 80)));
    }
    return named({FileKind::Machine, provider, {}, stem(parts.part[4])});
  }
  return unknown_path(path);
}

PathVerdict classify_tenant(std::string_view path, const Parts& parts) {
  if (parts.begins(2, "volumes")) {
    return wrong(ProblemCode::ReservedPath, "tenants/<tenant>/volumes/ is reserved for a later format");
  }
  if (parts.count == 4) {
    for (const auto& [folder, kind] : {std::pair{std::string_view("instances"), FileKind::Instance},
                                       std::pair{std::string_view("images"), FileKind::Image},
                                       std::pair{std::string_view("profiles"), FileKind::Profile}}) {
      if (parts.part[2] == folder) return named({kind, {}, parts.part[1], stem(parts.part[3])});
    }
  }
  return unknown_path(path);
}

}  // namespace

std::string_view to_string(FileKind kind) noexcept { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<FileKind> file_kind_from(std::string_view name) noexcept {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<FileKind>(at - kNames.begin());
}

namespace {

/// What nearly every path of a registry is made of; anything else is looked at closely.
bool is_plain(std::string_view path) noexcept {
  char before = '/';
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!letter && (before == '/' || (c != '/' && c != '.'))) return false;
    before = c;
  }
  return before != '/';
}

}  // namespace

bool governs_all(FileKind kind) noexcept { return kind <= FileKind::Person; }

bool is_clean_path(std::string_view path) noexcept {
  while (true) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    const bool dirty = std::ranges::any_of(part, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7F || c == '\\';
    });
    if (dirty) return false;
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return true;
}

PathVerdict classify(std::string_view path) {
  if (!is_plain(path) && (!is_clean_path(path) || !base::is_valid_utf8(path))) {
    return wrong(ProblemCode::BadName, fmt::format("the path '{}' has an empty part, '..', a backslash, control "
                                                   "characters or is not UTF-8",
                                                   base::printable(path, 200)));
  }
  if (path.starts_with("files/")) return known({FileKind::Content, {}, {}, path.substr(6)});
  const Parts parts(path);
  const bool of_tenant = parts.begins(0, "tenants") && parts.count >= 3;
  if (of_tenant && parts.part[2] == "files" && parts.count >= 4) {
    const auto below = path.substr(static_cast<std::size_t>(parts.part[3].data() - path.data()));
    return is_dns_label(parts.part[1]) ? known({FileKind::Content, {}, parts.part[1], below})
                                       : named({FileKind::Content, {}, parts.part[1], "x"});
  }
  if (!path.ends_with(".toml")) return {};
  // Hidden folders and files belong to tools (.taplo.toml, .github/…).
  if (parts.part[0].starts_with('.')) return {};
  if (parts.overflow) return unknown_path(path);
  if (path == "registry.toml") return known({FileKind::Registry, {}, {}, "registry"});
  if (parts.begins(0, "policy")) return classify_policy(path, parts);
  if (parts.begins(0, "providers") && parts.count >= 3) return classify_provider(path, parts);
  if (of_tenant) return classify_tenant(path, parts);
  if (parts.begins(0, "images") && parts.count == 2) return named({FileKind::Image, {}, {}, stem(parts.part[1])});
  if (parts.begins(0, "profiles") && parts.count == 2) return named({FileKind::Profile, {}, {}, stem(parts.part[1])});
  if (parts.begins(0, "federation"))
    return wrong(ProblemCode::ReservedPath, "federation/ is reserved for a later format");
  return unknown_path(path);
}

}  // namespace nimbus::registry
