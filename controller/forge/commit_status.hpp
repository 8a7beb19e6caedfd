// Commit statuses: the mark beside a commit on the forge's page that tells what this
// controller made of it. Optional; the status branch is what counts.
//
//   github   POST API/repos/OWNER/NAME/statuses/SHA      Authorization: Bearer
//   gitlab   POST API/projects/ID/statuses/SHA           PRIVATE-TOKEN
//   gitea    POST API/repos/OWNER/NAME/statuses/SHA      Authorization: token    (and Forgejo)
//
// Sources: the forges' REST references, "commit statuses". Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/http/client.hpp"
#include "core/choice.hpp"
#include "core/secret.hpp"

namespace nimbus {
namespace controller {

enum class ForgeApi : std::uint8_t { Github, Gitlab, Gitea };

}  // namespace controller

template <>
inline constexpr auto kChoiceNames<controller::ForgeApi> = choice_names("github", "gitlab", "gitea");

namespace controller {

struct CommitStatus {
  enum class State : std::uint8_t { Pending, Success, Failure };
  std::string commit;
  State state = State::Pending;
  std::string description;  // a sentence; cut to what forges keep
  friend bool operator==(const CommitStatus&, const CommitStatus&) = default;
};

struct ForgeProject {
  ForgeApi api = ForgeApi::Github;
  std::string base;     // path of the API: "" or "/api/v4"
  std::string project;  // "acme/metal"
  std::string context;  // names the controller among others: "nimbus/berlin-1"
};

/// Ready to send to the forge's origin.
base::ClientRequest status_request(const ForgeProject& project, const CommitStatus& status, const Secret& token);

}  // namespace controller
}  // namespace nimbus
