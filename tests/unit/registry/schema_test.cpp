#include <set>

#include "base/toml/toml.hpp"
#include "registry/schema/documentation.hpp"
#include "registry/schema/field.hpp"
#include "registry/schema/json_schema.hpp"
#include "support/broken.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;
using base::Json;

namespace {

Json to_json(const base::toml::Value& value);

Json to_json(const base::toml::Table& table) {
  Json out = Json::object();
  for (const auto& member : table.members()) out.set(member.key, to_json(member.value));
  return out;
}

Json to_json(const base::toml::Value& value) {
  if (const auto* text = value.string()) return *text;
  if (const auto* number = value.integer()) return *number;
  if (const auto* real = value.floating()) return *real;
  if (const auto* truth = value.boolean()) return *truth;
  if (const auto* when = value.datetime()) return when->text();
  if (const auto* table = value.table()) return to_json(*table);
  Json out = Json::array();
  for (const auto& item : *value.array()) out.push(to_json(item));
  return out;
}

std::vector<FileKind> kinds() {
  std::vector<FileKind> out;
  for (std::size_t i = 0; i < kFileKinds; ++i) {
    if (static_cast<FileKind>(i) != FileKind::Content) out.push_back(static_cast<FileKind>(i));
  }
  return out;
}

}  // namespace

TEST_CASE("every file of the example fits its JSON Schema") {
  for (const auto& [path, text] : example().files) {
    const auto verdict = classify(path);
    if (verdict.kind != PathVerdict::Kind::Known || verdict.info.kind == FileKind::Content) continue;
    const auto table = base::toml::parse(text);
    REQUIRE(table.has_value());
    const auto valid = base::validate_json_schema(json_schema(verdict.info.kind), to_json(*table));
    CHECK_MESSAGE(valid.has_value(), path << ": " << (valid ? "" : valid.error().message));
  }
}

TEST_CASE("what the field tables refuse, the schemas refuse too") {
  using enum ProblemCode;
  const std::set<ProblemCode> of_schema = {UnknownKey, MisplacedKey, MissingKey,   WrongType,
                                           NotAllowed, OutOfRange,   DuplicateItem};
  int checked = 0;
  for (const auto& variant : variants()) {
    if (!of_schema.contains(variant.code) || !variant.in.empty()) continue;
    const auto source = broken(variant);
    const auto kind = classify(variant.file).info.kind;
    const auto table = base::toml::parse(source.files.at(variant.file));
    REQUIRE(table.has_value());
    // Rules beyond one table row are the loader's alone.
    if (variant.code == OutOfRange && variant.to.find("cipher_suite") != std::string::npos) continue;
    if (variant.code == DuplicateItem && variant.to.find("[[") != std::string::npos) continue;
    if (variant.code == MissingKey && variant.file == "profiles/web.toml") continue;  // of all profiles together
    ++checked;
    CHECK_MESSAGE(!base::validate_json_schema(json_schema(kind), to_json(*table)).has_value(),
                  variant.file << " " << variant.to);
  }
  CHECK(checked >= 20);
}

TEST_CASE("schemas are Draft 4 and every kind has one") {
  for (const auto kind : kinds()) {
    const auto schema = json_schema(kind);
    CHECK(schema["$schema"].as_string() == "http://json-schema.org/draft-04/schema#");
    CHECK(base::validate_json_schema(schema, Json::object()).has_value() == (schema.find("required") == nullptr));
  }
  CHECK(json_schema(FileKind::Content).is_null());
}

TEST_CASE("every key is documented; its example and default are accepted by its own rules") {
  for (const auto kind : kinds()) {
    const auto page = documentation(kind);
    CHECK_FALSE(page.doc.empty());
    std::set<std::string> paths;
    for (const auto& key : page.keys) {
      CAPTURE(key.path);
      CHECK(paths.insert(key.path).second);
      CHECK(key.doc.ends_with("."));
      CHECK_FALSE(key.type.empty());
      if (!key.is_table) CHECK_FALSE(key.example.empty());
      for (const auto& text : {key.example, key.fallback}) {
        if (!text.empty()) CHECK_MESSAGE(base::toml::parse("x = " + text).has_value(), text);
      }
    }
  }
}

TEST_CASE("a key is found by its plain path") {
  CHECK(find_key(FileKind::Machine, "bmc.address")->where == "machine");
  CHECK(find_key(FileKind::Machine, "hardware.disk.size_gib")->path == "hardware.disk[].size_gib");
  CHECK(find_key(FileKind::Provider, "defaults.bmc.driver"));
  CHECK_FALSE(find_key(FileKind::Class, "bmc.address"));
  CHECK(find_key(FileKind::Roles, "role.change")->required);
  CHECK_FALSE(find_key(FileKind::Machine, "nothing"));
}
