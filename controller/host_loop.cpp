#include "controller/host_loop.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/crypto/crypto.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "controller/loops/threads.hpp"

namespace nimbus::controller {
namespace {

using base::Level;

constexpr std::chrono::milliseconds kLook{30'000};
constexpr std::chrono::milliseconds kDrain{5'000};

HostLimits limits_of(const Config& config) {
  return {.interval = config.hosts.interval,
          .deadline = config.hosts.deadline,
          .look = std::min(kLook, config.hosts.deadline),
          .confirm = config.hosts.confirm};
}

std::string new_token() {
  std::array<std::uint8_t, 12> bytes{};
  base::random_bytes(bytes);
  return base::to_hex(bytes);
}

}  // namespace

HostLoop::HostLoop(Tools tools)
    : tools_(std::move(tools)),
      meter_(tools_.metrics),
      queue_(tools_.clock,
             {.slow_workers = std::max<std::size_t>(1, tools_.config.hosts.workers / 2), .semaphores = {}}),
      hosts_(queue_, hosts_tools(), tools_.next) {}

std::string HostLoop::key_of(const char* kind, const std::string& instance) const {
  return std::string(kind) + "/" + tools_.config.provider + "/" + instance;
}

HostTools HostLoop::pass_tools() {
  return {
      .clock = tools_.clock,
      .hosts = tools_.driver,
      .build = [this](const HostTarget& target) { return build(target); },
      .authority = tools_.authority,
      .local_hold = tools_.local_hold,
      .stepped = tools_.stepped,
      .note = [this](const auto& what, const auto& target, const auto& detail) { return note(what, target, detail); },
      .mark =
          [this](const std::string& instance, bool under_way) {
            return tools_.journal.remember(key_of("host-change", instance), under_way ? "under way" : "");
          },
      .token = new_token,
      .began = [this](const HostTarget& target) { tools_.board.correcting(target); }};
}

AccessStore HostLoop::access_store() {
  return {
      .keep =
          [this](const HostAccess& access) {
            return tools_.journal.remember(key_of("host-access", access.instance), to_json(access));
          },
      .forget =
          [this](const std::string& instance) { return tools_.journal.remember(key_of("host-access", instance), ""); },
      .all = [this]() -> Result<std::map<std::string, HostAccess>> {
        auto found = tools_.journal.recall_all(key_of("host-access", ""));
        if (!found) return std::move(found.error());
        std::map<std::string, HostAccess> out;
        for (const auto& [key, text] : *found) {
          if (text.empty()) continue;  // forgotten
          auto access = parse_access(text);
          if (!access) return std::move(access.error());
          out[access->instance] = std::move(*access);
        }
        return out;
      }};
}

Hosts::Tools HostLoop::hosts_tools() {
  return {.pass = pass_tools(),
          .provider = tools_.config.provider,
          .user = tools_.config.hosts.user,
          .public_key = tools_.public_key,
          .limits = limits_of(tools_.config),
          .jitter = random_fraction,
          .access = access_store(),
          .told = [this](const HostTarget& target, const HostReport& report, WallTime) { told(target, report); },
          .dropped = [this](const HostAccess& access, const std::optional<Error>& error) { dropped(access, error); },
          .forgotten = [this](const std::string& instance) { meter_.forget(instance); }};
}

/// What we installed has an account for us alone, unless people were given that very one.
bool HostLoop::has_own_account(const HostTarget& target) const {
  if (target.adopted) return false;
  const auto& instance = target.entry->value;
  std::string people = instance.access.user;
  if (people.empty()) {
    const auto* image = registry::find_image(*target.snapshot, instance.tenant, instance.provider, instance.image);
    if (image != nullptr) people = image->value.default_user;
  }
  return (people.empty() ? "nimbus" : people) != target.endpoint.user;
}

registry::HostBuild HostLoop::build(const HostTarget& target) {
  return registry::host_configuration(*target.entry, target.desired.get(),
                                      {.snapshot = *target.snapshot,
                                       .read =
                                           [this](const registry::TreeEntry& file) {
                                             const std::lock_guard lock(files_mutex_);
                                             return tools_.files.read_blob(file.blob, registry::TreeSource::kMaxFile);
                                           },
                                       .secret = [this, &target](std::string_view name) -> Result<Secret> {
                                         auto credential = tools_.secrets.credential(name, target.endpoint.address);
                                         if (!credential) return std::move(credential.error());
                                         return std::move(credential->password);
                                       },
                                       .access = registry::ControllerAccess{.user = target.endpoint.user,
                                                                            .ssh_keys = {tools_.public_key},
                                                                            .own_account = has_own_account(target),
                                                                            .wanted = true}});
}

Result<> HostLoop::recall() {
  const auto open = tools_.journal.recall_all(key_of("host-change", ""));
  if (!open) return open.error();
  for (const auto& [key, text] : *open) {
    if (text.empty()) continue;
    const std::string instance = key.substr(key_of("host-change", "").size());
    (void)tools_.note("host-change-result", "",
                      instance + ": not known, the controller ended while it ran; the host is looked at again");
    if (auto cleared = tools_.journal.remember(key, ""); !cleared) return cleared;
  }
  return {};
}

void HostLoop::start() {
  const std::size_t workers = tools_.driver != nullptr ? tools_.config.hosts.workers : 1;
  for (std::size_t i = 0; i < workers; ++i) {
    workers_.push_back(spawn("host", [this](std::stop_token stop) { hosts_.work(std::move(stop)); }));
  }
}

void HostLoop::stop() {
  for (auto& worker : workers_) worker.request_stop();
  queue_.shut_down();
  workers_.clear();
  hosts_.close({.deadline = tools_.clock.now() + kDrain});
}

std::chrono::milliseconds HostLoop::step_limit(const Config& config) {
  return std::max(kLook, config.hosts.deadline) + config.git_deadline;
}

void HostLoop::set_limits(const Config& config) { hosts_.set_limits(limits_of(config)); }

void HostLoop::accepted(const std::shared_ptr<const AcceptedRegistry>& registry) {
  if (auto taken = hosts_.accept(registry); !taken) base::log(Level::Error, "journal-unreadable", taken.error().text());
}

Result<> HostLoop::note(const std::string& what, const HostTarget& target, const std::string& detail) {
  std::string text = target.instance + ": " + detail + " (commit " + target.commit;
  if (const std::string author = tools_.author(target.commit); !author.empty()) text += " by " + author;
  return tools_.note(what, target.machine, text + ")");
}

void HostLoop::told(const HostTarget& target, const HostReport& report) {
  tools_.board.host(target, report);
  if (report.without_key) return told_without_key(target);
  meter_.passed(target, report);
  if (report.corrected > 0) {
    base::log(Level::Info, "host-corrected", std::to_string(report.corrected) + " resources",
              {{"instance", target.instance}, {"machine", target.machine}});
    tools_.events.publish(
        "host", target.machine,
        base::Json::object({{"headline", target.instance + " was corrected"}, {"resources", report.corrected}}));
  }
  const std::string trouble = report.trouble();
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(last_[target.instance], trouble) == trouble) return;
  }
  if (trouble.empty()) {
    base::log(Level::Info, "host-well", "as it should be, or on its way",
              {{"instance", target.instance}, {"machine", target.machine}});
  } else if (report.looked || report.unfinished) {
    base::log(Level::Warning, "host-failed", trouble, {{"instance", target.instance}, {"machine", target.machine}});
  } else if (report.error && report.error->code == Code::Untrusted) {
    base::log(Level::Error, "host-key-changed", trouble, {{"instance", target.instance}, {"machine", target.machine}});
  } else {
    base::log(Level::Warning, "host-unreachable", trouble,
              {{"instance", target.instance}, {"machine", target.machine}});
  }
  tools_.events.publish(
      "host", target.machine,
      base::Json::object({{"headline", trouble.empty() ? target.instance + " is well again" : trouble}}));
}

/// No host was looked at, so there is nothing to measure; one line is enough for all of them.
void HostLoop::told_without_key(const HostTarget& target) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(told_without_key_, true)) return;
  }
  base::log(Level::Warning, "hosts-without-key", kWithoutKey, {{"instance", target.instance}});
}

void HostLoop::dropped(const HostAccess& access, const std::optional<Error>& error) {
  meter_.forget(access.instance);
  tools_.board.dropped(access.path, error ? error->message : std::string());
  if (error) return;
  (void)tools_.note("host-access-removed", access.machine,
                    access.instance + ": the controller's access was taken away");
  base::log(Level::Info, "host-access-removed", "the controller's access was taken away",
            {{"instance", access.instance}});
}

}  // namespace nimbus::controller
