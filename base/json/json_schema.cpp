#include "base/json/rapidjson_guard.hpp"

#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <fmt/format.h>

#include "base/json/json.hpp"

namespace nimbus::base {
namespace {

std::string pointer_text(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.StringifyUriFragment(buffer);
  return {buffer.GetString(), buffer.GetSize()};
}

rapidjson::Document to_document(const Json& json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.text());
  return document;
}

}  // namespace

Result<> validate_json_schema(const Json& schema, const Json& document) {
  if (!schema.is_object()) return Error{Code::Internal, "the schema is no JSON object"};
  try {
    const rapidjson::Document schema_tree = to_document(schema);
    const rapidjson::SchemaDocument compiled(schema_tree);
    rapidjson::SchemaValidator validator(compiled);
    const rapidjson::Document tree = to_document(document);
    if (tree.Accept(validator)) return {};
    return Error{Code::Invalid,
                 fmt::format("{} breaks '{}' of the schema at {}", pointer_text(validator.GetInvalidDocumentPointer()),
                             validator.GetInvalidSchemaKeyword(), pointer_text(validator.GetInvalidSchemaPointer()))};
  } catch (const std::logic_error& error) {
    return Error{Code::Internal, fmt::format("the schema cannot be used: {}", error.what())};
  }
}

}  // namespace nimbus::base
