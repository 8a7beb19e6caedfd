#include "controller/forge/commit_status.hpp"

#include <cctype>

#include <fmt/core.h>

#include "base/json/json.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

using base::Json;
using State = CommitStatus::State;

/// GitHub keeps so many characters, the others more.
constexpr std::size_t kDescriptionBytes = 140;
constexpr std::size_t kAnswerBytes = std::size_t{256} << 10U;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

const char* word(ForgeApi api, State state) {
  switch (state) {
    case State::Pending:
      return "pending";
    case State::Success:
      return "success";
    case State::Failure:
      return api == ForgeApi::Gitlab ? "failed" : "failure";
  }
  return "pending";
}

/// "acme/metal" with each part escaped.
std::string repository(const std::string& project) {
  std::string out;
  for (const auto part : base::split(project, '/')) out += (out.empty() ? "" : "/") + escaped(part);
  return out;
}

}  // namespace

base::ClientRequest status_request(const ForgeProject& project, const CommitStatus& status, const Secret& token) {
  const bool gitlab = project.api == ForgeApi::Gitlab;
  const std::string where = gitlab ? "/projects/" + escaped(project.project) : "/repos/" + repository(project.project);
  Json body = Json::object({{"state", word(project.api, status.state)},
                            {"context", project.context},
                            {"description", base::printable(status.description, kDescriptionBytes)}});
  if (gitlab) body.set("name", project.context);
  base::ClientRequest request;
  request.method = "POST";
  request.target = project.base + where + "/statuses/" + escaped(status.commit);
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}, {"User-Agent", "nimbusd"}};
  const std::string secret(token.reveal());
  switch (project.api) {
    case ForgeApi::Github:
      request.headers.push_back({"Authorization", "Bearer " + secret});
      break;
    case ForgeApi::Gitlab:
      request.headers.push_back({"PRIVATE-TOKEN", secret});
      break;
    case ForgeApi::Gitea:
      request.headers.push_back({"Authorization", "token " + secret});
      break;
  }
  request.body = body.text();
  request.body_limit = kAnswerBytes;
  return request;
}

}  // namespace nimbus::controller
