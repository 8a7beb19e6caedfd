#include "cli/objects.hpp"

#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

using registry::FileKind;

std::string id_of(const registry::PathInfo& info) {
  const std::string_view scope = info.provider.empty() ? info.tenant : info.provider;
  if (scope.empty() || info.kind == FileKind::Provider || info.kind == FileKind::Tenant)
    return std::string(info.name.empty() ? scope : info.name);
  return std::string(scope) + "/" + std::string(info.name);
}

struct Match {
  std::string path;
  std::string id;
};
/// Files of a kind whose id is `name`, or else whose last part is. `all`: every id there is.
std::vector<Match> matches_of(const Loaded& loaded, FileKind kind, const std::string& name,
                              std::vector<std::string>& all) {
  std::vector<Match> exact, by_name;
  for (const auto& entry : loaded.result.snapshot->tree) {
    const auto verdict = registry::classify(entry.path);
    if (verdict.kind != registry::PathVerdict::Kind::Known || verdict.info.kind != kind) continue;
    const std::string id = id_of(verdict.info);
    all.push_back(id);
    if (id == name || name.empty()) exact.push_back({entry.path, id});
    if (verdict.info.name == name) by_name.push_back({entry.path, id});
  }
  return exact.empty() ? by_name : exact;
}

}  // namespace

Result<std::string> find_object(const Loaded& loaded, FileKind kind, const std::string& name) {
  std::vector<std::string> all;
  auto matches = matches_of(loaded, kind, name, all);
  if (matches.size() > 1) {
    if (name.empty())
      return Error{Code::NotFound, fmt::format("there are {} of this kind: name one, such as '{}'", matches.size(),
                                               base::printable(matches.front().id, 200))};
    return Error{Code::NotFound, fmt::format("'{}' is not clear: '{}' or '{}'?", base::printable(name, 200),
                                             matches[0].id, matches[1].id)};
  }
  if (matches.empty()) {
    const auto meant = base::did_you_mean(name, all);
    return Error{Code::NotFound, fmt::format("no {} '{}'{}", registry::to_string(kind), base::printable(name, 200),
                                             meant ? "; did you mean '" + *meant + "'?" : "")};
  }
  return std::move(matches.front().path);
}

bool has_single_file(FileKind kind) noexcept {
  return kind == FileKind::Registry || kind == FileKind::Limits || kind == FileKind::Roles ||
         kind == FileKind::Bindings;
}

}  // namespace nimbus::cli
