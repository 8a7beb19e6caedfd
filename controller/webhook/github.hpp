// GitHub's webhook: is this delivery genuine, and does it concern us?
//
// A webhook is a hint to fetch, never a source of facts. The signature is
// HMAC-SHA256 over the raw body in X-Hub-Signature-256 ("sha256=<hex>"); it is
// checked, in constant time, before anything is parsed. Source: GitHub docs,
// "Validating webhook deliveries" and "Webhook events and payloads". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/secret.hpp"

namespace nimbus::controller {

struct WebhookRequest {
  std::string_view event;      // X-GitHub-Event
  std::string_view delivery;   // X-GitHub-Delivery
  std::string_view signature;  // X-Hub-Signature-256
  std::string_view body;
};

enum class WebhookVerdict {
  Fetch,         // a push to the branch that we watch
  Ignore,        // genuine, and none of our business (ping, another branch, odd payload)
  BadSignature,  // missing, malformed or wrong
};
std::string_view to_string(WebhookVerdict verdict) noexcept;

/// `secrets`: the live ones, two during a rotation; all are tried, no early exit.
WebhookVerdict judge_github(const WebhookRequest& request, const std::vector<Secret>& secrets,
                            std::string_view branch);

}  // namespace nimbus::controller
