// Local settings of the person at the keyboard: $XDG_CONFIG_HOME/nimbus/config.toml.
// Flags win over environment variables, which win over these. The file holds names
// and paths, never a secret.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/args/args.hpp"
#include "core/result.hpp"

namespace nimbus::cli {

struct SettingKey {
  std::string_view name;
  std::string_view meaning;
  std::string_view example;
};
/// All keys that there are.
const std::vector<SettingKey>& setting_keys();

/// $NIMBUS_CONFIG, else $XDG_CONFIG_HOME/nimbus/config.toml, else below $HOME.
std::string settings_path(const base::Environment& environment);

/// By key; an absent file is no settings. Errors: Invalid (with line and column).
Result<std::map<std::string, std::string>> read_settings(const std::string& path);

/// Text of the file with `key` set to `value`; comments and order stay.
/// Errors: Invalid (the text is not valid).
Result<std::string> with_setting(const std::string& text, const std::string& key, const std::string& value);

}  // namespace nimbus::cli
