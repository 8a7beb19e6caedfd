#include "registry/git/repository.hpp"

#include <dirent.h>
#include <git2.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text/text.hpp"
#include "registry/git/library.hpp"

namespace nimbus::registry {
namespace {

constexpr std::size_t kCommitBytes = std::size_t{1} << 20U;

using Reference = GitHandle<git_reference, git_reference_free>;
using Object = GitHandle<git_object, git_object_free>;
using Commit = GitHandle<git_commit, git_commit_free>;
using Database = GitHandle<git_odb, git_odb_free>;
using RevisionWalk = GitHandle<git_revwalk, git_revwalk_free>;
using Blob = GitHandle<git_blob, git_blob_free>;

GitPerson person(const git_signature* from) {
  if (from == nullptr) return {};
  return GitPerson{from->name, from->email, WallTime{std::chrono::seconds{from->when.time}}};
}

Result<std::size_t> object_size(git_repository* repository, const git_oid& id, git_object_t wanted) {
  git_odb* raw = nullptr;
  if (const int code = git_repository_odb(&raw, repository); code < 0) return git_error(code, "open the objects");
  const Database database(raw);
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (const int code = git_odb_read_header(&size, &type, raw, &id); code < 0) {
    return git_error(code, "read object " + object_id_text(id));
  }
  if (type != wanted) {
    return Error{Code::Corrupt, "object " + object_id_text(id) + " is a " + git_object_type2string(type) + ", not a " +
                                    git_object_type2string(wanted)};
  }
  return size;
}

}  // namespace

void GitRepository::Close::operator()(git_repository* repository) const noexcept { git_repository_free(repository); }

GitRepository::GitRepository(std::string path, git_repository* repository)
    : path_(std::move(path)), repository_(repository) {}
GitRepository::GitRepository(GitRepository&&) noexcept = default;
GitRepository& GitRepository::operator=(GitRepository&&) noexcept = default;
GitRepository::~GitRepository() = default;

Result<GitRepository> GitRepository::open(const std::string& path) {
  if (auto ok = start_git_library(); !ok) return std::move(ok.error());
  git_repository* raw = nullptr;
  // Exactly this folder: no search through its parents.
  const int code =
      git_repository_open_ext(&raw, path.c_str(), GIT_REPOSITORY_OPEN_BARE | GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr);
  if (code < 0) return git_error(code, "open the repository " + path);
  return GitRepository(path, raw);
}

Result<GitRepository> GitRepository::open_or_create(const std::string& path) {
  auto opened = open(path);
  if (opened || opened.error().code != Code::NotFound) return opened;
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKPATH;
  options.mode = 0700;
  options.initial_head = "main";
  git_repository* raw = nullptr;
  const int code = git_repository_init_ext(&raw, path.c_str(), &options);
  if (code < 0) return git_error(code, "make the repository " + path);
  return GitRepository(path, raw);
}

Result<std::optional<ObjectId>> GitRepository::resolve(const std::string& reference) const {
  git_reference* raw = nullptr;
  const int code = git_reference_lookup(&raw, repository_.get(), reference.c_str());
  if (code == GIT_ENOTFOUND) return std::optional<ObjectId>{};
  if (code < 0) return git_error(code, "read " + reference);
  const Reference found(raw);
  git_object* object = nullptr;
  if (const int peeled = git_reference_peel(&object, raw, GIT_OBJECT_COMMIT); peeled < 0) {
    return git_error(peeled, "find the commit of " + reference);
  }
  const Object commit(object);
  return std::optional<ObjectId>(object_id_text(*git_object_id(object)));
}

Result<std::optional<ObjectId>> GitRepository::find_commit(const std::string& prefix) const {
  constexpr std::size_t kLeast = 4;  // as git has it
  const bool hex = std::ranges::all_of(prefix, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hex || prefix.size() < kLeast || prefix.size() > GIT_OID_HEXSZ) return std::optional<ObjectId>{};
  const std::string padded = prefix + std::string(GIT_OID_HEXSZ - prefix.size(), '0');
  git_oid id{};
  if (auto ok = parse_object_id(padded, id); !ok) return std::move(ok.error());
  git_commit* raw = nullptr;
  const int code = git_commit_lookup_prefix(&raw, repository_.get(), &id, prefix.size());
  if (code == GIT_ENOTFOUND) return std::optional<ObjectId>{};
  if (code == GIT_EAMBIGUOUS) return Error{Code::Conflict, "several objects have an id that begins with " + prefix};
  if (code < 0) return git_error(code, "find the commit " + prefix);
  std::optional<ObjectId> found(object_id_text(*git_commit_id(raw)));
  git_commit_free(raw);
  return found;
}

Result<> GitRepository::move_reference(const std::string& reference, const ObjectId& to,
                                       const std::optional<ObjectId>& expected) {
  git_oid target{};
  git_oid old{};
  if (auto ok = parse_object_id(to, target); !ok) return ok;
  if (expected) {
    if (auto ok = parse_object_id(*expected, old); !ok) return ok;
  }
  git_reference* raw = nullptr;
  int code = git_reference_create_matching(&raw, repository_.get(), reference.c_str(), &target, expected ? 1 : 0,
                                           expected ? &old : nullptr, nullptr);
  const Reference created(raw);
  if (code == GIT_ENOTFOUND && expected) code = GIT_EMODIFIED;  // it was to be moved, and is gone
  if (code < 0) return git_error(code, "move " + reference);
  return {};
}

Result<> GitRepository::delete_reference(const std::string& reference) {
  const int code = git_reference_remove(repository_.get(), reference.c_str());
  if (code < 0 && code != GIT_ENOTFOUND) return git_error(code, "delete " + reference);
  return {};
}

Result<GitCommit> GitRepository::commit(const ObjectId& id) const {
  git_oid oid{};
  if (auto ok = parse_object_id(id, oid); !ok) return std::move(ok.error());
  auto size = object_size(repository_.get(), oid, GIT_OBJECT_COMMIT);
  if (!size) return std::move(size.error());
  if (*size > kCommitBytes) return Error{Code::Invalid, "commit " + id + " is larger than 1 MiB"};
  git_commit* raw = nullptr;
  if (const int code = git_commit_lookup(&raw, repository_.get(), &oid); code < 0) {
    return git_error(code, "read commit " + id);
  }
  const Commit found(raw);
  GitCommit out;
  out.id = id;
  out.tree = object_id_text(*git_commit_tree_id(raw));
  for (unsigned i = 0; i < git_commit_parentcount(raw); ++i) {
    out.parents.push_back(object_id_text(*git_commit_parent_id(raw, i)));
  }
  out.author = person(git_commit_author(raw));
  out.committer = person(git_commit_committer(raw));
  const char* message = git_commit_message_raw(raw);
  out.message = message != nullptr ? message : "";
  return out;
}

Result<std::size_t> GitRepository::count_commits(const ObjectId& id, std::size_t most) const {
  git_oid start{};
  if (auto ok = parse_object_id(id, start); !ok) return std::move(ok.error());
  git_revwalk* raw = nullptr;
  if (const int code = git_revwalk_new(&raw, repository_.get()); code < 0) return git_error(code, "count commits");
  const RevisionWalk walk(raw);
  int code = git_revwalk_push(raw, &start);
  std::size_t count = 0;
  git_oid each{};
  while (code == 0 && count < most && (code = git_revwalk_next(&each, raw)) == 0) ++count;
  if (code < 0 && code != GIT_ITEROVER) return git_error(code, "count the commits below " + id);
  return count;
}

Result<bool> GitRepository::is_ancestor(const ObjectId& ancestor, const ObjectId& descendant) const {
  git_oid older{};
  git_oid newer{};
  if (auto ok = parse_object_id(ancestor, older); !ok) return std::move(ok.error());
  if (auto ok = parse_object_id(descendant, newer); !ok) return std::move(ok.error());
  if (ancestor == descendant) return true;
  const int code = git_graph_descendant_of(repository_.get(), &newer, &older);
  if (code < 0) return git_error(code, "compare commits " + ancestor + " and " + descendant);
  return code == 1;
}

Result<std::size_t> GitRepository::blob_size(const ObjectId& id) const {
  git_oid oid{};
  if (auto ok = parse_object_id(id, oid); !ok) return std::move(ok.error());
  return object_size(repository_.get(), oid, GIT_OBJECT_BLOB);
}

Result<std::string> GitRepository::read_blob(const ObjectId& id, std::size_t limit_bytes) const {
  git_oid oid{};
  if (auto ok = parse_object_id(id, oid); !ok) return std::move(ok.error());
  auto size = object_size(repository_.get(), oid, GIT_OBJECT_BLOB);
  if (!size) return std::move(size.error());
  if (*size > limit_bytes) {
    return Error{Code::Invalid,
                 "blob " + id + " has " + std::to_string(*size) + " bytes, more than " + std::to_string(limit_bytes)};
  }
  git_blob* raw = nullptr;
  if (const int code = git_blob_lookup(&raw, repository_.get(), &oid); code < 0)
    return git_error(code, "read blob " + id);
  const Blob blob(raw);
  const auto length = static_cast<std::size_t>(git_blob_rawsize(raw));
  if (length > limit_bytes) return Error{Code::Corrupt, "blob " + id + " is larger than its header says"};
  return std::string(static_cast<const char*>(git_blob_rawcontent(raw)), length);
}

Result<> GitRepository::remove_stale_locks() {
  namespace fs = std::filesystem;
  std::error_code failure;
  for (const char* name : {"packed-refs.lock", "HEAD.lock", "config.lock", "shallow.lock"}) {
    fs::remove(fs::path(path_) / name, failure);
    if (failure) return Error{Code::Internal, std::string("cannot remove ") + name + ": " + failure.message()};
  }
  fs::recursive_directory_iterator entry(fs::path(path_) / "refs", failure);
  for (; !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    if (entry->path().extension() == ".lock") fs::remove(entry->path(), failure);
    if (failure) break;
  }
  if (failure) return Error{Code::Internal, "cannot remove old locks in " + path_ + ": " + failure.message()};
  return {};
}

}  // namespace nimbus::registry
