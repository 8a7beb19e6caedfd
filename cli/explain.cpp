// nimbusctl explain: every key of the registry's files, from the tables that the
// parser uses.
#include <algorithm>

#include <fmt/core.h>

#include "base/args/args.hpp"
#include "base/text/text.hpp"
#include "cli/context.hpp"
#include "cli/kinds.hpp"
#include "cli/live/commands.hpp"
#include "registry/schema/documentation.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
using registry::FileKind;
using registry::KeyDocumentation;

constexpr std::size_t kWidth = 80;

Json key_json(const KeyDocumentation& key) {
  Json out = Json::object({{"key", key.path}, {"type", key.type}, {"required", key.required}, {"meaning", key.doc}});
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) out.set(name, text);
  };
  add("default", key.fallback);
  add("example", key.example);
  add("refers_to", key.refers);
  add("only_in", key.where);
  return out;
}

std::string key_text(std::string_view kind, const KeyDocumentation& key, const Console& console) {
  std::string out =
      console.paint(Style::Bold, fmt::format("{}.{}", kind, key.path)) + "\n\n" + base::wrap(key.doc, kWidth, 2) + "\n";
  const auto line = [&](const char* title, const std::string& text) {
    if (!text.empty()) out += fmt::format("  {:<9}{}\n", title, text);
  };
  line("type", key.type);
  line("required", key.required ? "yes" : "");
  line("default", key.fallback);
  line("example", key.example);
  line("names a", key.refers);
  line("only in", key.where);
  return out;
}

Listing keys_listing(const std::vector<KeyDocumentation>& keys) {
  using enum Column::When;
  Listing out{.columns = {{"KEY"}, {"TYPE", Wide}, {"DEFAULT"}, {"EXAMPLE", Wide}, {"MEANING"}}};
  for (const auto& key : keys) {
    const std::string marked = key.path + (key.required ? " *" : "");
    out.rows.push_back({.name = key.path,
                        .cells = {{marked, key.is_table ? Style::Bold : Style::Plain},
                                  {key.type},
                                  {key.fallback, Style::Dim},
                                  {key.example},
                                  {key.doc}},
                        .json = key_json(key)});
  }
  return out;
}

Listing kinds_listing() {
  Listing out{.columns = {{"KIND"}, {"FILE"}, {"MEANING"}}};
  for (const auto kind : schema_kinds()) {
    const auto about = registry::documentation(kind);
    const std::string name(registry::to_string(kind));
    out.rows.push_back({.name = name,
                        .cells = {{name, Style::Bold}, {about.path}, {about.doc}},
                        .json = Json::object({{"kind", name}, {"path", about.path}, {"meaning", about.doc}})});
  }
  return out;
}

/// Keys at `path` and below; the table itself left out.
std::vector<KeyDocumentation> keys_below(const std::vector<KeyDocumentation>& keys, const std::string& table) {
  std::vector<KeyDocumentation> out;
  std::ranges::copy_if(keys, std::back_inserter(out), [&](const KeyDocumentation& key) {
    return key.path.size() > table.size() && key.path.starts_with(table) && key.path[table.size()] == '.';
  });
  return out;
}

bool for_people(Format format) { return format == Format::Table || format == Format::Wide; }

Exit no_such_key(Context& context, const registry::KindDocumentation& about, const std::string& path) {
  std::vector<std::string> names;
  for (const auto& key : about.keys) names.push_back(key.path);
  const auto meant = base::did_you_mean(path, names);
  return fail(context, {Code::NotFound, fmt::format("a {} has no key '{}'{}", registry::to_string(about.kind), path,
                                                    meant ? "; did you mean '" + *meant + "'?" : "")});
}

}  // namespace

std::vector<FileKind> schema_kinds() {
  std::vector<FileKind> out;
  for (std::size_t i = 0; i < registry::kFileKinds; ++i) {
    if (const auto kind = static_cast<FileKind>(i); kind != FileKind::Content) out.push_back(kind);
  }
  return out;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> out;
  for (const auto kind : schema_kinds()) out.emplace_back(registry::to_string(kind));
  return out;
}

Exit run_explain(Context& context) {
  const std::string what = context.args.text("KIND[.KEY]");
  if (const auto name = context.args.get("NAME")) {
    if (what == "machine") return explain_machine(context, *name);
    if (what == "instance") return explain_instance(context, std::string(*name));
    return static_cast<Exit>(base::finish(
        base::usage_error(context.table, {"explain"}, "only machines and instances can be explained by name")));
  }
  auto& console = context.console;
  if (what.empty()) {
    console.out(render(kinds_listing(), context.format(), console));
    return Exit::Ok;
  }
  const auto dot = what.find('.');
  const std::string name = what.substr(0, dot);
  const auto kind = registry::file_kind_from(name);
  if (!kind || *kind == FileKind::Content) {
    const auto meant = base::did_you_mean(name, kind_names());
    return fail(context, {Code::NotFound, fmt::format("no kind '{}'{}; 'nimbusctl explain' lists all", name,
                                                      meant ? "; did you mean '" + *meant + "'?" : "")});
  }
  const auto about = registry::documentation(*kind);
  if (dot == std::string::npos) {
    if (for_people(context.format())) {
      console.out(console.paint(Style::Bold, name) + "  " + about.path + "\n\n" + base::wrap(about.doc, kWidth, 2) +
                  "\n");
    }
    console.out(render(keys_listing(about.keys), context.format(), console));
    if (for_people(context.format())) console.out("\n* required\n");
    return Exit::Ok;
  }
  const auto key = registry::find_key(*kind, what.substr(dot + 1));
  if (!key) return no_such_key(context, about, what.substr(dot + 1));
  if (!for_people(context.format())) {
    console.out(render_value(key_json(*key), context.format()));
    return Exit::Ok;
  }
  console.out(key_text(name, *key, console));
  const auto below = keys_below(about.keys, key->path);
  if (!below.empty()) console.out("\n" + render(keys_listing(below), context.format(), console));
  return Exit::Ok;
}

}  // namespace nimbus::cli
