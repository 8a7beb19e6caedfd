#include "cli/settings.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/toml/edit.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;

Result<toml::Table> parse_settings(const std::string& text, const std::string& path) {
  auto table = toml::parse(text);
  if (!table) {
    const auto& error = table.error();
    return Error{Code::Invalid, fmt::format("{}:{}:{}: {}", path, error.at.line, error.at.column, error.message)};
  }
  std::vector<std::string> names;
  for (const auto& key : setting_keys()) names.emplace_back(key.name);
  for (const auto& member : table->members()) {
    const auto place = fmt::format("{}:{}:{}", path, member.key_span.begin.line, member.key_span.begin.column);
    if (std::ranges::find(names, member.key) == names.end()) {
      const auto meant = base::did_you_mean(member.key, names);
      return Error{Code::Invalid, fmt::format("{}: unknown key '{}'{}", place, member.key,
                                              meant ? "; did you mean '" + *meant + "'?" : "")};
    }
    if (member.value.string() == nullptr)
      return Error{Code::Invalid, fmt::format("{}: {} must be a string", place, member.key)};
  }
  return std::move(*table);
}

}  // namespace

const std::vector<SettingKey>& setting_keys() {
  static const std::vector<SettingKey> keys = {
      {"registry", "the registry: a checkout or a bare repository", "/srv/registry"},
      {"tenant", "the tenant that commands mean when none is named", "acme"},
      {"provider", "the provider that commands mean when none is named", "berlin-1"},
      {"key", "the SSH key that signs commits and logs in: its public half", "~/.ssh/id_ed25519.pub"},
      {"server", "nimbusd's API, on its own machine", "unix:/run/nimbus/control.sock"}};
  return keys;
}

std::string settings_path(const base::Environment& environment) {
  const auto variable = [&](std::string_view name) { return environment(name).value_or(std::string()); };
  if (const auto own = variable("NIMBUS_CONFIG"); !own.empty()) return own;
  const auto base = variable("XDG_CONFIG_HOME");
  // The XDG specification: a relative path is to be ignored.
  if (base.starts_with('/')) return base + "/nimbus/config.toml";
  const auto home = variable("HOME");
  return home.empty() ? std::string() : home + "/.config/nimbus/config.toml";
}

Result<std::map<std::string, std::string>> read_settings(const std::string& path) {
  std::map<std::string, std::string> out;
  if (path.empty()) return out;
  auto text = base::read_file(path, toml::kMaxText);
  if (!text && text.error().code == Code::NotFound) return out;
  if (!text) return std::move(text.error());
  auto table = parse_settings(*text, path);
  if (!table) return std::move(table.error());
  for (const auto& member : table->members()) out[member.key] = *member.value.string();
  return out;
}

Result<std::string> with_setting(const std::string& text, const std::string& key, const std::string& value) {
  if (auto table = parse_settings(text, "config.toml"); !table) return std::move(table.error());
  const auto edit = toml::set_key(text, {key}, value);
  if (!edit) return edit.error();
  return toml::applied(text, *edit);
}

}  // namespace nimbus::cli
