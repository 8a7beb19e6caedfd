#include "cli/status_read.hpp"

#include <algorithm>
#include <set>

#include "base/text/text.hpp"
#include "base/toml/toml.hpp"
#include "cli/place.hpp"
#include "core/names.hpp"
#include "registry/git/commit_source.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;

/// "providers/p/machines/[group/]m017.toml" → "m017".
std::string machine_name(std::string_view path, const std::string& provider) {
  const std::string prefix = "providers/" + provider + "/machines/";
  if (!path.starts_with(prefix) || !path.ends_with(".toml")) return {};
  path.remove_prefix(prefix.size());
  path.remove_suffix(5);
  if (const auto slash = path.find('/'); slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return is_dns_label(path) ? std::string(path) : std::string();
}

/// "tenants/acme/instances/web-1.toml" → "acme/web-1".
std::string instance_id(std::string_view path) {
  const auto parts = base::split(path, '/');
  if (parts.size() != 4 || parts[0] != "tenants" || parts[2] != "instances" || !parts[3].ends_with(".toml")) return {};
  const std::string_view name = parts[3].substr(0, parts[3].size() - 5);
  if (!is_dns_label(parts[1]) || !is_dns_label(name)) return {};
  return std::string(parts[1]) + "/" + std::string(name);
}

Result<ProviderView> read_documents(const registry::GitRepository& repository, const std::string& reference,
                                    const registry::ObjectId& id, const std::string& provider) {
  ProviderView view{.provider = provider, .reference = reference, .commit = id};
  auto commit = repository.commit(view.commit);
  if (!commit) return std::move(commit.error());
  view.when = commit->committer.when;
  view.subject = commit->message.substr(0, commit->message.find('\n'));
  auto items = repository.list(view.commit, {.items = 2'000'000});
  if (!items) return std::move(items.error());
  for (const auto& item : *items) {
    const std::string machine = machine_name(item.path, provider);
    const std::string instance = instance_id(item.path);
    if (machine.empty() && instance.empty() && item.path != "status.toml") continue;
    auto document = read_document(repository, item);
    if (!document) {
      view.unreadable.push_back(item.path + ": " + document.error().text());
    } else if (!machine.empty()) {
      const Health health = judge(*document);
      view.machines.push_back({provider, machine, item.path, std::move(*document), health});
    } else if (!instance.empty()) {
      view.instances.push_back({instance, std::move(*document)});
    } else {
      view.controller = std::move(*document);
    }
  }
  std::ranges::sort(view.machines, {}, &MachineView::name);
  return view;
}

/// Conditions that are news when they are true.
constexpr std::string_view kNoteworthy[] = {"hold", "maintenance", "drift"};

}  // namespace

Result<toml::Table> read_document(const registry::GitRepository& repository, const registry::TreeItem& item) {
  if (item.mode != 0100644) return Error{Code::Invalid, "no regular file"};
  auto text = repository.read_blob(item.id, toml::kMaxText);
  if (!text) return std::move(text.error());
  auto table = toml::parse(*text);
  if (!table)
    return Error{Code::Invalid, "line " + std::to_string(table.error().at.line) + ": " + table.error().message};
  return std::move(*table);
}

std::string_view to_string(Health::Level level) noexcept {
  switch (level) {
    case Health::Level::Ok:
      return "ok";
    case Health::Level::Attention:
      return "attention";
    case Health::Level::Trouble:
      return "trouble";
    case Health::Level::Unknown:
      return "unknown";
  }
  return "unknown";
}

Style style_of(Health::Level level) noexcept {
  switch (level) {
    case Health::Level::Ok:
      return Style::Good;
    case Health::Level::Attention:
      return Style::Warning;
    case Health::Level::Trouble:
      return Style::Bad;
    case Health::Level::Unknown:
      return Style::Warning;
  }
  return Style::Plain;
}

bool is_left(const toml::Table& machine) {
  const auto* claim = machine.find("claim");
  const auto* left = claim != nullptr && claim->table() != nullptr ? claim->table()->find("left") : nullptr;
  return left != nullptr && left->boolean() != nullptr && *left->boolean();
}

std::string text_at(const toml::Table& table, std::string_view path) {
  const toml::Table* at = &table;
  const auto parts = base::split(path, '.');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const toml::Value* value = at->find(parts[i]);
    if (value == nullptr) return {};
    if (i + 1 < parts.size()) {
      at = value->table();
      if (at == nullptr) return {};
      continue;
    }
    if (const auto* text = value->string()) return *text;
    if (const auto* number = value->integer()) return std::to_string(*number);
    if (const auto* truth = value->boolean()) return *truth ? "true" : "false";
    if (const auto* time = value->datetime()) return time->text();
  }
  return {};
}

Health judge(const toml::Table& document) {
  const auto condition = [&](std::string_view name, std::string_view key) {
    return text_at(document, "condition." + std::string(name) + "." + std::string(key));
  };
  const auto because = [&](Health::Level level, std::string_view name) {
    return Health{level, condition(name, "reason"), condition(name, "message")};
  };
  const std::string ready = condition("ready", "status");
  if (ready == "false") return because(Health::Level::Trouble, "ready");
  if (ready != "true") return because(Health::Level::Unknown, "ready");
  for (const auto name : kNoteworthy) {
    if (condition(name, "status") == "true") return because(Health::Level::Attention, name);
  }
  return because(Health::Level::Ok, "ready");
}

Result<std::vector<std::string>> list_providers(const registry::GitRepository& repository) {
  auto head = repository.resolve("HEAD");
  if (!head) return std::move(head.error());
  if (!*head) return Error{Code::NotFound, "the repository has no commit yet"};
  auto items = repository.list(**head, {.items = 2'000'000});
  if (!items) return std::move(items.error());
  std::set<std::string> names;
  for (const auto& item : *items) {
    constexpr std::string_view kFolder = "providers/";
    if (!item.path.starts_with(kFolder) || !item.path.ends_with("/provider.toml")) continue;
    const std::string name = item.path.substr(kFolder.size(), item.path.find('/', kFolder.size()) - kFolder.size());
    if (is_dns_label(name)) names.insert(name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

std::string branch_prefix(const registry::GitRepository& repository) {
  const std::string standard = "nimbus/status";
  const auto head = repository.resolve("HEAD");
  if (!head || !*head) return standard;
  const auto item = repository.find(**head, "registry.toml");
  if (!item || !*item) return standard;
  const auto document = read_document(repository, **item);
  if (!document) return standard;
  const std::string said = text_at(*document, "status.branch_prefix");
  return said.empty() ? standard : said;
}

Result<ProviderView> read_provider_status(const registry::GitRepository& repository, const std::string& prefix,
                                          const std::string& provider) {
  for (const char* place : {"refs/remotes/origin/", "refs/heads/"}) {
    const std::string reference = place + prefix + "/" + provider;
    auto found = repository.resolve(reference);
    if (!found) return std::move(found.error());
    if (*found) return read_documents(repository, reference, **found, provider);
  }
  return Error{Code::NotFound, "no status of provider '" + provider + "': no branch " + prefix + "/" + provider +
                                   " here; 'git fetch' brings it, once nimbusd has written it"};
}

Result<ProviderView> read_status_at(const registry::GitRepository& repository, const std::string& revision,
                                    const std::string& provider) {
  auto commit = resolve_revision(repository, revision);
  if (!commit) return std::move(commit.error());
  return read_documents(repository, revision, *commit, provider);
}

}  // namespace nimbus::cli
