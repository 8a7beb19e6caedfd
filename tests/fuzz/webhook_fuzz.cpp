// Any bytes as a genuine delivery: the payload of every forge, signed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "controller/webhook/webhook.hpp"

using namespace nimbus;
using namespace nimbus::controller;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto forge = static_cast<Forge>(data[0] % kChoiceNames<Forge>.size());
  const std::string body(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string hex = base::to_hex(base::hmac(base::Hash::Sha256, base::as_bytes("key"), {base::as_bytes(body)}));
  const std::string prefixed = "sha256=" + hex;
  const auto header = [&](std::string_view name) -> std::optional<std::string_view> {
    if (name == "Content-Type") return "application/json";
    if (name == "X-Gitlab-Token") return "key";
    if (name == "X-Gitlab-Event") return "Push Hook";
    if (name == "X-Event-Key") return forge == Forge::Bitbucket ? "repo:push" : "repo:refs_changed";
    if (name == "X-Gitea-Signature" || name == "X-Forgejo-Signature") return hex;
    if (name == "webhook-signature") return std::nullopt;
    return name.find("Signature") != std::string_view::npos ? prefixed : std::string_view("push");
  };
  const auto verdict = judge_webhook(forge, {.header = header, .body = body}, {Secret("key")}, "main");
  const bool too_large = body.size() > kMostWebhookBytes;
  if (too_large ? verdict != WebhookVerdict::BadSignature
                : verdict != WebhookVerdict::Fetch && verdict != WebhookVerdict::Ignore) {
    std::abort();
  }
  // As a bare header, it never proves anything and never crashes.
  const auto hostile = [&](std::string_view name) -> std::optional<std::string_view> {
    if (name == "Content-Type") return "application/json";
    return name == "webhook-id" ? std::string_view("1") : std::string_view(body);
  };
  if (judge_webhook(forge, {.header = hostile, .body = body}, {Secret("whsec_a2V5")}, "main") ==
      WebhookVerdict::Fetch) {
    std::abort();
  }
  return 0;
}
