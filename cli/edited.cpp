#include "cli/edited.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/source.hpp"

namespace nimbus::cli {
namespace {

using registry::Problem;

/// The files on disk, one of them with another text, new or gone.
class EditedSource final : public registry::TreeSource {
 public:
  EditedSource(const TreeSource& under, const FileChange& change) : under_(under), change_(change) {}

  Result<std::vector<registry::TreeEntry>> list() const override {
    auto entries = under_.list();
    if (!entries) return entries;
    auto at = std::ranges::lower_bound(*entries, change_.path, {}, &registry::TreeEntry::path);
    const bool there = at != entries->end() && at->path == change_.path;
    if (!change_.text) {
      if (there) entries->erase(at);
      return entries;
    }
    if (!there) at = entries->insert(at, {.path = change_.path});
    at->size = change_.text->size();
    at->blob.assign(40, '0');  // of no file, so that nothing old is taken for it
    return entries;
  }
  Result<std::string> read(const registry::TreeEntry& entry) const override {
    return entry.path == change_.path && change_.text ? Result<std::string>(*change_.text) : under_.read(entry);
  }

 private:
  const TreeSource& under_;
  const FileChange& change_;
};

}  // namespace

Result<registry::LoadResult> load_edited(const Loaded& loaded, const FileChange& change) {
  const EditedSource source(*loaded.source, change);
  return registry::load(source, loaded.result.snapshot.get());
}

std::vector<Problem> new_errors(const Loaded& loaded, const registry::LoadResult& after) {
  const auto key_of = [](const Problem& problem) { return std::tuple(problem.file, problem.code, problem.message); };
  std::set<std::tuple<std::string, registry::ProblemCode, std::string>> old;
  for (const auto& problem : loaded.result.problems) old.insert(key_of(problem));
  std::vector<Problem> out;
  for (const auto& problem : after.problems) {
    if (problem.severity == registry::Severity::Error && !old.contains(key_of(problem))) out.push_back(problem);
  }
  return out;
}

Exit refuse(Context& context, const std::vector<Problem>& problems) {
  for (const auto& problem : problems) {
    context.console.error(
        fmt::format("{}: {} [{}]", base::printable(problem.file), problem.message, registry::to_string(problem.code)));
  }
  context.console.say("nothing was changed");
  return Exit::Invalid;
}

}  // namespace nimbus::cli
