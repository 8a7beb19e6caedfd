#include "controller/serve/routes.hpp"

#include <memory>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "controller/webhook/replay_cache.hpp"
#include "controller/webhook/webhook.hpp"

namespace nimbus::controller {
namespace {

using base::HttpRequest;
using base::HttpResponse;

constexpr std::size_t kMostSecretBytes = 4096;

struct Webhook {
  std::string name;
  Forge forge = Forge::Github;
  std::shared_ptr<const WebhookSecrets> secrets;
  std::string branch;
  std::shared_ptr<ReplayCache> seen = std::make_shared<ReplayCache>();
};

/// The label of what became of a delivery.
constexpr const char* kReplay = "replay";

Result<std::vector<Secret>> read_secrets(const WebhookConfig& config) {
  std::vector<Secret> secrets;
  for (const auto& file : config.secret_files) {
    auto text = base::read_private_file(file, kMostSecretBytes);
    if (!text) return std::move(text.error()).with("while reading the secret of webhook " + config.name);
    Secret secret{std::string(base::trim(*text))};
    if (secret.empty()) return Error{Code::Invalid, file + " is empty: a webhook without a secret is not served"};
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

HttpResponse answer(const Webhook& webhook, const HttpRequest& request, base::Metrics& metrics,
                    const std::function<void()>& fetch_now) {
  const base::SystemClock clock;
  const WebhookRequest delivery{
      .header = [&](std::string_view name) { return request.header(name); }, .body = request.body, .now = clock.wall()};
  const WebhookVerdict verdict =
      judge_webhook(webhook.forge, delivery, webhook.secrets->of(webhook.name), webhook.branch);
  const std::string id = delivery_id(webhook.forge, delivery);
  const bool replay = verdict == WebhookVerdict::Fetch && !id.empty() && !webhook.seen->is_new(id, clock.now());
  metrics.count("nimbus_webhook_total",
                {{"webhook", webhook.name}, {"result", replay ? kReplay : std::string(to_string(verdict))}});
  switch (verdict) {
    case WebhookVerdict::BadSignature:
      base::log(base::Level::Warning, "webhook-refused", "webhook with a missing or wrong signature",
                {{"webhook", webhook.name}, {"remote", request.remote}});
      return {.status = 401, .body = "the signature does not match\n"};
    case WebhookVerdict::BadType:
      return {.status = 415, .body = "set the webhook's content type to application/json\n"};
    case WebhookVerdict::Fetch:
      if (!replay) fetch_now();
      break;
    case WebhookVerdict::Ignore:
      break;
  }
  return {.status = 202, .body = ""};
}

HttpResponse readiness(const ServeHooks& hooks) {
  const Readiness state = hooks.readiness();
  return {.status = state.ready ? 200 : 503, .body = (state.ready ? "ready\n" : "not ready\n") + state.detail};
}

}  // namespace

Result<> WebhookSecrets::load(const std::vector<WebhookConfig>& webhooks) {
  std::map<std::string, std::vector<Secret>> read;
  for (const auto& webhook : webhooks) {
    auto secrets = read_secrets(webhook);
    if (!secrets) return std::move(secrets.error());
    read[webhook.name] = std::move(*secrets);
  }
  const std::lock_guard lock(mutex_);
  secrets_ = std::move(read);
  return {};
}

std::vector<Secret> WebhookSecrets::of(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = secrets_.find(name);
  return found == secrets_.end() ? std::vector<Secret>() : found->second;
}

std::vector<base::HttpRoute> make_routes(const Config& config, base::Metrics& metrics, ServeHooks hooks) {
  const auto shared = std::make_shared<const ServeHooks>(std::move(hooks));
  std::vector<base::HttpRoute> routes;
  for (const char* path : {"/livez", "/healthz"}) {
    routes.push_back(
        {.method = "GET", .path = path, .handler = [](const HttpRequest&) { return HttpResponse{.body = "ok\n"}; }});
  }
  routes.push_back(
      {.method = "GET", .path = "/readyz", .handler = [shared](const HttpRequest&) { return readiness(*shared); }});
  routes.push_back({.method = "GET", .path = "/metrics", .handler = [shared, &metrics](const HttpRequest&) {
                      shared->refresh_metrics();
                      return HttpResponse{.content_type = std::string(base::kMetricsContentType),
                                          .body = metrics.text()};
                    }});
  for (const auto& webhook_config : config.webhooks) {
    const Webhook webhook{.name = webhook_config.name,
                          .forge = choice_from<Forge>(webhook_config.kind).value_or(Forge::Github),
                          .secrets = shared->webhook_secrets,
                          .branch = config.registry.branch};
    using enum WebhookVerdict;
    for (const auto verdict : {Fetch, Ignore, BadSignature, BadType}) {
      metrics.count("nimbus_webhook_total", {{"webhook", webhook.name}, {"result", std::string(to_string(verdict))}},
                    0);
    }
    metrics.count("nimbus_webhook_total", {{"webhook", webhook.name}, {"result", kReplay}}, 0);
    routes.push_back({.method = "POST",
                      .path = "/webhook/" + webhook.name,
                      .handler = [shared, &metrics, webhook](const HttpRequest& request) {
                        return answer(webhook, request, metrics, shared->fetch_now);
                      }});
  }
  return routes;
}

}  // namespace nimbus::controller
