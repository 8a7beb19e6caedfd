#include "controller/config/reload.hpp"

#include <algorithm>

namespace nimbus::controller {
namespace {

class Merge {
 public:
  Merge(const Config& running, const Config& next) : next_(next) { out_.config = running; }

  /// `member(config)` is the key's value; changed ones are taken over.
  template <class Member>
  void take(const char* key, Member member) {
    if (member(out_.config) == member(next_)) return;
    member(out_.config) = member(next_);
    out_.taken.emplace_back(key);
  }

  template <class Member>
  void keep(const char* key, Member member) {
    if (!(member(out_.config) == member(next_))) out_.restart.emplace_back(key);
  }

  /// The routes are fixed; the files with their secrets are not.
  void webhooks() {
    const auto& running = out_.config.webhooks;
    const bool same = std::equal(running.begin(), running.end(), next_.webhooks.begin(), next_.webhooks.end(),
                                 [](const auto& a, const auto& b) { return a.name == b.name && a.kind == b.kind; });
    const auto all = [](auto& config) -> auto& { return config.webhooks; };
    same ? take("webhook.secret_files", all) : keep("webhook", all);
  }

  Reload done() { return std::move(out_); }

 private:
  const Config& next_;
  Reload out_;
};

}  // namespace

Reload merge_reload(const Config& running, const Config& next) {
  Merge merge(running, next);
  merge.take(
      "registry.poll", [](auto& c) -> auto& { return c.poll; });
  merge.take(
      "registry.deadline", [](auto& c) -> auto& { return c.git_deadline; });
  merge.take(
      "status.publish", [](auto& c) -> auto& { return c.publish; });
  merge.take(
      "reconcile.observe", [](auto& c) -> auto& { return c.observe; });
  merge.take(
      "reconcile.deadline", [](auto& c) -> auto& { return c.pass_deadline; });
  merge.take(
      "reconcile.retry_most", [](auto& c) -> auto& { return c.retry_most; });
  merge.take(
      "power", [](auto& c) -> auto& { return c.power; });
  merge.take(
      "hosts.interval", [](auto& c) -> auto& { return c.hosts.interval; });
  merge.take(
      "hosts.deadline", [](auto& c) -> auto& { return c.hosts.deadline; });
  merge.take(
      "hosts.confirm", [](auto& c) -> auto& { return c.hosts.confirm; });
  merge.take(
      "log.level", [](auto& c) -> auto& { return c.log_level; });
  merge.take(
      "log.format", [](auto& c) -> auto& { return c.log_format; });
  merge.webhooks();
  merge.keep(
      "provider", [](auto& c) -> auto& { return c.provider; });
  merge.keep(
      "id", [](auto& c) -> auto& { return c.id; });
  merge.keep(
      "data", [](auto& c) -> auto& { return c.data; });
  merge.keep(
      "secrets", [](auto& c) -> auto& { return c.secrets; });
  merge.keep(
      "registry", [](auto& c) -> auto& { return c.registry; });
  merge.keep(
      "status", [](auto& c) -> auto& { return c.status; });
  merge.keep(
      "status.heartbeat", [](auto& c) -> auto& { return c.heartbeat; });
  merge.keep(
      "forge", [](auto& c) -> auto& { return c.forge; });
  merge.keep(
      "http.listen", [](auto& c) -> auto& { return c.listen; });
  merge.keep(
      "control.socket", [](auto& c) -> auto& { return c.control_socket; });
  merge.keep(
      "control.users", [](auto& c) -> auto& { return c.control_users; });
  merge.keep(
      "control.groups", [](auto& c) -> auto& { return c.control_groups; });
  merge.keep(
      "control.holds", [](auto& c) -> auto& { return c.holds; });
  merge.keep(
      "audit.folder", [](auto& c) -> auto& { return c.audit; });
  merge.keep(
      "hosts", [](auto& c) -> auto& { return c.hosts; });
  merge.keep(
      "install.boot", [](auto& c) -> auto& { return c.boot_sockets; });
  merge.keep(
      "install", [](auto& c) -> auto& { return c.install; });
  merge.keep(
      "install.image_sources", [](auto& c) -> auto& { return c.image_sources; });
  merge.keep(
      "ca", [](auto& c) -> auto& { return c.cas; });
  merge.keep(
      "reconcile.inspect", [](auto& c) -> auto& { return c.inspect; });
  merge.keep(
      "reconcile.workers", [](auto& c) -> auto& { return c.workers; });
  merge.keep(
      "reconcile.event_streams", [](auto& c) -> auto& { return c.event_streams; });
  return merge.done();
}

}  // namespace nimbus::controller
