#include "registry/git/commit_builder.hpp"

#include <fmt/format.h>
#include <git2.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text/text.hpp"
#include "registry/git/library.hpp"
#include "registry/git/pack_writer.hpp"

namespace nimbus::registry {
namespace {

using Commit = GitHandle<git_commit, git_commit_free>;
using Tree = GitHandle<git_tree, git_tree_free>;
using Database = GitHandle<git_odb, git_odb_free>;
using Signature = GitHandle<git_signature, git_signature_free>;

constexpr std::size_t kDepth = 16;

bool is_path_part(std::string_view part) {
  constexpr std::size_t kLongest = 255;
  if (part.empty() || part.size() > kLongest || part == "." || part == "..") return false;
  if (base::equals_ignoring_case(part, ".git")) return false;
  return base::is_valid_utf8(part) && std::ranges::none_of(part, [](char c) {
           return static_cast<unsigned char>(c) < 0x20U || c == 0x7F || c == '\\';
         });
}

/// The changes as a tree of folders, so that each folder is rewritten once.
struct Folder {
  std::map<std::string, Folder, std::less<>> folders;
  std::map<std::string, const std::optional<std::string>*, std::less<>> files;
};

Result<> plant(Folder& root, const std::string& path, const std::optional<std::string>& content) {
  Folder* at = &root;
  const auto parts = base::split(path, '/');
  if (parts.size() > kDepth || !std::ranges::all_of(parts, is_path_part)) {
    return Error{Code::Invalid, "'" + base::printable(path, 200) + "' is no path for a file"};
  }
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) at = &at->folders[std::string(parts[i])];
  at->files[std::string(parts.back())] = &content;
  return {};
}

struct Entry {
  std::string name;
  git_filemode_t mode = GIT_FILEMODE_BLOB;
  git_oid id{};

  std::string sort_key() const { return mode == GIT_FILEMODE_TREE ? name + "/" : name; }
};

/// What is there already, and the objects of one commit, which become one pack.
class Objects {
 public:
  static Result<Objects> open(const std::string& path) {
    Objects objects;
    auto repository = GitRepository::open(path);
    if (!repository) return std::move(repository.error());
    objects.repository_.emplace(std::move(*repository));
    git_odb* database = nullptr;
    if (const int code = git_repository_odb(&database, objects.raw()); code < 0) {
      return git_error(code, "open the objects of " + path);
    }
    objects.database_.reset(database);
    return objects;
  }

  git_repository* raw() const noexcept { return repository_->raw(); }

  /// Not by git_odb_write: that would list the pack folder anew for each object that is not there yet.
  Result<git_oid> write(std::string_view bytes, git_object_t type) {
    git_oid id{};
    if (const int code = git_odb_hash(&id, bytes.data(), bytes.size(), type); code < 0) {
      return git_error(code, "make an object");
    }
    if (git_odb_exists_ext(database_.get(), &id, GIT_ODB_LOOKUP_NO_REFRESH) != 0) return id;
    PackWriter::Id key{};
    std::ranges::copy(id.id, key.begin());
    if (!created_.insert(key).second) return id;
    using Kind = PackWriter::Kind;
    pack_.add(key, type == GIT_OBJECT_COMMIT ? Kind::Commit : type == GIT_OBJECT_TREE ? Kind::Tree : Kind::Blob, bytes);
    return id;
  }

  /// Only what was created here; nothing if the very same commit was built before.
  Result<> write_pack() {
    auto wrote = pack_.write(git_repository_path(raw()) + std::string("objects/pack"));
    return wrote ? wrote : std::move(wrote.error()).with("while writing a commit to " + repository_->path());
  }

 private:
  Objects() = default;
  std::optional<GitRepository> repository_;
  Database database_;
  PackWriter pack_;
  std::set<PackWriter::Id> created_;
};

Result<std::map<std::string, Entry, std::less<>>> read_tree(const Objects& objects, const git_oid* id) {
  std::map<std::string, Entry, std::less<>> entries;
  if (id == nullptr) return entries;
  git_tree* raw = nullptr;
  if (const int code = git_tree_lookup(&raw, objects.raw(), id); code < 0) return git_error(code, "read a tree");
  const Tree tree(raw);
  for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
    const git_tree_entry* from = git_tree_entry_byindex(raw, i);
    Entry entry{git_tree_entry_name(from), git_tree_entry_filemode_raw(from), *git_tree_entry_id(from)};
    entries.insert_or_assign(entries.end(), entry.name, entry);
  }
  return entries;
}

Result<git_oid> write_tree(Objects& objects, std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, &Entry::sort_key);
  std::string bytes;
  for (const auto& entry : entries) {
    // "<mode in octal, no leading zero> <name>\0<20 bytes>" (gitformat: tree objects)
    constexpr unsigned kOctalDigits = 6;
    std::string mode;
    for (unsigned i = kOctalDigits; i-- > 0;) {
      const auto digit = (static_cast<unsigned>(entry.mode) >> (3U * i)) & 7U;
      if (digit != 0 || !mode.empty()) mode += static_cast<char>('0' + digit);
    }
    bytes += mode + " " + entry.name + '\0';
    bytes.append(reinterpret_cast<const char*>(entry.id.id), GIT_OID_RAWSZ);
  }
  return objects.write(bytes, GIT_OBJECT_TREE);
}

/// The tree of `base` with `folder`'s changes; nothing if no file is left in it.
Result<std::optional<git_oid>> apply(Objects& objects, const Folder& folder, const git_oid* base) {
  auto entries = read_tree(objects, base);
  if (!entries) return std::move(entries.error());
  for (const auto& [name, content] : folder.files) {
    const auto old = entries->find(name);
    if (!content->has_value()) {
      if (old != entries->end() && old->second.mode != GIT_FILEMODE_TREE) entries->erase(old);
      continue;
    }
    const auto blob = objects.write(**content, GIT_OBJECT_BLOB);
    if (!blob) return blob.error();
    entries->insert_or_assign(name, Entry{name, GIT_FILEMODE_BLOB, *blob});
  }
  for (const auto& [name, inner] : folder.folders) {
    const auto old = entries->find(name);
    const bool is_folder = old != entries->end() && old->second.mode == GIT_FILEMODE_TREE;
    const auto tree = apply(objects, inner, is_folder ? &old->second.id : nullptr);
    if (!tree) return tree.error();
    if (*tree) {
      entries->insert_or_assign(name, Entry{name, GIT_FILEMODE_TREE, **tree});
    } else if (is_folder) {
      entries->erase(old);
    }
  }
  if (entries->empty()) return std::optional<git_oid>{};
  std::vector<Entry> sorted;
  sorted.reserve(entries->size());
  for (auto& [name, entry] : *entries) sorted.push_back(std::move(entry));
  const auto tree = write_tree(objects, std::move(sorted));
  if (!tree) return tree.error();
  return std::optional<git_oid>(*tree);
}

Result<Signature> signature(const GitPerson& person) {
  static constexpr std::string_view kForbidden("<>\n\r\0", 5);
  const auto bad = [](const std::string& text) { return text.empty() || text.find_first_of(kForbidden) != text.npos; };
  if (bad(person.name) || bad(person.email)) {
    return Error{Code::Invalid,
                 "'" + base::printable(person.name, 80) + " <" + base::printable(person.email, 80) + ">' is no author"};
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(person.when.time_since_epoch()).count();
  git_signature* raw = nullptr;
  if (const int code = git_signature_new(&raw, person.name.c_str(), person.email.c_str(), seconds, 0); code < 0) {
    return git_error(code, "name an author");
  }
  return Signature(raw);
}

Result<Commit> lookup(const Objects& objects, const ObjectId& id) {
  git_oid oid{};
  if (auto ok = parse_object_id(id, oid); !ok) return std::move(ok.error());
  git_commit* raw = nullptr;
  if (const int code = git_commit_lookup(&raw, objects.raw(), &oid); code < 0)
    return git_error(code, "read commit " + id);
  return Commit(raw);
}

/// "gpgsig" goes behind the other headers, further lines indented by one space.
std::string with_signature(std::string_view commit, std::string_view signature) {
  const auto end = commit.find("\n\n");
  std::string header = "\ngpgsig ";
  for (const char c : base::trim(signature)) {
    header += c;
    if (c == '\n') header += ' ';
  }
  return std::string(commit.substr(0, end)) + header + std::string(commit.substr(end));
}

/// "author NAME <EMAIL> SECONDS ZONE" and the like (gitformat: commit objects).
std::string person_line(std::string_view role, const git_signature& person) {
  return fmt::format("{} {} <{}> {} +0000\n", role, person.name, person.email, person.when.time);
}

Result<std::string> commit_bytes(const Objects& objects, const NewCommit& commit, const git_oid& tree_id) {
  const auto author = signature(commit.author);
  if (!author) return author.error();
  const auto committer = signature(commit.committer);
  if (!committer) return committer.error();
  std::string bytes = "tree " + object_id_text(tree_id) + "\n";
  for (const auto& id : commit.parents) {
    const auto parent = lookup(objects, id);
    if (!parent) return parent.error();
    bytes += "parent " + object_id_text(*git_commit_id(parent->get())) + "\n";
  }
  return bytes + person_line("author", **author) + person_line("committer", **committer) + "\n" + commit.message;
}

Result<git_oid> build_tree(Objects& objects, const Folder& changes, const git_oid* base) {
  const auto tree = apply(objects, changes, base);
  if (!tree) return tree.error();
  if (*tree) return **tree;
  return write_tree(objects, {});
}

}  // namespace

ObjectId blob_id(std::string_view bytes) {
  git_oid id{};
  if (!start_git_library() || git_odb_hash(&id, bytes.data(), bytes.size(), GIT_OBJECT_BLOB) < 0) return {};
  return object_id_text(id);
}

Result<std::optional<ObjectId>> write_commit(const GitRepository& repository, const NewCommit& commit,
                                             CommitSigner* signer) {
  Folder changes;
  for (const auto& [path, content] : commit.changes) {
    if (auto ok = plant(changes, path, content); !ok) return std::move(ok.error());
  }
  auto objects = Objects::open(repository.path());
  if (!objects) return std::move(objects.error());
  std::optional<git_oid> base_tree;
  if (commit.base) {
    auto base = lookup(*objects, *commit.base);
    if (!base) return std::move(base.error());
    base_tree = *git_commit_tree_id(base->get());
  }
  const auto tree = build_tree(*objects, changes, base_tree ? &*base_tree : nullptr);
  if (!tree) return tree.error();
  if (base_tree && git_oid_equal(&*tree, &*base_tree) != 0) return std::optional<ObjectId>{};

  auto bytes = commit_bytes(*objects, commit, *tree);
  if (!bytes) return std::move(bytes.error());
  if (signer != nullptr) {
    auto signature = signer->sign(*bytes);
    if (!signature) return std::move(signature.error()).with("while signing a commit");
    bytes = with_signature(*bytes, *signature);
  }
  const auto id = objects->write(*bytes, GIT_OBJECT_COMMIT);
  if (!id) return id.error();
  if (auto ok = objects->write_pack(); !ok) return std::move(ok.error());
  return std::optional<ObjectId>(object_id_text(*id));
}

}  // namespace nimbus::registry
