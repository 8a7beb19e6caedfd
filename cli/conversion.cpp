#include "cli/conversion.hpp"

namespace nimbus::cli {

using base::Json;
namespace toml = base::toml;

Json to_json(const toml::Value& value) {
  if (const auto* text = value.string()) return Json(*text);
  if (const auto* number = value.integer()) return Json(static_cast<long>(*number));
  if (const auto* number = value.floating()) return Json(*number);
  if (const auto* truth = value.boolean()) return Json(*truth);
  if (const auto* time = value.datetime()) return Json(time->text());
  if (const auto* table = value.table()) return to_json(*table);
  Json out = Json::array();
  if (const auto* items = value.array()) {
    for (const auto& item : *items) out.push(to_json(item));
  }
  return out;
}

Json to_json(const toml::Table& table) {
  Json out = Json::object();
  for (const auto& member : table.members()) out.set(member.key, to_json(member.value));
  return out;
}

namespace {

toml::Value to_toml_value(const Json& value) {
  if (const auto text = value.as_string()) return {*text};
  if (const auto truth = value.as_bool()) return {*truth};
  if (value.kind() == Json::Kind::Int) return {value.as_int().value_or(0)};
  if (const auto number = value.as_double()) return {*number};
  if (value.is_array()) {
    toml::Array out;
    for (const auto& item : value.items()) {
      if (!item.is_null()) out.push_back(to_toml_value(item));
    }
    return {std::move(out)};
  }
  return {to_toml_table(value)};
}

}  // namespace

toml::Table to_toml_table(const Json& value) {
  toml::Table out;
  for (const auto& member : value.members()) {
    if (!member.value.is_null()) out.set(member.key, to_toml_value(member.value));
  }
  return out;
}

}  // namespace nimbus::cli
