// nimbusctl config: local settings.
#include <algorithm>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/toml/toml.hpp"
#include "cli/context.hpp"
#include "cli/settings.hpp"

namespace nimbus::cli {
namespace {

constexpr unsigned kPrivateFile = 0600;
constexpr unsigned kPrivateFolder = 0700;

bool is_key(const std::string& name) {
  return std::ranges::find(setting_keys(), name, &SettingKey::name) != setting_keys().end();
}

Exit write_settings(Context& context, const std::string& path, const std::string& text) {
  if (const auto slash = path.rfind('/'); slash != std::string::npos && slash > 0) {
    if (auto made = base::make_folders(path.substr(0, slash), kPrivateFolder); !made)
      return fail(context, made.error());
  }
  if (auto written = base::write_file_atomically(path, text, kPrivateFile); !written)
    return fail(context, written.error());
  return Exit::Ok;
}

Result<std::string> settings_text(const std::string& path) {
  auto text = base::read_file(path, base::toml::kMaxText);
  if (!text && text.error().code == Code::NotFound) return std::string();
  return text;
}

}  // namespace

Exit run_config_path(Context& context) {
  context.console.out(base::printable(settings_path(context.environment)) + "\n");
  return Exit::Ok;
}

Exit run_config_init(Context& context) {
  const std::string path = settings_path(context.environment);
  if (path.empty())
    return fail(context, {Code::NotFound, "neither $NIMBUS_CONFIG nor $XDG_CONFIG_HOME nor $HOME is set"});
  auto old = settings_text(path);
  if (!old) return fail(context, old.error());
  if (!old->empty()) return fail(context, {Code::Conflict, path + " exists; 'nimbusctl config set' changes it"});
  std::string text = "# Settings of nimbusctl. Flags and environment variables win over them.\n";
  for (const auto& key : setting_keys())
    text += fmt::format("\n# {}\n# {} = \"{}\"\n", key.meaning, key.name, key.example);
  const Exit exit = write_settings(context, path, text);
  if (exit == Exit::Ok) context.console.say("wrote " + path);
  return exit;
}

Exit run_config_get(Context& context) {
  const auto settings = read_settings(settings_path(context.environment));
  if (!settings) return fail(context, settings.error());
  if (const auto key = context.args.get("KEY")) {
    const auto found = settings->find(*key);
    if (found == settings->end()) return Exit::NotFound;
    context.console.out(base::printable(found->second) + "\n");
    return Exit::Ok;
  }
  Listing listing{.columns = {{"KEY"}, {"VALUE"}, {"MEANING", Column::When::Wide}}};
  for (const auto& key : setting_keys()) {
    const auto found = settings->find(std::string(key.name));
    if (found == settings->end()) continue;
    listing.rows.push_back({.name = found->first,
                            .cells = {{found->first}, {found->second}, {std::string(key.meaning)}},
                            .json = base::Json::object({{"key", found->first}, {"value", found->second}})});
  }
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

Exit run_config_set(Context& context) {
  const std::string path = settings_path(context.environment);
  if (path.empty())
    return fail(context, {Code::NotFound, "neither $NIMBUS_CONFIG nor $XDG_CONFIG_HOME nor $HOME is set"});
  const std::string key = context.args.text("KEY");
  const std::string value = context.args.text("VALUE");
  if (!is_key(key)) return fail(context, {Code::Invalid, "no such key: " + key});
  if (!base::is_valid_utf8(value) || base::printable(value, value.size() + 1) != value) {
    return fail(context, {Code::Invalid, "a value is one line of printable UTF-8"});
  }
  auto text = settings_text(path);
  if (!text) return fail(context, text.error());
  auto changed = with_setting(*text, key, value);
  if (!changed) return fail(context, changed.error().with("while reading " + path));
  return write_settings(context, path, *changed);
}

}  // namespace nimbus::cli
