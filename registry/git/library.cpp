#include "registry/git/library.hpp"

#include <git2.h>

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

int set_up() {
  if (const int code = git_libgit2_init(); code < 0) return code;
  for (const auto level :
       {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
    if (const int code = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, ""); code < 0) return code;
  }
  // Off by default: a crash could leave empty objects behind a moved reference.
  if (const int code = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1); code < 0) return code;
  constexpr ssize_t kCacheBytes = ssize_t{32} << 20U;  // the default is 256 MiB
  return git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, kCacheBytes);
}

Code code_of(int code, int category) {
  switch (code) {
    case GIT_ENOTFOUND:
      return Code::NotFound;
    case GIT_EEXISTS:
    case GIT_EMODIFIED:
      return Code::Conflict;
    case GIT_ELOCKED:
      return Code::Busy;
    case GIT_EOWNER:
      return Code::Untrusted;
    case GIT_EINVALIDSPEC:
    case GIT_EINVALID:
      return Code::Invalid;
    case GIT_EMISMATCH:
    case GIT_EPEEL:
      return Code::Corrupt;
    default:
      break;
  }
  switch (category) {
    case GIT_ERROR_OS:
    case GIT_ERROR_NOMEMORY:
    case GIT_ERROR_FILESYSTEM:
    case GIT_ERROR_THREAD:
      return Code::Internal;
    default:
      return Code::Corrupt;
  }
}

}  // namespace

bool is_object_id(std::string_view text) noexcept {
  return text.size() == GIT_OID_HEXSZ &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<> start_git_library() {
  static const int code = set_up();
  if (code < 0) return Error{Code::Internal, "cannot start libgit2"};
  return {};
}

Error git_error(int code, const std::string& what) {
  const auto* last = git_error_last();
  const std::string detail = last != nullptr && last->message != nullptr ? last->message : "unknown error";
  return Error{code_of(code, last != nullptr ? last->klass : GIT_ERROR_NONE),
               "cannot " + what + ": " + base::printable(detail)};
}

Result<> parse_object_id(const ObjectId& text, git_oid& out) {
  if (!is_object_id(text) || git_oid_fromstr(&out, text.c_str()) != 0) {
    return Error{Code::Invalid, "'" + base::printable(text, 80) + "' is no object id"};
  }
  return {};
}

ObjectId object_id_text(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &id);
  return text;
}

}  // namespace nimbus::registry
