// Webhooks of forges: is this delivery genuine, and does it concern us?
//
// A webhook is a hint to fetch, never a source of facts. What proves it is checked over
// the raw body and in constant time before anything is parsed; the forge is the one
// configured, never guessed from headers (several send copies of each other's). Pure.
//
//   kind              proof                                              push
//   github            X-Hub-Signature-256: sha256=<hex>                  ref
//   gitlab            webhook-signature: v1,<base64> (Standard Webhooks, secret
//                     "whsec_…"), else X-Gitlab-Token: the secret        ref
//   gitea             X-Gitea-Signature: <hex>                           ref
//   forgejo           X-Forgejo-Signature, else X-Gitea-Signature        ref
//   bitbucket         X-Hub-Signature: sha256=<hex>                      push.changes[].new
//   bitbucket-server  X-Hub-Signature: sha256=<hex>                      changes[].refId
//   generic           X-Signature: sha256=<hex>                          any body
//
// All but GitLab's are HMAC-SHA256 over the raw body. Sources: the forges' pages on
// webhooks; standardwebhooks.com, "Signature scheme".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/choice.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

namespace nimbus {
namespace controller {

enum class Forge : std::uint8_t { Github, Gitlab, Gitea, Forgejo, Bitbucket, BitbucketServer, Generic };

}  // namespace controller

template <>
inline constexpr auto kChoiceNames<controller::Forge> = choice_names("github", "gitlab", "gitea", "forgejo",
                                                                     "bitbucket", "bitbucket-server", "generic");

namespace controller {

/// A body larger than this is refused before it is looked at (413).
inline constexpr std::size_t kMostWebhookBytes = std::size_t{1} << 20U;

struct WebhookRequest {
  /// The value of a header, by any case of its name; nothing: it is not there.
  std::function<std::optional<std::string_view>(std::string_view name)> header;
  std::string_view body;
  WallTime now{};
};

enum class WebhookVerdict {
  Fetch,         // a push to the branch that we watch
  Ignore,        // genuine, and none of our business (ping, another branch, odd payload)
  BadSignature,  // missing, malformed, wrong or too old
  BadType,       // not JSON, where the forge could send a form: its signature covers something else
};
std::string_view to_string(WebhookVerdict verdict) noexcept;

/// `secrets`: the live ones, two during a rotation; all are tried, no early exit.
WebhookVerdict judge_webhook(Forge forge, const WebhookRequest& request, const std::vector<Secret>& secrets,
                             std::string_view branch);

/// What names this delivery, for the replay cache; empty: nothing does.
std::string delivery_id(Forge forge, const WebhookRequest& request);

}  // namespace controller
}  // namespace nimbus
