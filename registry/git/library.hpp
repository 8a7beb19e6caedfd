// libgit2, set up once, and its errors as ours. For this folder's sources only:
// they include <git2.h> themselves.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "registry/git/objects.hpp"

struct git_oid;

namespace nimbus::registry {

/// First thing before any other call of libgit2: safe from any thread, any number
/// of times. No configuration of the system or the user is read; what is written is
/// synced to disk.
Result<> start_git_library();

/// The error of the call that returned `code`, on this thread.
Error git_error(int code, const std::string& what);

/// An owner of one of libgit2's objects.
template <auto kFree>
struct GitFree {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};
template <class T, auto kFree>
using GitHandle = std::unique_ptr<T, GitFree<kFree>>;

Result<> parse_object_id(const ObjectId& text, git_oid& out);
ObjectId object_id_text(const git_oid& id);

}  // namespace nimbus::registry
