// nimbusctl fmt.
#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "cli/context.hpp"
#include "cli/place.hpp"
#include "cli/toml_layout.hpp"
#include "registry/directory_source.hpp"
#include "registry/path.hpp"

namespace nimbus::cli {
namespace {

using registry::TreeEntry;

constexpr unsigned kRegistryFileMode = 0644;

/// Registry files below one of `paths` (all if empty). Links are never followed.
Result<std::vector<TreeEntry>> files_to_format(const registry::DirectorySource& source,
                                               const std::vector<std::string>& paths) {
  auto entries = source.list();
  if (!entries) return std::move(entries.error());
  std::set<std::string> unused(paths.begin(), paths.end());
  std::vector<TreeEntry> out;
  for (auto& entry : *entries) {
    if (entry.kind != TreeEntry::Kind::File || !entry.path.ends_with(".toml")) continue;
    const auto verdict = registry::classify(entry.path);
    if (verdict.kind != registry::PathVerdict::Kind::Known || verdict.info.kind == registry::FileKind::Content)
      continue;
    bool wanted = paths.empty();
    for (const auto& path : paths) {
      if (entry.path != path && !entry.path.starts_with(path + "/")) continue;
      wanted = true;
      unused.erase(path);
    }
    if (wanted) out.push_back(std::move(entry));
  }
  if (!unused.empty()) return Error{Code::NotFound, "no registry file at " + base::printable(*unused.begin(), 300)};
  return out;
}

/// "providers/…", from the registry's top, of what was typed in the current folder.
std::string path_below(const std::string& folder, std::string path) {
  if (path.starts_with(folder + "/")) path.erase(0, folder.size() + 1);
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Exit run_fmt(Context& context) {
  auto place = find_place(context.registry_start());
  if (!place) return fail(context, place.error());
  if (place->folder.empty()) return fail(context, {Code::Invalid, "a bare repository has no files on disk"});
  std::vector<std::string> paths;
  for (const auto& path : context.args.all("PATH")) paths.push_back(path_below(place->folder, path));
  const registry::DirectorySource source(place->folder);
  auto files = files_to_format(source, paths);
  if (!files) return fail(context, files.error());

  const bool check = context.args.flag("check");
  std::size_t changed = 0, broken = 0;
  for (const auto& file : *files) {
    const auto text = source.read(file);
    const auto laid_out = text ? toml_layout(*text) : Result<std::string>(text.error());
    if (!laid_out) {
      ++broken;
      context.console.error(file.path + ": " + laid_out.error().text());
      continue;
    }
    if (*laid_out == *text) continue;
    ++changed;
    if (!check) {
      if (auto written = base::write_file_atomically(place->folder + "/" + file.path, *laid_out, kRegistryFileMode);
          !written) {
        return fail(context, written.error());
      }
    }
    context.console.out(base::printable(file.path) + "\n");
  }
  context.console.say(fmt::format("{} of {} files {}", changed, files->size(), check ? "would change" : "changed"));
  if (broken > 0) return Exit::Invalid;
  return check && changed > 0 ? Exit::Changes : Exit::Ok;
}

}  // namespace nimbus::cli
