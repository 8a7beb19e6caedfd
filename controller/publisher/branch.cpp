#include "controller/publisher/branch.hpp"

#include <utility>

namespace nimbus::controller {
namespace {

using registry::ControllerStatus;
using registry::GitRepository;
using registry::ObjectId;

constexpr std::size_t kReadBackBytes = std::size_t{512} << 20U;
const std::string kControllerPath{registry::kControllerStatusPath};

}  // namespace

Result<std::optional<ControllerStatus>> controller_of(const GitRepository& repository,
                                                      const std::optional<ObjectId>& commit) {
  if (!commit) return std::optional<ControllerStatus>{};
  auto item = repository.find(*commit, kControllerPath);
  if (!item) return std::move(item.error());
  if (!*item) {
    return Error{Code::Invalid, "commit " + *commit + " has no " + kControllerPath + ": this is no status branch"};
  }
  auto text = repository.read_blob((*item)->id, kStatusDocumentBytes);
  if (!text) return std::move(text.error());
  auto status = registry::parse_controller_status(*text);
  if (!status) return std::move(status.error());
  return std::optional(std::move(*status));
}

Result<std::size_t> length_of(const GitRepository& repository, const std::optional<ObjectId>& commit,
                              std::size_t most) {
  return commit ? repository.count_commits(*commit, most) : Result<std::size_t>(std::size_t{0});
}

Result<StatusIndex> index_of(const GitRepository& repository, const std::optional<ObjectId>& commit) {
  StatusIndex index;
  if (!commit) return index;
  auto items = repository.list(*commit);
  if (!items) return std::move(items.error());
  for (auto& item : *items) index.emplace(std::move(item.path), std::move(item.id));
  return index;
}

Result<std::map<std::string, std::string>> read_documents(const GitRepository& repository, const StatusIndex& index) {
  std::map<std::string, std::string> documents;
  std::size_t total = 0;
  for (const auto& [path, id] : index) {
    if (path == kControllerPath || !path.ends_with(".toml")) continue;
    auto text = repository.read_blob(id, kStatusDocumentBytes);
    if (!text) return std::move(text.error()).with("while reading back " + path);
    total += text->size();
    if (total > kReadBackBytes) return Error{Code::Invalid, "the status branch is too large to read back"};
    documents.emplace(path, std::move(*text));
  }
  return documents;
}

}  // namespace nimbus::controller
