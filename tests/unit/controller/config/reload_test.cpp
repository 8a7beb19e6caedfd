#include "controller/config/reload.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::controller;
using std::chrono::seconds;

namespace {

Config running() {
  Config config;
  config.provider = "p";
  config.webhooks = {{"hook", "github", {"/old"}}};
  return config;
}

}  // namespace

TEST_CASE("the same configuration changes nothing") {
  const auto merged = merge_reload(running(), running());
  CHECK(merged.config == running());
  CHECK(merged.taken.empty());
  CHECK(merged.restart.empty());
}

TEST_CASE("what can change is taken over, the rest is named and stays") {
  Config next = running();
  next.poll = seconds(5);
  next.observe = seconds(7);
  next.power.most_attempts = 9;
  next.log_level = "debug";
  next.provider = "another";
  next.registry.url = "https://elsewhere";
  next.workers = 3;
  const auto merged = merge_reload(running(), next);
  CHECK(merged.taken == std::vector<std::string>{"registry.poll", "reconcile.observe", "power", "log.level"});
  CHECK(merged.restart == std::vector<std::string>{"provider", "registry", "reconcile.workers"});
  CHECK(merged.config.poll == seconds(5));
  CHECK(merged.config.power.most_attempts == 9);
  CHECK(merged.config.provider == "p");
  CHECK(merged.config.workers == running().workers);
}

TEST_CASE("secret files of a webhook may change, webhooks themselves may not") {
  Config next = running();
  next.webhooks[0].secret_files = {"/old", "/new"};
  auto merged = merge_reload(running(), next);
  CHECK(merged.taken == std::vector<std::string>{"webhook.secret_files"});
  CHECK(merged.config.webhooks == next.webhooks);
  for (const bool renamed : {true, false}) {
    next = running();
    if (renamed) {
      next.webhooks[0].name = "other";
    } else {
      next.webhooks.push_back({"second", "gitlab", {"/x"}});
    }
    merged = merge_reload(running(), next);
    CHECK(merged.restart == std::vector<std::string>{"webhook"});
    CHECK(merged.config == running());
  }
}

TEST_CASE("every key of a configuration is judged: none is lost in silence") {
  Config next;
  const auto t = seconds(12'345);
  next.provider = next.id = next.data = next.secrets = next.listen = next.control_socket = "x";
  next.audit = next.holds = next.boot_sockets[""] = next.log_level = next.log_format = "x";
  next.forge.kind = next.registry.url = next.status.repository = "x";
  next.poll = next.git_deadline = next.publish = next.heartbeat = next.observe = next.pass_deadline = next.retry_most =
      next.inspect = t;
  next.power.settle = t;
  next.control_users = next.control_groups = next.image_sources = {"x"};
  next.cas = {{"x", "/x"}};
  next.workers = 77;
  next.webhooks = {{"x", "github", {"/x"}}};
  auto merged = merge_reload(Config{}, next);
  CHECK(merged.taken.size() + merged.restart.size() == 29);
  // Whoever restarts then has all of it.
  merged = merge_reload(merged.config, next);
  CHECK(merged.taken.empty());
}
