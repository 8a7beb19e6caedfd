// A status branch, read without judging: documents of a newer nimbusd show what
// this program understands of them. Errors of single documents are collected.
#pragma once

#include <string>
#include <vector>

#include "base/toml/value.hpp"
#include "cli/console.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "registry/git/repository.hpp"

namespace nimbus::cli {

/// How a machine is, in one word, and why.
struct Health {
  enum class Level : std::uint8_t { Ok, Attention, Trouble, Unknown } level = Level::Unknown;
  std::string reason;  // of the condition that decides; foreign text
  std::string message;
};
std::string_view to_string(Health::Level level) noexcept;
Style style_of(Health::Level level) noexcept;

struct MachineView {
  std::string provider;
  std::string name;
  std::string path;
  base::toml::Table document;
  Health health;
};

struct InstanceView {
  std::string id;  // "acme/web-1"
  base::toml::Table document;
};

struct ProviderView {
  std::string provider;
  std::string reference;  // that was read
  std::string commit;
  WallTime when{};                    // of the commit
  std::string subject;                // of its message; foreign text
  base::toml::Table controller;       // status.toml; empty: not there
  std::vector<MachineView> machines;  // by name
  std::vector<InstanceView> instances;
  std::vector<std::string> unreadable;  // "path: why"
};

/// Providers named in the registry at HEAD.
Result<std::vector<std::string>> list_providers(const registry::GitRepository& repository);
/// "nimbus/status" unless registry.toml at HEAD says otherwise.
std::string branch_prefix(const registry::GitRepository& repository);

/// The provider's branch as last fetched (refs/remotes/origin/…), else the local
/// one. Errors: NotFound (no such branch: nothing reported yet).
Result<ProviderView> read_provider_status(const registry::GitRepository& repository, const std::string& prefix,
                                          const std::string& provider);

/// The same at a named commit. Errors: NotFound.
Result<ProviderView> read_status_at(const registry::GitRepository& repository, const std::string& revision,
                                    const std::string& provider);

/// One document of a status branch. Errors: Invalid (with its line).
Result<base::toml::Table> read_document(const registry::GitRepository& repository, const registry::TreeItem& item);

/// By the conditions of a machine's document.
Health judge(const base::toml::Table& document);

/// Text, whatever the value's kind; "" if absent. `path` is "registry.state".
std::string text_at(const base::toml::Table& table, std::string_view path);

/// Whether the machine failed the instance of its claim, which has another one by now.
bool is_left(const base::toml::Table& machine);

}  // namespace nimbus::cli
