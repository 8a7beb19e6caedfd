#include "drivers/redfish/patch.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::size_t kMostTagBytes = 256;
constexpr int kMostTries = 4;

std::string strong(std::string tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; }

}  // namespace

std::string etag_of(const base::ClientResponse& response) {
  const auto tag = response.header("ETag").value_or("");
  return tag.size() > kMostTagBytes || tag == "\"\"" || tag == "W/\"\"" ? "" : std::string(tag);
}

Result<std::optional<base::ClientResponse>> patch_resource(Machine& machine, Patch patch,
                                                           const std::function<Result<bool>()>& unchanged,
                                                           const Call& call) {
  std::string tag = patch.etag;
  if (machine.has(Effect::StrongEtags)) tag = strong(std::move(tag));
  if (machine.has(Effect::NoEtags)) tag.clear();
  for (int round = 1;; ++round) {
    auto answer = machine.write({.method = "PATCH", .link = patch.link, .body = patch.body, .if_match = tag}, call);
    if (!answer || !*answer || round == kMostTries) return answer;
    const int status = (*answer)->status;
    if (status == 428 && tag.empty()) {
      tag = "*";
    } else if (status == 412 && tag.starts_with("W/")) {
      tag = strong(std::move(tag));
      machine.learn(Effect::StrongEtags);
    } else if (status == 412 && !tag.empty()) {
      const auto same = unchanged();
      if (!same) return same.error();
      if (!*same) return Error{Code::Conflict, "somebody else changes this resource of the BMC"};
      tag.clear();
      machine.learn(Effect::NoEtags);
    } else {
      return answer;
    }
  }
}

}  // namespace nimbus::redfish
