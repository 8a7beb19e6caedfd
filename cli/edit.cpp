// nimbusctl set and nimbusctl unset: keys of registry files, changed in place.
#include <charconv>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/toml/edit.hpp"
#include "base/toml/edit_list.hpp"
#include "base/toml/toml.hpp"
#include "cli/context.hpp"
#include "cli/edited.hpp"
#include "cli/objects.hpp"
#include "registry/schema/documentation.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;
/// One value of TOML; nothing if the text is none, or more than one.
std::optional<toml::Value> toml_value(const std::string& text) {
  const auto table = toml::parse("v = " + text + "\n");
  if (!table || table->size() != 1) return std::nullopt;
  return *table->find("v");
}

struct Assignment {
  toml::KeyPath key;
  std::string value;
};
Result<Assignment> parse_assignment(const std::string& word) {
  // A quoted part of the key may hold '='.
  for (auto at = word.find('='); at != std::string::npos; at = word.find('=', at + 1)) {
    if (auto key = toml::parse_key_path(word.substr(0, at))) return Assignment{std::move(*key), word.substr(at + 1)};
  }
  return Error{Code::Invalid, "'" + base::printable(word, 200) + "' is not of the form KEY=VALUE"};
}

Result<std::string> edited(const std::string& text, const Result<toml::Edit>& edit) {
  if (!edit) return edit.error();
  return toml::applied(text, *edit);
}

std::string joined(const toml::KeyPath& key, std::size_t parts) {
  std::string out;
  for (std::size_t i = 0; i < parts; ++i) out += (i > 0 ? "." : "") + key[i];
  return out;
}

/// "hardware.disk.1.size_gib" where hardware.disk is a list of tables; nothing if no
/// part of the key is an element's number.
std::optional<toml::ListElement> element_of(registry::FileKind kind, const toml::KeyPath& key) {
  for (std::size_t parts = 1; parts < key.size(); ++parts) {
    const auto row = registry::find_key(kind, joined(key, parts));
    if (!row || !row->is_table || !row->path.ends_with("[]")) continue;
    const auto& word = key[parts];
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), index);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    const auto at = key.begin() + static_cast<std::ptrdiff_t>(parts);
    return toml::ListElement{{key.begin(), at}, index, {at + 1, key.end()}};
  }
  return std::nullopt;
}

/// Whether the key, or the table of strings that it stands in, takes text.
bool takes_text(registry::FileKind kind, const toml::KeyPath& key) {
  const auto own = registry::find_key(kind, joined(key, key.size()));
  if (own) return own->is_text;
  const auto above = registry::find_key(kind, joined(key, key.size() - 1));
  return above && above->is_text;
}

Result<toml::Edit> assignment_edit(const std::string& text, registry::FileKind kind, const Assignment& assignment) {
  const auto element = element_of(kind, assignment.key);
  toml::KeyPath row = assignment.key;
  if (element) row.erase(row.begin() + static_cast<std::ptrdiff_t>(element->list.size()));
  const auto as_toml = takes_text(kind, row) ? std::nullopt : toml_value(assignment.value);
  const toml::Value value = as_toml.value_or(toml::Value(assignment.value));
  return element ? toml::set_in_list(text, *element, value) : toml::set_key(text, assignment.key, value);
}

Result<std::string> with_assignments(std::string text, registry::FileKind kind,
                                     const std::vector<Assignment>& assignments) {
  for (const auto& assignment : assignments) {
    if (!base::is_valid_utf8(assignment.value)) return Error{Code::Invalid, "a value must be UTF-8"};
    auto next = edited(text, assignment_edit(text, kind, assignment));
    if (!next) return next;
    text = std::move(*next);
  }
  return text;
}

struct Target {
  registry::FileKind kind;
  Loaded loaded;
  std::string path;
  std::string text;
  std::vector<std::string> words;  // what follows KIND and NAME
};

Result<Target> target_of(Context& context) {
  const auto kind = registry::file_kind_from(context.args.text("KIND"));
  auto words = context.args.all("WORD");
  std::string name;
  if (!kind) return Error{Code::NotFound, "no such kind"};
  if (!has_single_file(*kind)) {
    name = words.front();
    words.erase(words.begin());
  }
  auto loaded = load_registry(context.registry_start(), {});
  if (!loaded) return std::move(loaded.error());
  if (loaded->place.folder.empty())
    return Error{Code::Invalid, "a bare repository has no files on disk: edit in a checkout, and commit"};
  auto path = find_object(*loaded, *kind, name);
  if (!path) return std::move(path.error());
  const auto text = loaded->text_of(*path);
  if (!text) return Error{Code::Invalid, base::printable(*path) + " cannot be read; 'nimbusctl validate' says why"};
  return Target{*kind, std::move(*loaded), std::move(*path), *text, std::move(words)};
}

Exit usage(Context& context, std::string_view message) {
  return static_cast<Exit>(base::finish(base::usage_error(context.table, context.args.command(), message)));
}

/// Whether a key follows KIND and NAME.
bool has_key(const Context& context) {
  const auto kind = registry::file_kind_from(context.args.text("KIND"));
  return context.args.all("WORD").size() > (kind && has_single_file(*kind) ? 0U : 1U);
}

/// Writes the text unless it brings errors.
Exit write_text(Context& context, const Target& target, const std::string& text) {
  const auto after = load_edited(target.loaded, {target.path, text});
  if (!after) return fail(context, after.error());
  if (const auto errors = new_errors(target.loaded, *after); !errors.empty()) return refuse(context, errors);
  if (text == target.text) {
    context.console.say(base::printable(target.path) + " says so already");
    return Exit::Ok;
  }
  if (auto written =
          base::write_file_atomically(target.loaded.place.folder + "/" + target.path, text, kRegistryFileMode);
      !written)
    return fail(context, written.error());
  context.console.out(base::printable(target.path) + "\n");
  return Exit::Ok;
}

}  // namespace

Exit run_set(Context& context) {
  if (!has_key(context)) return usage(context, "KEY=VALUE is missing");
  auto target = target_of(context);
  if (!target) return fail(context, target.error());
  std::vector<Assignment> assignments;
  for (const auto& word : target->words) {
    auto assignment = parse_assignment(word);
    if (!assignment) return usage(context, assignment.error().message);
    assignments.push_back(std::move(*assignment));
  }
  const auto text = with_assignments(target->text, target->kind, assignments);
  if (!text) return fail(context, Error(text.error()).with("while editing " + target->path));
  return write_text(context, *target, *text);
}

Exit run_unset(Context& context) {
  if (!has_key(context)) return usage(context, "KEY is missing");
  auto target = target_of(context);
  if (!target) return fail(context, target.error());
  std::string text = target->text;
  for (const auto& word : target->words) {
    const auto key = toml::parse_key_path(word);
    if (!key) return usage(context, key.error().message);
    const auto element = element_of(target->kind, *key);
    auto without = edited(text, element ? toml::remove_from_list(text, *element) : toml::remove_key(text, *key));
    if (!without) return fail(context, Error(without.error()).with("while editing " + target->path));
    text = std::move(*without);
  }
  return write_text(context, *target, text);
}

}  // namespace nimbus::cli
