#include "controller/webhook/github.hpp"

#include <array>
#include <cstdint>

#include "base/crypto/crypto.hpp"
#include "base/json/json.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

constexpr std::string_view kPrefix = "sha256=";
constexpr std::size_t kDeepest = 32;  // GitHub's payloads are 5 deep

bool signature_matches(std::string_view signature, std::string_view body, const std::vector<Secret>& secrets) {
  if (!signature.starts_with(kPrefix)) return false;
  const auto given = base::from_hex(signature.substr(kPrefix.size()));
  if (!given || given->size() != base::digest_size(base::Hash::Sha256)) return false;
  bool matches = false;
  for (const auto& secret : secrets) {
    if (secret.empty()) continue;  // an empty key would let everybody sign
    const auto expected = base::hmac(base::Hash::Sha256, base::as_bytes(secret.reveal()), {base::as_bytes(body)});
    matches = base::equal_constant_time(*given, expected) || matches;  // no early exit
  }
  return matches;
}

}  // namespace

std::string_view to_string(WebhookVerdict verdict) noexcept {
  switch (verdict) {
    case WebhookVerdict::Fetch: return "accepted";
    case WebhookVerdict::Ignore: return "ignored";
    case WebhookVerdict::BadSignature: return "bad_signature";
  }
  return "ignored";
}

WebhookVerdict judge_github(const WebhookRequest& request, const std::vector<Secret>& secrets,
                            std::string_view branch) {
  if (!signature_matches(request.signature, request.body, secrets)) return WebhookVerdict::BadSignature;
  if (request.event != "push") return WebhookVerdict::Ignore;
  const auto payload = base::parse_json(
      request.body, {.bytes = request.body.size() + 1, .depth = kDeepest, .duplicates = base::DuplicateKeys::KeepFirst});
  if (!payload) return WebhookVerdict::Ignore;
  const auto ref = (*payload)["ref"].as_string();
  return ref && *ref == "refs/heads/" + std::string(branch) ? WebhookVerdict::Fetch : WebhookVerdict::Ignore;
}

}  // namespace nimbus::controller
