#include "controller/config/config.hpp"

#include <array>
#include <cstdlib>
#include <set>

#include <fmt/core.h>
#include <unistd.h>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/time/time.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"
#include "core/names.hpp"

namespace nimbus::controller {
namespace {

using base::toml::Fault;
using base::toml::TableReader;
using std::chrono::milliseconds;

constexpr std::size_t kMostWorkers = 256;
constexpr milliseconds kLeastInterval{100};    // between looks of our own making: nothing spins
constexpr milliseconds kLeastExchange{1'000};  // with a forge, a BMC's inside, or a whole pass
constexpr std::size_t kMostEventStreams = 10'000;

void read(TableReader& table, std::string_view key, std::string& into) {
  if (auto text = table.string(key)) into = std::move(*text);
}

void read(TableReader& table, std::string_view key, std::chrono::milliseconds& into, milliseconds least = {}) {
  const auto text = table.string(key);
  if (!text) return;
  const auto duration = base::parse_duration(*text);
  if (!duration) {
    table.fault(key,
                fmt::format("\"{}\" is no duration: write a whole number and ms, s, m, h or d, like \"30s\"", *text));
  } else if (*duration < least) {
    table.fault(key, fmt::format("\"{}\" is too short: at least {} ms", *text, least.count()));
  } else {
    into = *duration;
  }
}

/// "credential:forge-key" is a file that systemd hands over (LoadCredential=).
std::string credential_path(const std::string& value) {
  constexpr std::string_view kPrefix = "credential:";
  if (!value.starts_with(kPrefix)) return value;
  const std::string name = value.substr(kPrefix.size());
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  const bool plain = !name.empty() && name.find('/') == std::string::npos && name != "." && name != "..";
  return plain && folder != nullptr && *folder == '/' ? std::string(folder) + "/" + name : value;
}

/// The program does not run from where it was started: paths must be absolute.
void read_path(TableReader& table, std::string_view key, std::string& into) {
  read(table, key, into);
  into = credential_path(into);
  if (into.starts_with("credential:")) {
    table.fault(key, fmt::format("\"{}\": systemd handed no credentials over; is LoadCredential= set?", into));
  } else if (!into.empty() && into.front() != '/') {
    table.fault(key, fmt::format("\"{}\" must be an absolute path, or credential:NAME", into));
  }
}

void check_choice(TableReader& table, std::string_view key, bool known, std::string_view choices) {
  if (!known) table.fault(key, fmt::format("must be one of {}", choices));
}

void read_remote(TableReader table, Config& config) {
  auto& remote = config.registry;
  table.require("url");
  read(table, "url", remote.url);
  const bool plain_path = remote.url.starts_with("/");
  bool scheme = plain_path;
  for (const std::string_view known : {"https://", "ssh://", "file://"})
    scheme = scheme || remote.url.starts_with(known);
  if (!remote.url.empty() && !scheme) {
    table.fault("url", "must start with https://, ssh:// or file://, or be an absolute path");
  }
  const auto authority =
      remote.url.find("://") == std::string::npos ? std::string() : remote.url.substr(remote.url.find("://") + 3);
  const auto at = authority.substr(0, authority.find('/')).find('@');
  if (remote.url.starts_with("https://") && at != std::string::npos) {
    table.fault("url", "must not hold a user or password: use token_file");
  }
  read(table, "branch", remote.branch);
  read_path(table, "ssh_key", remote.ssh_key);
  read_path(table, "known_hosts", remote.known_hosts);
  read_path(table, "token_file", remote.token_file);
  read_path(table, "ca_file", remote.ca_file);
  if (remote.url.starts_with("ssh://") && remote.known_hosts.empty()) {
    table.fault("known_hosts", "known_hosts is needed for ssh: the forge's host key is never accepted unseen");
  }
  read(table, "poll", config.poll, kLeastExchange);
  read(table, "deadline", config.git_deadline, kLeastExchange);
  table.finish();
}

/// The forges of controller/webhook, which this folder does not know.
const std::vector<std::string> kForges = {"github",    "gitlab",           "gitea",  "forgejo",
                                          "bitbucket", "bitbucket-server", "generic"};

WebhookConfig read_webhook(TableReader table) {
  WebhookConfig webhook;
  table.require("name").require("kind").require("secret_files");
  read(table, "name", webhook.name);
  if (!webhook.name.empty() && !is_dns_label(webhook.name)) table.fault("name", "must be a DNS label, like \"github\"");
  if (auto kind = table.choice("kind", kForges)) webhook.kind = *kind;
  if (auto files = table.strings("secret_files")) webhook.secret_files = *files;
  if (table.value("secret_files") != nullptr && (webhook.secret_files.empty() || webhook.secret_files.size() > 2)) {
    table.fault("secret_files", "one file, or two during a rotation");
  }
  for (auto& file : webhook.secret_files) {
    file = credential_path(file);
    if (!file.starts_with("/")) table.fault("secret_files", fmt::format("\"{}\" must be an absolute path", file));
  }
  table.finish();
  return webhook;
}

CaConfig read_ca(TableReader table) {
  CaConfig ca;
  table.require("name").require("file");
  read(table, "name", ca.name);
  read_path(table, "file", ca.file);
  table.finish();
  return ca;
}

void read_reconcile(TableReader table, Config& config) {
  if (const auto streams = table.integer("event_streams", 0, kMostEventStreams)) {
    config.event_streams = static_cast<std::size_t>(*streams);
  }
  if (const auto workers = table.integer("workers", 1, kMostWorkers)) {
    config.workers = static_cast<std::size_t>(*workers);
  }
  read(table, "observe", config.observe, kLeastInterval);
  read(table, "inspect", config.inspect, kLeastExchange);
  read(table, "deadline", config.pass_deadline, kLeastExchange);
  read(table, "retry_most", config.retry_most, kLeastInterval);
  table.finish();
}

void read_power(TableReader table, reconcilers::PowerPolicy& power) {
  read(table, "settle", power.settle);
  read(table, "soft_off_deadline", power.soft_off_deadline);
  read(table, "transition_deadline", power.transition_deadline);
  if (const auto most = table.integer("most_attempts", 1, 1000)) power.most_attempts = static_cast<int>(*most);
  read(table, "attempts_window", power.attempts_window);
  table.finish();
}

void read_log(TableReader table, Config& config) {
  read(table, "level", config.log_level);
  read(table, "format", config.log_format);
  check_choice(table, "level", base::parse_level(config.log_level).has_value(),
               "\"debug\", \"info\", \"warning\", \"error\"");
  check_choice(table, "format", base::parse_log_format(config.log_format).has_value(),
               "\"text\", \"json\", \"logfmt\"");
  table.finish();
}

void read_control(TableReader table, Config& config) {
  read_path(table, "socket", config.control_socket);
  if (auto users = table.strings("users")) config.control_users = std::move(*users);
  if (auto groups = table.strings("groups")) config.control_groups = std::move(*groups);
  read_path(table, "holds", config.holds);
  const bool inside = config.holds == config.data || config.holds.starts_with(config.data + "/");
  if (!config.data.empty() && inside) {
    table.fault("holds", "must not lie in the data folder: that may be deleted, and a hold must survive it");
  }
  table.finish();
}

void read_forge(TableReader table, ForgeConfig& forge) {
  table.require("kind").require("api").require("project").require("token_file");
  if (auto kind = table.choice("kind", {"github", "gitlab", "gitea"})) forge.kind = *kind;
  read(table, "api", forge.api);
  if (!forge.api.empty() && !forge.api.starts_with("https://")) table.fault("api", "must start with https://");
  read(table, "project", forge.project);
  read_path(table, "token_file", forge.token_file);
  read_path(table, "ca_file", forge.ca_file);
  table.finish();
}

/// One socket, or one for each network by its name.
void read_boot(TableReader& table, Config& config) {
  table.require("boot");
  const auto* value = table.value("boot");
  if (value == nullptr) return;
  if (value->table() == nullptr) return read_path(table, "boot", config.boot_sockets[""]);
  auto networks = table.table("boot");
  if (networks->raw().empty()) table.fault("boot", "names no network");
  for (const auto& member : networks->raw().members()) {
    if (!is_dns_label(member.key)) networks->fault(member.key, "is no name of a network");
    read_path(*networks, member.key, config.boot_sockets[member.key]);
  }
  networks->finish();
}

void read_install(TableReader table, Config& config) {
  read_boot(table, config);
  read(table, "intent_deadline", config.install.intent_deadline);
  read(table, "image_deadline", config.install.image_deadline);
  read(table, "power_deadline", config.install.power_deadline);
  read(table, "boot_deadline", config.install.boot_deadline);
  read(table, "silence_deadline", config.install.silence_deadline);
  read(table, "work_deadline", config.install.work_deadline);
  read(table, "handover_deadline", config.install.handover_deadline);
  read(table, "settle", config.install.settle);
  if (const auto most = table.integer("most_attempts", 1, 10)) config.install.most_attempts = static_cast<int>(*most);
  if (auto sources = table.strings("image_sources")) config.image_sources = std::move(*sources);
  for (const auto& source : config.image_sources) {
    const auto host = source.find("://");
    if (host == std::string::npos || source.find('/', host + 3) == std::string::npos) {
      table.fault("image_sources",
                  fmt::format("\"{}\" must be the beginning of a URL up to a '/' behind the host", source));
    }
  }
  table.finish();
}

/// "nimbus", as useradd takes it; it becomes a word in scripts and in sudoers.
bool is_account(const std::string& name) {
  constexpr std::size_t kMost = 32;
  const bool fits =
      !name.empty() && name.size() <= kMost && name.front() != '-' && (name.front() < '0' || name.front() > '9');
  return fits && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
}

void read_hosts(TableReader table, HostsConfig& hosts) {
  table.require("key");
  read_path(table, "key", hosts.key);
  read_path(table, "certificate", hosts.certificate);
  read(table, "user", hosts.user);
  if (!is_account(hosts.user))
    table.fault("user", "must be an account's name: lower-case letters, digits, '_' and '-'");
  if (const auto workers = table.integer("workers", 1, kMostWorkers))
    hosts.workers = static_cast<std::size_t>(*workers);
  read(table, "interval", hosts.interval);
  read(table, "deadline", hosts.deadline);
  read(table, "confirm", hosts.confirm);
  constexpr std::chrono::seconds kLeast{5};
  if (hosts.interval < kLeast) table.fault("interval", "must be at least 5s");
  if (hosts.deadline < kLeast) table.fault("deadline", "must be at least 5s");
  constexpr std::chrono::seconds kLeastConfirm{10}, kMostConfirm{600};
  if (hosts.confirm < kLeastConfirm || hosts.confirm > kMostConfirm)
    table.fault("confirm", "must be between 10s and 10m");
  table.finish();
}

/// systemd gives a folder for sockets (RuntimeDirectory=); else the data folder.
std::string default_socket(const Config& config) {
  const char* folder = std::getenv("RUNTIME_DIRECTORY");
  return (folder != nullptr && *folder == '/' ? std::string(folder) : config.data) + "/control.sock";
}

void read_top(TableReader& top, Config& config) {
  top.require("provider").require("data").require("secrets").require("registry");
  read(top, "provider", config.provider);
  if (!config.provider.empty() && !is_dns_label(config.provider)) {
    top.fault("provider", "must be a provider's name: lower-case letters, digits and dashes");
  }
  read(top, "id", config.id);
  read_path(top, "data", config.data);
  read_path(top, "secrets", config.secrets);
  if (auto table = top.table("registry")) read_remote(std::move(*table), config);
  if (auto table = top.table("status")) {
    read(*table, "publish", config.publish, kLeastInterval);
    read(*table, "heartbeat", config.heartbeat, kLeastInterval);
    read(*table, "repository", config.status.repository);
    read_path(*table, "ssh_key", config.status.ssh_key);
    read_path(*table, "known_hosts", config.status.known_hosts);
    read_path(*table, "token_file", config.status.token_file);
    read_path(*table, "ca_file", config.status.ca_file);
    read_path(*table, "signing_key", config.status.signing_key);
    table->finish();
  }
  if (auto table = top.table("http")) {
    read(*table, "listen", config.listen);
    table->finish();
  }
  if (auto table = top.table("forge")) read_forge(std::move(*table), config.forge);
  if (auto table = top.table("install")) read_install(std::move(*table), config);
  if (auto table = top.table("hosts")) read_hosts(std::move(*table), config.hosts);
  if (auto table = top.table("control")) read_control(std::move(*table), config);
  if (auto table = top.table("audit")) {
    read_path(*table, "folder", config.audit);
    table->finish();
  }
  std::set<std::string> names;
  for (auto& table : top.tables("webhook")) {
    config.webhooks.push_back(read_webhook(table));
    if (!names.insert(config.webhooks.back().name).second) table.fault("name", "used twice");
  }
  for (auto& table : top.tables("ca")) config.cas.push_back(read_ca(table));
  if (auto table = top.table("reconcile")) read_reconcile(std::move(*table), config);
  if (auto table = top.table("power")) read_power(std::move(*table), config.power);
  if (auto table = top.table("log")) read_log(std::move(*table), config);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "controller";
}

}  // namespace

Result<Config> parse_config(const std::string& text, const std::string& path) {
  auto parsed = base::toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return Error{Code::Invalid, fmt::format("{}:{}:{}: {}", path, error.at.line, error.at.column, error.message)};
  }
  Config config;
  std::vector<Fault> faults;
  TableReader top(*parsed, "", faults);
  read_top(top, config);
  top.finish();
  if (!faults.empty()) {
    std::string message;
    for (const auto& fault : faults) {
      message += fmt::format("{}{}:{}:{}: {}", message.empty() ? "" : "\n", path, fault.at.line, fault.at.column,
                             fault.message);
    }
    return Error{Code::Invalid, message};
  }
  if (config.id.empty()) config.id = config.provider + "/" + host_name();
  if (config.audit.empty()) config.audit = config.data + "/audit";
  if (config.control_socket.empty()) config.control_socket = default_socket(config);
  return config;
}

Result<Config> load_config(const std::string& path) {
  auto text = base::read_file(path, base::toml::kMaxText);
  if (!text) return std::move(text.error()).with("while reading the configuration");
  return parse_config(*text, path);
}

}  // namespace nimbus::controller
