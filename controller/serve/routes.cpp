#include "controller/serve/routes.hpp"

#include <memory>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "controller/webhook/github.hpp"

namespace nimbus::controller {
namespace {

using base::HttpRequest;
using base::HttpResponse;

constexpr std::size_t kMostSecretBytes = 4096;

struct Webhook {
  std::string name;
  std::vector<Secret> secrets;
  std::string branch;
};

Result<Webhook> read_webhook(const WebhookConfig& config, const std::string& branch) {
  Webhook webhook{.name = config.name, .secrets = {}, .branch = branch};
  for (const auto& file : config.secret_files) {
    auto text = base::read_private_file(file, kMostSecretBytes);
    if (!text) return std::move(text.error()).with("while reading the secret of webhook " + config.name);
    Secret secret{std::string(base::trim(*text))};
    if (secret.empty()) return Error{Code::Invalid, file + " is empty: a webhook without a secret is not served"};
    webhook.secrets.push_back(std::move(secret));
  }
  return webhook;
}

HttpResponse answer(const Webhook& webhook, const HttpRequest& request, base::Metrics& metrics,
                    const std::function<void()>& fetch_now) {
  const auto header = [&](std::string_view name) { return request.header(name).value_or(std::string_view()); };
  const WebhookVerdict verdict = judge_github({.event = header("X-GitHub-Event"),
                                               .delivery = header("X-GitHub-Delivery"),
                                               .signature = header("X-Hub-Signature-256"),
                                               .body = request.body},
                                              webhook.secrets, webhook.branch);
  metrics.count("nimbus_webhook_total", {{"webhook", webhook.name}, {"result", std::string(to_string(verdict))}});
  if (verdict == WebhookVerdict::BadSignature) {
    base::log(base::Level::Warning, "webhook-refused", "webhook with a missing or wrong signature",
              {{"webhook", webhook.name}, {"remote", request.remote}});
    return {.status = 401, .body = "the signature does not match\n"};
  }
  if (verdict == WebhookVerdict::Fetch) fetch_now();
  return {.status = 202, .body = ""};
}

HttpResponse readiness(const ServeHooks& hooks) {
  const Readiness state = hooks.readiness();
  return {.status = state.ready ? 200 : 503, .body = (state.ready ? "ready\n" : "not ready\n") + state.detail};
}

}  // namespace

Result<std::vector<base::HttpRoute>> make_routes(const Config& config, base::Metrics& metrics, ServeHooks hooks) {
  const auto shared = std::make_shared<const ServeHooks>(std::move(hooks));
  std::vector<base::HttpRoute> routes;
  for (const char* path : {"/livez", "/healthz"}) {
    routes.push_back({.method = "GET", .path = path, .handler = [](const HttpRequest&) {
                        return HttpResponse{.body = "ok\n"};
                      }});
  }
  routes.push_back({.method = "GET", .path = "/readyz",
                    .handler = [shared](const HttpRequest&) { return readiness(*shared); }});
  routes.push_back({.method = "GET", .path = "/metrics", .handler = [shared, &metrics](const HttpRequest&) {
                      shared->refresh_metrics();
                      return HttpResponse{.content_type = std::string(base::kMetricsContentType),
                                          .body = metrics.text()};
                    }});
  for (const auto& webhook_config : config.webhooks) {
    auto webhook = read_webhook(webhook_config, config.registry.branch);
    if (!webhook) return std::move(webhook.error());
    for (const auto verdict : {WebhookVerdict::Fetch, WebhookVerdict::Ignore, WebhookVerdict::BadSignature}) {
      metrics.count("nimbus_webhook_total", {{"webhook", webhook->name}, {"result", std::string(to_string(verdict))}}, 0);
    }
    routes.push_back({.method = "POST", .path = "/webhook/" + webhook->name,
                      .handler = [shared, &metrics, webhook = std::move(*webhook)](const HttpRequest& request) {
                        return answer(webhook, request, metrics, shared->fetch_now);
                      }});
  }
  return routes;
}

}  // namespace nimbus::controller
