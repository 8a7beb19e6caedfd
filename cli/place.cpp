#include "cli/place.hpp"

#include <sys/stat.h>

#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/file/file.hpp"
#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kGitFileLimit = 4096;    // ".git" as a file holds one path
constexpr std::size_t kLongestRevision = 250;  // Git's references are file names
constexpr std::uint64_t kMostSteps = 10'000;   // of "HEAD~N"

enum class Found { Nothing, File, Folder };
Found look(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Found::Nothing;
  if (S_ISREG(info.st_mode)) return Found::File;
  return S_ISDIR(info.st_mode) ? Found::Folder : Found::Nothing;
}

std::optional<std::string> absolute(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return std::nullopt;
  return std::string(real.get());
}

bool is_bare(const std::string& folder) {
  return look(folder + "/HEAD") == Found::File && look(folder + "/objects") == Found::Folder &&
         look(folder + "/refs") == Found::Folder;
}

/// The repository of a work tree; a linked one names it in a file.
std::string git_folder_of(const std::string& folder) {
  const std::string git = folder + "/.git";
  if (look(git) == Found::Folder) return git;
  if (look(git) != Found::File) return {};
  const auto text = base::read_file(git, kGitFileLimit);
  constexpr std::string_view kPrefix = "gitdir: ";
  if (!text || !text->starts_with(kPrefix)) return {};
  const std::string target(base::trim(std::string_view(*text).substr(kPrefix.size())));
  return target.starts_with('/') ? target : folder + "/" + target;
}

/// "HEAD~3^" → "HEAD" and 4; nothing if the steps make no sense.
struct Steps {
  std::string name;
  std::uint64_t back = 0;
};
std::optional<Steps> parse_steps(std::string_view revision) {
  if (revision.size() > kLongestRevision) return std::nullopt;
  const auto end = revision.find_first_of("~^");
  Steps out{.name = std::string(revision.substr(0, end))};
  std::string_view rest = end == std::string_view::npos ? std::string_view() : revision.substr(end);
  while (!rest.empty()) {
    const char kind = rest.front();
    rest.remove_prefix(1);
    std::uint64_t count = 1;
    const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error == std::errc::result_out_of_range) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(after - rest.data()));
    if (kind != '~' && kind != '^') return std::nullopt;
    if (kind == '^' && count != 1) return std::nullopt;  // only the first parent: the registry's history is a line
    out.back += count;
    if (out.back > kMostSteps) return std::nullopt;
  }
  return out;
}

Error no_such_revision(std::string_view revision) {
  return {Code::NotFound, "no commit, branch or tag '" + base::printable(revision, 100) + "' in this repository"};
}

}  // namespace

Result<Place> find_place(const std::string& start) {
  const auto real = absolute(start);
  if (!real || look(*real) != Found::Folder) {
    return Error{Code::NotFound, "no such folder: " + base::printable(start)};
  }
  if (is_bare(*real)) return Place{.git_folder = *real};
  for (std::string folder = *real;; folder.resize(folder.rfind('/'))) {
    const std::string git = git_folder_of(folder);
    if (!git.empty() || look(folder + "/registry.toml") == Found::File) return Place{folder, git};
    if (folder.find('/') == std::string::npos || folder.empty()) break;
  }
  return Error{Code::NotFound,
               "no registry here: neither " + base::printable(*real) +
                   " nor a folder above it holds registry.toml; name one with -C, or make one with 'nimbusctl init'"};
}

Result<registry::GitRepository> open_repository(const Place& place) {
  if (place.git_folder.empty()) {
    return Error{Code::Invalid, base::printable(place.folder) + " is in no Git repository"};
  }
  return registry::GitRepository::open(place.git_folder);
}

Result<registry::ObjectId> resolve_revision(const registry::GitRepository& repository, std::string_view revision) {
  const auto steps = parse_steps(revision);
  if (!steps || steps->name.empty()) return no_such_revision(revision);
  std::optional<registry::ObjectId> id;
  if (registry::is_object_id(steps->name)) {
    id = steps->name;
  } else {
    for (const char* prefix : {"", "refs/heads/", "refs/tags/", "refs/remotes/", "refs/"}) {
      const std::string reference = prefix + steps->name;
      if (*prefix == '\0' && reference != "HEAD" && !reference.starts_with("refs/")) continue;
      auto found = repository.resolve(reference);
      if (!found && found.error().code != Code::Invalid) return std::move(found.error());
      if (found && *found) {
        id = **found;
        break;
      }
    }
  }
  if (!id) {
    auto abbreviated = repository.find_commit(base::to_lower(steps->name));
    if (!abbreviated) return std::move(abbreviated.error());
    if (!*abbreviated) return no_such_revision(revision);
    id = std::move(**abbreviated);
  }
  for (std::uint64_t step = 0; step <= steps->back; ++step) {
    auto commit = repository.commit(*id);
    if (!commit)
      return commit.error().code == Code::NotFound ? Result<registry::ObjectId>(no_such_revision(revision))
                                                   : std::move(commit.error());
    if (step == steps->back) break;
    if (commit->parents.empty()) return no_such_revision(revision);
    id = commit->parents.front();
  }
  return *id;
}

}  // namespace nimbus::cli
