#include "registry/schema/json_schema.hpp"

#include <fmt/core.h>

#include "registry/schema/field.hpp"

namespace nimbus::registry {
namespace {

using base::Json;

Json table_schema(const TableSpec& spec, std::uint8_t level);

Json text_schema(const Field& row, Format format, bool filled, std::uint8_t level) {
  Json out = Json::object();
  out.set("type", "string");
  const auto pattern = info(format).pattern;
  const bool variables = (level & kWithVariables) != 0 && row.traits.takes_variables();
  const auto matching = [](std::string_view expression) {
    Json either = Json::object();
    either.set("pattern", expression);
    return either;
  };
  if (!pattern.empty() && variables) {
    out.set("anyOf", Json::array({matching(pattern), matching("[{][{]")}));
  } else if (!pattern.empty()) {
    out.set("pattern", pattern);
  } else if (filled) {
    out.set("minLength", 1);
  }
  return out;
}

Json of_type(std::string_view type) {
  Json out = Json::object();
  out.set("type", type);
  return out;
}

Json value_schema(const Field& row, std::uint8_t level) {
  const auto& traits = row.traits;
  switch (row.type) {
    case FieldType::String:
      return text_schema(row, traits.format, traits.need == Need::Required, level);
    case FieldType::Duration:
      return text_schema(row, Format::Duration, true, level);
    case FieldType::Choice: {
      Json out = of_type("string");
      Json words = Json::array();
      for (const auto choice : row.choices) words.push(choice);
      return std::move(out.set("enum", std::move(words)));
    }
    case FieldType::Integer: {
      Json out = of_type("integer");
      out.set("minimum", traits.least);
      if (traits.most != INT64_MAX) out.set("maximum", traits.most);
      return out;
    }
    case FieldType::Boolean:
      return of_type("boolean");
    case FieldType::Time:
      return of_type("string");  // editors show date-times as strings
    case FieldType::Strings: {
      Json out = of_type("array");
      out.set("items", text_schema(row, traits.format, true, level));
      return std::move(out.set("uniqueItems", true));
    }
    case FieldType::Table:
      return table_schema(*traits.table, row.open == nullptr ? std::uint8_t{kInDefaults} : level);
    case FieldType::Tables: {
      Json out = of_type("array");
      return std::move(out.set("items", table_schema(*traits.table, level)));
    }
    case FieldType::NamedTables: {
      Json out = of_type("object");
      return std::move(out.set("additionalProperties", table_schema(*traits.table, level)));
    }
    case FieldType::StringMap:
    case FieldType::ScalarMap: {
      Json value = of_type("string");
      if (row.type == FieldType::ScalarMap) {
        Json types = Json::array({"string", "integer", "boolean"});
        value.set("type", std::move(types));
      }
      Json out = of_type("object");
      return std::move(out.set("additionalProperties", std::move(value)));
    }
  }
  return Json::object();
}

Json table_schema(const TableSpec& spec, std::uint8_t level) {
  Json out = of_type("object");
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& row : spec.fields) {
    if ((row.traits.levels & level) == 0) continue;
    Json value = value_schema(row, level);
    value.set("description", row.doc);
    properties.set(std::string(row.key), std::move(value));
    if (row.traits.need == Need::Required) required.push(row.key);
  }
  out.set("additionalProperties", false);
  out.set("properties", std::move(properties));
  // Draft 4 forbids an empty list.
  if (required.size() != 0) out.set("required", std::move(required));
  return out;
}

}  // namespace

std::string schema_file_name(FileKind kind) { return fmt::format("{}.schema.json", to_string(kind)); }

Json json_schema(FileKind kind) {
  const auto* spec = spec_of(kind);
  if (spec == nullptr) return {};
  Json out = Json::object();
  out.set("$schema", "http://json-schema.org/draft-04/schema#");
  out.set("title", fmt::format("Nimbus registry: {}", to_string(kind)));
  out.set("description", spec->doc);
  const Json body = table_schema(*spec, level_of(kind));
  for (const auto& member : body.members()) out.set(member.key, member.value);
  return out;
}

}  // namespace nimbus::registry
