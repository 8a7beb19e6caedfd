#include "controller/webhook/webhook.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "controller/webhook/replay_cache.hpp"

using namespace nimbus;
using namespace nimbus::controller;

namespace {

using Headers = std::map<std::string, std::string>;
constexpr WallTime kNow{std::chrono::seconds(1'800'000'000)};
const std::vector<Secret> kSecrets = {Secret("new"), Secret("old")};
const std::string kZeros(40, '0');

std::vector<std::uint8_t> code(base::Bytes key, std::string_view body) {
  return base::hmac(base::Hash::Sha256, key, {base::as_bytes(body)});
}
std::string hex(std::string_view key, std::string_view body) { return base::to_hex(code(base::as_bytes(key), body)); }

WebhookVerdict judge(Forge forge, Headers headers, std::string_view body,
                     const std::vector<Secret>& secrets = kSecrets) {
  headers.try_emplace("Content-Type", "application/json");
  const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto at = headers.find(std::string(name));
    return at == headers.end() ? std::nullopt : std::optional<std::string_view>(at->second);
  };
  return judge_webhook(forge, {.header = find, .body = body, .now = kNow}, secrets, "main");
}

/// What each forge sends, by its documentation; the payloads cut to what matters.
struct Delivery {
  Forge forge;
  std::string event_header, push_event;
  std::string signature_header, prefix;
  std::string push, elsewhere, deleted;
};

const std::string kGitPush =
    R"({"ref":"refs/heads/main","before":"1","after":"2","repository":{"full_name":"acme/metal"}})";
const std::string kGitElsewhere = R"({"ref":"refs/heads/main2","after":"2"})";
const std::string kGitDeleted = R"({"ref":"refs/heads/main","after":")" + kZeros + R"(","deleted":true})";

const std::vector<Delivery> kDeliveries = {
    {Forge::Github, "X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=", kGitPush, kGitElsewhere, kGitDeleted},
    {Forge::Gitea, "X-Gitea-Event", "push", "X-Gitea-Signature", "", kGitPush, kGitElsewhere, kGitDeleted},
    {Forge::Forgejo, "X-Forgejo-Event", "push", "X-Forgejo-Signature", "", kGitPush, kGitElsewhere, kGitDeleted},
    {Forge::Bitbucket, "X-Event-Key", "repo:push", "X-Hub-Signature", "sha256=",
     R"({"push":{"changes":[{"new":null,"old":{"name":"x"}},{"new":{"type":"branch","name":"main","target":{"hash":"2"}}}]}})",
     R"({"push":{"changes":[{"new":{"type":"tag","name":"main"}},{"new":{"type":"branch","name":"dev"}}]}})",
     R"({"push":{"changes":[{"old":{"type":"branch","name":"main"},"new":null}]}})"},
    {Forge::BitbucketServer, "X-Event-Key", "repo:refs_changed", "X-Hub-Signature",
     "sha256=", R"({"changes":[{"refId":"refs/heads/main","fromHash":"1","toHash":"2","type":"UPDATE"}]})",
     R"({"changes":[{"refId":"refs/heads/dev","toHash":"2","type":"UPDATE"}]})",
     R"({"changes":[{"refId":"refs/heads/main","toHash":")" + kZeros + R"(","type":"DELETE"}]})"},
};

WebhookVerdict send(const Delivery& d, const std::string& body, std::string_view key = "new", std::string event = {}) {
  return judge(
      d.forge,
      {{d.event_header, event.empty() ? d.push_event : event}, {d.signature_header, d.prefix + hex(key, body)}}, body);
}

}  // namespace

TEST_CASE("webhook: the signature of GitHub's documentation") {
  // docs.github.com, "Validating webhook deliveries", testing example.
  CHECK(hex("It's a Secret to Everybody", "Hello, World!") ==
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST_CASE("webhook: of each forge, a push to our branch, signed with either live secret") {
  for (const auto& each : kDeliveries) {
    CAPTURE(name_of(each.forge));
    CHECK(send(each, each.push, "new") == WebhookVerdict::Fetch);
    CHECK(send(each, each.push, "old") == WebhookVerdict::Fetch);
    CHECK(send(each, each.elsewhere) == WebhookVerdict::Ignore);
    CHECK(send(each, each.deleted) == WebhookVerdict::Ignore);
    CHECK(send(each, each.push, "new", "ping") == WebhookVerdict::Ignore);
  }
}

// Each of these took down or misled a known receiver of webhooks: no repository, an
// empty list of changes, a link that is no object, null where an object is expected.
TEST_CASE("webhook: odd payloads are genuine and nothing for us") {
  const std::vector<std::string> odd = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "null",
                                        "\"refs/heads/main\"",
                                        "\xff",
                                        R"({"ref":null})",
                                        R"({"ref":["refs/heads/main"]})",
                                        R"({"ref":"refs/heads/main")",
                                        R"({"repository":null})",
                                        R"({"repository":{}})",
                                        R"({"push":{}})",
                                        R"({"push":{"changes":[]}})",
                                        R"({"push":{"changes":null}})",
                                        R"({"push":{"changes":[null]}})",
                                        R"({"push":{"changes":[{"new":[]}]}})",
                                        R"({"push":{"changes":{"new":1}}})",
                                        R"({"changes":[]})",
                                        R"({"changes":[{}]})",
                                        R"({"changes":[{"refId":7,"toHash":{}}]})",
                                        R"({"repository":{"links":{"clone":"x"}},"changes":[]})",
                                        R"({"refUpdates":[]})",
                                        std::string(100'000, '['),
                                        R"({"a":)" + std::string(100'000, '{')};
  for (const auto& each : kDeliveries) {
    for (const auto& body : odd) {
      CAPTURE(name_of(each.forge));
      CAPTURE(body.substr(0, 60));
      CHECK(send(each, body) == WebhookVerdict::Ignore);
    }
  }
  for (const auto& body : odd) {
    CAPTURE(body.substr(0, 60));
    CHECK(judge(Forge::Gitlab, {{"X-Gitlab-Event", "Push Hook"}, {"X-Gitlab-Token", "new"}}, body) ==
          WebhookVerdict::Ignore);
  }
}

TEST_CASE("webhook: anything else is forged, however short the header") {
  for (const auto& each : kDeliveries) {
    CAPTURE(name_of(each.forge));
    const std::string good = each.prefix + hex("new", each.push);
    const std::vector<std::string> bad = {"",
                                          "s",
                                          "sha256",
                                          "sha256=",
                                          "sha256=zz",
                                          "sha1=" + hex("new", each.push),
                                          good + "00",
                                          good.substr(0, good.size() - 2),
                                          each.prefix + hex("guess", each.push),
                                          each.prefix + hex("", each.push),
                                          each.prefix + hex("new", "{}"),
                                          each.prefix.empty() ? "sha256=" + good : good.substr(each.prefix.size())};
    for (const auto& signature : bad) {
      CHECK_MESSAGE(judge(each.forge, {{each.event_header, each.push_event}, {each.signature_header, signature}},
                          each.push) == WebhookVerdict::BadSignature,
                    signature);
    }
    CHECK(judge(each.forge, {{each.event_header, each.push_event}}, each.push) == WebhookVerdict::BadSignature);
    const Headers empty_key = {{each.event_header, each.push_event},
                               {each.signature_header, each.prefix + hex("", each.push)}};
    CHECK(judge(each.forge, empty_key, each.push, {Secret()}) == WebhookVerdict::BadSignature);
    CHECK(judge(each.forge, empty_key, each.push, {}) == WebhookVerdict::BadSignature);
    CHECK(send(each, each.push + std::string(kMostWebhookBytes, ' ')) == WebhookVerdict::BadSignature);
  }
}

TEST_CASE("webhook: forms are refused, their signature covers something else") {
  for (const auto& each : kDeliveries) {
    for (const char* type : {"application/x-www-form-urlencoded", "", "application/jsonx", "text/plain"}) {
      CHECK(judge(each.forge, {{"Content-Type", type}, {each.signature_header, each.prefix + hex("new", each.push)}},
                  each.push) == WebhookVerdict::BadType);
    }
    CHECK(judge(each.forge,
                {{"Content-Type", "application/json; charset=utf-8"},
                 {each.event_header, each.push_event},
                 {each.signature_header, each.prefix + hex("new", each.push)}},
                each.push) == WebhookVerdict::Fetch);
  }
}

TEST_CASE("webhook: forgejo's own header is the one that counts; without it Gitea's") {
  const auto& push = kGitPush;
  const Headers gitea = {{"X-Gitea-Event", "push"}, {"X-Gitea-Signature", hex("new", push)}};
  CHECK(judge(Forge::Forgejo, gitea, push) == WebhookVerdict::Fetch);
  Headers both = gitea;
  both["X-Forgejo-Signature"] = hex("guess", push);
  CHECK(judge(Forge::Forgejo, both, push) == WebhookVerdict::BadSignature);
  // Gitea sends copies of GitHub's headers: the configured forge decides.
  CHECK(judge(Forge::Github, gitea, push) == WebhookVerdict::BadSignature);
}

TEST_CASE("webhook: Bitbucket Data Center's unsigned connection test does nothing") {
  CHECK(judge(Forge::BitbucketServer, {{"X-Event-Key", "diagnostics:ping"}}, R"({"test":true})") ==
        WebhookVerdict::Ignore);
  CHECK(judge(Forge::Bitbucket, {{"X-Event-Key", "diagnostics:ping"}}, R"({"test":true})") ==
        WebhookVerdict::BadSignature);
}

TEST_CASE("webhook: GitLab's token") {
  const auto send_token = [](const std::string& token, const std::vector<Secret>& secrets = kSecrets) {
    return judge(Forge::Gitlab, {{"X-Gitlab-Event", "Push Hook"}, {"X-Gitlab-Token", token}}, kGitPush, secrets);
  };
  CHECK(send_token("new") == WebhookVerdict::Fetch);
  CHECK(send_token("old") == WebhookVerdict::Fetch);
  for (const char* bad : {"", "ne", "newer", "NEW", "whsec_bmV3"})
    CHECK(send_token(bad) == WebhookVerdict::BadSignature);
  CHECK(send_token("", {Secret()}) == WebhookVerdict::BadSignature);
  CHECK(send_token("whsec_bmV3", {Secret("whsec_bmV3")}) == WebhookVerdict::BadSignature);  // a key, not a token
  CHECK(judge(Forge::Gitlab, {{"X-Gitlab-Event", "Issue Hook"}, {"X-Gitlab-Token", "new"}}, kGitPush) ==
        WebhookVerdict::Ignore);
  CHECK(judge(Forge::Gitlab, {{"X-Gitlab-Event", "Push Hook"}, {"X-Gitlab-Token", "new"}}, kGitDeleted) ==
        WebhookVerdict::Ignore);
}

TEST_CASE("webhook: GitLab's signature, by Standard Webhooks") {
  // standardwebhooks.com, the reference libraries' test vector.
  const std::vector<Secret> secrets = {Secret("old"), Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
  const auto key = base::from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  CHECK(base::to_base64(code(key, R"(msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314})")) ==
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  const auto sign = [&](const std::string& time) {
    return "v1," + base::to_base64(code(key, "id-1." + time + "." + kGitPush));
  };
  const auto deliver = [&](const std::string& time, const std::string& signature) {
    return judge(Forge::Gitlab,
                 {{"X-Gitlab-Event", "Push Hook"},
                  {"webhook-id", "id-1"},
                  {"webhook-timestamp", time},
                  {"webhook-signature", signature},
                  {"X-Gitlab-Token", "old"}},
                 kGitPush, secrets);
  };
  const std::string now = "1800000000";
  CHECK(deliver(now, sign(now)) == WebhookVerdict::Fetch);
  CHECK(deliver(now, "v1a,AAAA v1,AAAA " + sign(now)) == WebhookVerdict::Fetch);
  CHECK(deliver("1799999700", sign("1799999700")) == WebhookVerdict::Fetch);
  // Too old, from the future, not what was signed, or nothing at all; the token is no second chance.
  for (const std::string time : {"1799999699", "1800000301", "", "x", "-1", "99999999999999999999"}) {
    CHECK(deliver(time, sign(time)) == WebhookVerdict::BadSignature);
  }
  for (const std::string bad : {"", " ", "v1,", "v1,AAAA", "v2,AAAA"})
    CHECK(deliver(now, bad) == WebhookVerdict::BadSignature);
  CHECK(deliver("1800000001", sign(now)) == WebhookVerdict::BadSignature);
}

TEST_CASE("webhook: generic HMAC over any body") {
  CHECK(judge(Forge::Generic, {{"X-Signature", "sha256=" + hex("old", "anything")}, {"Content-Type", "x/y"}},
              "anything") == WebhookVerdict::Fetch);
  CHECK(judge(Forge::Generic, {{"X-Signature", "sha256=" + hex("old", "anything")}}, "any") ==
        WebhookVerdict::BadSignature);
}

TEST_CASE("webhook: a delivery is named by its forge's header") {
  const Headers headers = {{"X-GitHub-Delivery", "1"}, {"X-Gitea-Delivery", "2"}, {"X-Request-UUID", "3"},
                           {"X-Request-Id", "4"},      {"Idempotency-Key", "5"},  {"webhook-id", "6"}};
  const auto id = [&](Forge forge) {
    return delivery_id(forge, {.header = [&](std::string_view name) -> std::optional<std::string_view> {
                                 const auto at = headers.find(std::string(name));
                                 return at == headers.end() ? std::nullopt
                                                            : std::optional<std::string_view>(at->second);
                               },
                               .body = {}});
  };
  CHECK(id(Forge::Github) == "1");
  CHECK(id(Forge::Gitea) == "2");
  CHECK(id(Forge::Forgejo) == "2");
  CHECK(id(Forge::Bitbucket) == "3");
  CHECK(id(Forge::BitbucketServer) == "4");
  CHECK(id(Forge::Gitlab) == "6");
  CHECK(id(Forge::Generic).empty());
}

TEST_CASE("replay cache: once, for a day, bounded") {
  ReplayCache cache;
  const MonoTime start{std::chrono::hours(1)};
  CHECK(cache.is_new("a", start));
  CHECK_FALSE(cache.is_new("a", start + std::chrono::hours(23)));
  CHECK(cache.is_new("a", start + std::chrono::hours(24)));
  for (std::size_t i = 0; i < ReplayCache::kMost; ++i)
    CHECK(cache.is_new(std::to_string(i), start + std::chrono::hours(24)));
  CHECK(cache.is_new("a", start + std::chrono::hours(24)));  // it had to go
  CHECK(cache.is_new(std::string(10'000, 'x'), start + std::chrono::hours(24)));
  CHECK_FALSE(cache.is_new(std::string(20'000, 'x'), start + std::chrono::hours(24)));
}
