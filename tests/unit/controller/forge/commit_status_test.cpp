#include "controller/forge/commit_status.hpp"

#include <doctest/doctest.h>

#include "base/json/json.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using State = CommitStatus::State;

namespace {

const Secret kToken{std::string("t0ken")};

base::ClientRequest request(ForgeApi api, const std::string& project, State state, std::string description = "well") {
  return status_request({.api = api, .base = "/base", .project = project, .context = "nimbus/p"},
                        {.commit = "abc123", .state = state, .description = std::move(description)}, kToken);
}

std::string field(const base::ClientRequest& request, const char* name) {
  const auto body = base::parse_json(request.body);
  REQUIRE(body.has_value());
  return std::string((*body)[name].as_string().value_or(""));
}

}  // namespace

TEST_CASE("commit status: each forge's path, token and words") {
  const auto github = request(ForgeApi::Github, "acme/metal", State::Failure);
  CHECK(github.method == "POST");
  CHECK(github.target == "/base/repos/acme/metal/statuses/abc123");
  CHECK(base::find_header(github.headers, "authorization") == "Bearer t0ken");
  CHECK(field(github, "state") == "failure");
  CHECK(field(github, "context") == "nimbus/p");

  const auto gitlab = request(ForgeApi::Gitlab, "acme/sub/metal", State::Failure);
  CHECK(gitlab.target == "/base/projects/acme%2Fsub%2Fmetal/statuses/abc123");
  CHECK(base::find_header(gitlab.headers, "private-token") == "t0ken");
  CHECK(!base::find_header(gitlab.headers, "authorization"));
  CHECK(field(gitlab, "state") == "failed");
  CHECK(field(gitlab, "name") == "nimbus/p");

  const auto gitea = request(ForgeApi::Gitea, "acme/metal", State::Success);
  CHECK(base::find_header(gitea.headers, "authorization") == "token t0ken");
  CHECK(field(gitea, "state") == "success");
  for (const auto api : {ForgeApi::Github, ForgeApi::Gitlab, ForgeApi::Gitea}) {
    CHECK(field(request(api, "a/b", State::Pending), "state") == "pending");
    CHECK(request(api, "a/b", State::Pending).body.find("t0ken") == std::string::npos);
  }
}

TEST_CASE("commit status: foreign text stays text") {
  const auto odd = request(ForgeApi::Github, "a b/c?x", State::Success, std::string(1000, 'x') + "\"\n");
  CHECK(odd.target == "/base/repos/a%20b/c%3Fx/statuses/abc123");
  CHECK(field(odd, "description").size() <= 143);  // and the mark that it was cut
}
