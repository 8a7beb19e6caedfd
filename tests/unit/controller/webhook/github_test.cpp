#include "controller/webhook/github.hpp"

#include <doctest/doctest.h>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"

using namespace nimbus;
using namespace nimbus::controller;

namespace {

std::string sign(std::string_view key, std::string_view body) {
  return "sha256=" + base::to_hex(base::hmac(base::Hash::Sha256, base::as_bytes(key), {base::as_bytes(body)}));
}

const std::vector<Secret> kSecrets = {Secret("new"), Secret("old")};

WebhookVerdict judge(std::string_view body, const std::string& signature, std::string_view event = "push") {
  return judge_github({.event = event, .delivery = "1", .signature = signature, .body = body}, kSecrets, "main");
}

}  // namespace

TEST_CASE("webhook: the signature of GitHub's documentation") {
  // docs.github.com, "Validating webhook deliveries", testing example.
  const std::string_view body = "Hello, World!";
  CHECK(sign("It's a Secret to Everybody", body) ==
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST_CASE("webhook: a push to our branch, signed with either live secret") {
  const std::string_view body = R"({"ref":"refs/heads/main","after":"1"})";
  CHECK(judge(body, sign("new", body)) == WebhookVerdict::Fetch);
  CHECK(judge(body, sign("old", body)) == WebhookVerdict::Fetch);
}

TEST_CASE("webhook: genuine, but nothing for us") {
  for (const std::string_view body :
       {R"({"ref":"refs/heads/other"})", R"({"ref":"refs/heads/main2"})", R"({"ref":null})", R"({"ref":["refs/heads/main"]})",
        R"({})", R"([])", R"("refs/heads/main")", "", "{", "\xff", R"({"ref":"refs/heads/main")"})
    CHECK(judge(body, sign("new", body)) == WebhookVerdict::Ignore);
  const std::string_view push = R"({"ref":"refs/heads/main"})";
  CHECK(judge(push, sign("new", push), "ping") == WebhookVerdict::Ignore);
  CHECK(judge(push, sign("new", push), "") == WebhookVerdict::Ignore);
  const std::string deep(100'000, '[');
  CHECK(judge(deep, sign("new", deep)) == WebhookVerdict::Ignore);
}

TEST_CASE("webhook: anything else is forged") {
  const std::string_view body = R"({"ref":"refs/heads/main"})";
  const std::string good = sign("new", body);
  for (const std::string& bad :
       {std::string(), std::string("sha256="), std::string("sha256=zz"), good.substr(0, good.size() - 2), good + "00",
        "sha1=" + good.substr(7), good.substr(7), sign("guess", body), sign("", body), sign("new", "{}")})
    CHECK_MESSAGE(judge(body, bad) == WebhookVerdict::BadSignature, bad);
  CHECK(judge_github({.event = "push", .delivery = {}, .signature = sign("", body), .body = body}, {Secret()}, "main") ==
        WebhookVerdict::BadSignature);
  CHECK(judge_github({.event = "push", .delivery = {}, .signature = good, .body = body}, {}, "main") ==
        WebhookVerdict::BadSignature);
}
