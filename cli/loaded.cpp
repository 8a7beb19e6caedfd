#include "cli/loaded.hpp"

#include <algorithm>

#include "registry/directory_source.hpp"
#include "registry/git/commit_source.hpp"

namespace nimbus::cli {

std::size_t Loaded::files() const { return result.snapshot->tree.size(); }

std::optional<std::string> Loaded::text_of(const std::string& path) const {
  const registry::TreeEntry* entry = result.snapshot->find_file(path);
  if (entry == nullptr) return std::nullopt;
  auto text = source->read(*entry);
  if (!text) return std::nullopt;
  return std::move(*text);
}

Result<Loaded> load_registry(const std::string& start, const std::string& revision) {
  auto place = find_place(start);
  if (!place) return std::move(place.error());
  Loaded out{.place = std::move(*place)};
  if (revision.empty() && !out.place.folder.empty()) {
    out.source = std::make_unique<registry::DirectorySource>(out.place.folder);
  } else {
    auto repository = open_repository(out.place);
    if (!repository) return std::move(repository.error());
    out.repository = std::make_unique<registry::GitRepository>(std::move(*repository));
    auto commit = resolve_revision(*out.repository, revision.empty() ? "HEAD" : revision);
    if (!commit) return std::move(commit.error());
    out.commit = std::move(*commit);
    out.source = std::make_unique<registry::CommitSource>(*out.repository, out.commit);
  }
  auto result = registry::load(*out.source);
  if (!result) return std::move(result.error());
  out.result = std::move(*result);
  return out;
}

Result<registry::LoadResult> load_commit(const registry::GitRepository& repository, const registry::ObjectId& commit,
                                         const registry::Snapshot* previous) {
  const registry::CommitSource source(repository, commit);
  return registry::load(source, previous);
}

}  // namespace nimbus::cli
