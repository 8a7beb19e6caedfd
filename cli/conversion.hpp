// TOML values as JSON and back, for output. Times become RFC 3339 text; null
// members are left out in TOML.
#pragma once

#include "base/json/json.hpp"
#include "base/toml/value.hpp"

namespace nimbus::cli {

base::Json to_json(const base::toml::Value& value);
base::Json to_json(const base::toml::Table& table);
/// `value` must be an object.
base::toml::Table to_toml_table(const base::Json& value);

}  // namespace nimbus::cli
