#include "controller/webhook/webhook.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/crypto/crypto.hpp"
#include "base/json/json.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

using base::Json;

constexpr std::size_t kDeepest = 32;             // payloads are 6 deep
constexpr std::chrono::seconds kTolerance{300};  // Standard Webhooks' timestamp
constexpr std::size_t kMostSignatures = 8;

using Digest = std::vector<std::uint8_t>;

std::string_view header_of(const WebhookRequest& request, std::string_view name) {
  return request.header(name).value_or(std::string_view());
}

Digest hmac(base::Bytes key, std::initializer_list<base::Bytes> parts) {
  return base::hmac(base::Hash::Sha256, key, parts);
}

/// Whether `given` is the code of the body under one of the secrets.
bool any_matches(const std::optional<Digest>& given, std::string_view body, const std::vector<Secret>& secrets) {
  if (!given || given->size() != base::digest_size(base::Hash::Sha256)) return false;
  bool matches = false;
  for (const auto& secret : secrets) {
    if (secret.empty()) continue;  // an empty key would let everybody sign
    const auto expected = hmac(base::as_bytes(secret.reveal()), {base::as_bytes(body)});
    matches = base::equal_constant_time(*given, expected) || matches;  // no early exit
  }
  return matches;
}

bool bare_hex(std::string_view value, const WebhookRequest& request, const std::vector<Secret>& secrets) {
  return any_matches(base::from_hex(value), request.body, secrets);
}

bool prefixed_hex(std::string_view value, const WebhookRequest& request, const std::vector<Secret>& secrets) {
  constexpr std::string_view kPrefix = "sha256=";
  return value.starts_with(kPrefix) && bare_hex(value.substr(kPrefix.size()), request, secrets);
}

// GitLab ---------------------------------------------------------------------

constexpr std::string_view kSigningKey = "whsec_";

/// The secret itself in a header: compared by its digest, so that not even its length
/// shows in the time taken. A signing key is never a token.
bool gitlab_token(std::string_view value, const std::vector<Secret>& secrets) {
  const auto given = base::sha256(value);
  bool matches = false;
  for (const auto& secret : secrets) {
    if (secret.empty() || secret.reveal().starts_with(kSigningKey)) continue;
    matches = base::equal_constant_time(given, base::sha256(secret.reveal())) || matches;
  }
  return matches && !value.empty();
}

bool is_recent(std::string_view timestamp, WallTime now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  if (error != std::errc{} || end != timestamp.data() + timestamp.size() || timestamp.empty()) return false;
  const std::int64_t here = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  return seconds >= here - kTolerance.count() && seconds <= here + kTolerance.count();
}

/// The digests of "v1,<base64> v1,<base64>"; others are of schemes that we do not know.
std::vector<Digest> standard_signatures(std::string_view value) {
  std::vector<Digest> found;
  while (!value.empty() && found.size() < kMostSignatures) {
    const auto end = std::min(value.find(' '), value.size());
    const auto one = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    if (!one.starts_with("v1,")) continue;
    if (auto bytes = base::from_base64(one.substr(3))) found.push_back(std::move(*bytes));
  }
  return found;
}

bool standard_webhook(std::string_view value, const WebhookRequest& request, const std::vector<Secret>& secrets) {
  const auto id = header_of(request, "webhook-id");
  const auto timestamp = header_of(request, "webhook-timestamp");
  if (id.empty() || !is_recent(timestamp, request.now)) return false;
  const auto given = standard_signatures(value);
  bool matches = false;
  for (const auto& secret : secrets) {
    if (!secret.reveal().starts_with(kSigningKey)) continue;
    const auto key = base::from_base64(std::string_view(secret.reveal()).substr(kSigningKey.size()));
    if (!key || key->empty()) continue;
    const auto expected = hmac(*key, {base::as_bytes(id), base::as_bytes("."), base::as_bytes(timestamp),
                                      base::as_bytes("."), base::as_bytes(request.body)});
    for (const auto& each : given) matches = base::equal_constant_time(each, expected) || matches;
  }
  return matches;
}

// A header that is there is the one that counts: no second chance with another.
bool is_genuine(Forge forge, const WebhookRequest& request, const std::vector<Secret>& secrets) {
  switch (forge) {
    case Forge::Github:
      return prefixed_hex(header_of(request, "X-Hub-Signature-256"), request, secrets);
    case Forge::Gitea:
      return bare_hex(header_of(request, "X-Gitea-Signature"), request, secrets);
    case Forge::Forgejo: {
      const auto own = request.header("X-Forgejo-Signature");
      return bare_hex(own ? *own : header_of(request, "X-Gitea-Signature"), request, secrets);
    }
    case Forge::Bitbucket:
    case Forge::BitbucketServer:
      return prefixed_hex(header_of(request, "X-Hub-Signature"), request, secrets);
    case Forge::Gitlab: {
      const auto signature = request.header("webhook-signature");
      return signature ? standard_webhook(*signature, request, secrets)
                       : gitlab_token(header_of(request, "X-Gitlab-Token"), secrets);
    }
    case Forge::Generic:
      return prefixed_hex(header_of(request, "X-Signature"), request, secrets);
  }
  return false;
}

// What was pushed --------------------------------------------------------------

bool is_push_event(Forge forge, const WebhookRequest& request) {
  switch (forge) {
    case Forge::Github:
      return header_of(request, "X-GitHub-Event") == "push";
    case Forge::Gitea:
      return header_of(request, "X-Gitea-Event") == "push";
    case Forge::Forgejo: {
      const auto own = request.header("X-Forgejo-Event");
      return (own ? *own : header_of(request, "X-Gitea-Event")) == "push";
    }
    case Forge::Gitlab: {
      const auto event = header_of(request, "X-Gitlab-Event");
      return event == "Push Hook" || event == "System Hook";
    }
    case Forge::Bitbucket:
      return header_of(request, "X-Event-Key") == "repo:push";
    case Forge::BitbucketServer:
      return header_of(request, "X-Event-Key") == "repo:refs_changed";
    case Forge::Generic:
      return true;
  }
  return false;
}

/// The branch now is at some commit: it was not deleted.
bool exists_after(const Json& commit) {
  const auto id = commit.as_string();
  return !id || id->find_first_not_of('0') != std::string_view::npos;
}

bool names_branch(Forge forge, const Json& payload, std::string_view branch) {
  const std::string reference = "refs/heads/" + std::string(branch);
  if (forge == Forge::Bitbucket) {
    return std::ranges::any_of(payload["push"]["changes"].items(), [&](const Json& change) {
      const auto& now = change["new"];  // null when the branch was deleted
      return now["type"].as_string() == "branch" && now["name"].as_string() == branch;
    });
  }
  if (forge == Forge::BitbucketServer) {
    return std::ranges::any_of(payload["changes"].items(), [&](const Json& change) {
      return change["refId"].as_string() == reference && change["type"].as_string() != "DELETE" &&
             exists_after(change["toHash"]);
    });
  }
  return payload["ref"].as_string() == reference && exists_after(payload["after"]);
}

bool is_json(const WebhookRequest& request) {
  const auto type = base::trim(header_of(request, "Content-Type"));
  constexpr std::string_view kJson = "application/json";
  return type.starts_with(kJson) &&
         (type.size() == kJson.size() || type[kJson.size()] == ';' || type[kJson.size()] == ' ');
}

}  // namespace

std::string_view to_string(WebhookVerdict verdict) noexcept {
  switch (verdict) {
    case WebhookVerdict::Fetch:
      return "accepted";
    case WebhookVerdict::Ignore:
      return "ignored";
    case WebhookVerdict::BadSignature:
      return "bad_signature";
    case WebhookVerdict::BadType:
      return "bad_type";
  }
  return "ignored";
}

WebhookVerdict judge_webhook(Forge forge, const WebhookRequest& request, const std::vector<Secret>& secrets,
                             std::string_view branch) {
  // Bitbucket Data Center's connection test is not signed; it asks for nothing.
  if (forge == Forge::BitbucketServer && header_of(request, "X-Event-Key") == "diagnostics:ping") {
    return WebhookVerdict::Ignore;
  }
  if (request.body.size() > kMostWebhookBytes) return WebhookVerdict::BadSignature;
  if (forge != Forge::Generic && !is_json(request)) return WebhookVerdict::BadType;
  if (!is_genuine(forge, request, secrets)) return WebhookVerdict::BadSignature;
  if (forge == Forge::Generic) return WebhookVerdict::Fetch;
  if (!is_push_event(forge, request)) return WebhookVerdict::Ignore;
  const auto payload = base::parse_json(
      request.body, {.bytes = kMostWebhookBytes + 1, .depth = kDeepest, .duplicates = base::DuplicateKeys::KeepFirst});
  if (!payload) return WebhookVerdict::Ignore;
  return names_branch(forge, *payload, branch) ? WebhookVerdict::Fetch : WebhookVerdict::Ignore;
}

std::string delivery_id(Forge forge, const WebhookRequest& request) {
  const auto first_of = [&](std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
      if (const auto value = header_of(request, name); !value.empty()) return std::string(value);
    }
    return std::string();
  };
  switch (forge) {
    case Forge::Github:
      return first_of({"X-GitHub-Delivery"});
    case Forge::Gitlab:
      return first_of({"webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID"});
    case Forge::Gitea:
      return first_of({"X-Gitea-Delivery"});
    case Forge::Forgejo:
      return first_of({"X-Forgejo-Delivery", "X-Gitea-Delivery"});
    case Forge::Bitbucket:
      return first_of({"X-Request-UUID"});
    case Forge::BitbucketServer:
      return first_of({"X-Request-Id"});
    case Forge::Generic:
      return first_of({"X-Delivery-Id"});
  }
  return {};
}

}  // namespace nimbus::controller
