#include "registry/host/merge.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/toml/write.hpp"
#include "registry/schema/tables.hpp"
#include "registry/schema/walk.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Array;
using base::toml::Member;
using base::toml::Table;
using base::toml::Value;

void add_list(Table& into, const Member& member) {
  auto* list = into.find(member.key);
  if (list == nullptr || list->array() == nullptr) {
    into.set(member.key, member.value);
    return;
  }
  std::set<std::string> there;
  for (const auto& item : *list->array()) there.insert(base::toml::inline_text(item));
  for (const auto& item : *member.value.array()) {
    if (there.insert(base::toml::inline_text(item)).second) list->array()->push_back(item);
  }
}

void add_table(const TableSpec& spec, Table& into, const Table& from);

void add_key(const Field& row, Table& into, const Member& member) {
  auto* below = into.find(member.key);
  auto* table = below != nullptr ? below->table() : nullptr;
  const bool is_map = row.type == FieldType::StringMap || row.type == FieldType::ScalarMap;
  if (row.type == FieldType::Strings) {
    add_list(into, member);
  } else if (table != nullptr && is_map) {
    for (const auto& each : member.value.table()->members()) table->set(each.key, each.value);
  } else if (table != nullptr && row.type == FieldType::Table) {
    add_table(*row.traits.table, *table, *member.value.table());
  } else {
    into.set(member.key, member.value);
  }
}

/// Rows of `spec` that are of the kind that merges key by key.
void add_table(const TableSpec& spec, Table& into, const Table& from) {
  // Of the two that exclude each other the later one holds.
  if (spec.find("source") != nullptr && (from.find("content") != nullptr || from.find("source") != nullptr)) {
    if (spec.find("content") != nullptr) {
      into.erase("content");
      into.erase("source");
    }
  }
  for (const auto& member : from.members()) {
    if (const auto* row = spec.find(member.key)) add_key(*row, into, member);
  }
}

std::string_view name_in(const Table& row, std::string_view identity) {
  const auto* value = row.find(identity);
  return value != nullptr && value->string() != nullptr ? std::string_view(*value->string()) : std::string_view();
}

std::string_view package_name(std::string_view text) { return text.substr(0, text.find('=')); }

using Names = std::set<std::string, std::less<>>;

void erase_packages(Table& packages, std::string_view list, const Names& names) {
  auto* value = packages.find(list);
  if (value == nullptr || value->array() == nullptr) return;
  std::erase_if(*value->array(), [&](const Value& item) { return names.contains(package_name(*item.string())); });
}

/// What makes rows of a kind the same one.
std::string name_of(const Table& row, std::string_view identity) {
  return identity.empty() ? base::toml::write(row) : std::string(name_in(row, identity));
}

constexpr std::string_view kOnPaths[] = {"file", "directory", "link", "secret_file", "swap"};

}  // namespace

void MergedProfile::note(std::string_view key, std::string_view name, const std::string& file,
                         const base::toml::Span& span) {
  places_.insert_or_assign(fmt::format("{}:{}", key, name), Place{file, span});
}

Place MergedProfile::place(std::string_view key, std::string_view name) const {
  const auto found = places_.find(fmt::format("{}:{}", key, name));
  return found != places_.end() ? found->second : Place{};
}

void MergedProfile::drop_paths(const std::set<std::string, std::less<>>& paths, std::string_view except) {
  for (const auto key : kOnPaths) {
    auto* rows = table_.find(key);
    if (key == except || rows == nullptr || rows->array() == nullptr) continue;
    std::erase_if(*rows->array(), [&](const Value& row) { return paths.contains(name_in(*row.table(), "path")); });
  }
}

// A profile may have thousands of rows: none is looked for among all others.
void MergedProfile::add_rows(std::string_view key, std::string_view identity, const Array& rows,
                             const std::string& file) {
  if (table_.find(key) == nullptr) table_.set(std::string(key), Array());
  auto& into = *table_.find(key)->array();
  const auto& spec = *tables::kProfile.find(key)->traits.table;
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < into.size(); ++i) at.emplace(name_of(*into[i].table(), identity), i);
  Names names;
  for (const auto& row : rows) {
    const std::string name(name_in(*row.table(), identity));
    note(key, identity.empty() ? std::to_string(into.size()) : name, file, row.span());
    for (const auto content : {"content", "source", "key"}) {
      if (row.table()->find(content) != nullptr) note(fmt::format("{}.content", key), name, file, row.span());
    }
    names.insert(name);
    const auto [same, is_new] = at.emplace(name_of(*row.table(), identity), into.size());
    if (is_new) {
      into.push_back(row);
    } else {
      add_table(spec, *into[same->second].table(), *row.table());
    }
  }
  if (std::ranges::find(kOnPaths, key) != std::end(kOnPaths)) drop_paths(names, key);
}

void MergedProfile::add_packages(const Table& packages, const std::string& file) {
  if (table_.find("packages") == nullptr) table_.set("packages", Table());
  auto& into = *table_.find("packages")->table();
  for (const auto& list : packages.members()) {
    Names names;
    for (const auto& item : *list.value.array()) {
      const auto name = package_name(*item.string());
      note("packages", name, file, item.span());
      names.emplace(name);
    }
    erase_packages(into, list.key == "absent" ? "present" : "absent", names);
    if (list.key == "absent") erase_packages(into, "hold", names);
    erase_packages(into, list.key, names);  // of another version
    add_list(into, list);
  }
}

void MergedProfile::add(const ProfileLayer& layer) {
  for (const auto& member : layer.table.members()) {
    const auto* row = tables::kProfile.find(member.key);
    if (row == nullptr) continue;
    note(member.key, {}, layer.file, member.value.span());
    if (row->type == FieldType::Tables) {
      add_rows(member.key, row->traits.identity, *member.value.array(), layer.file);
      continue;
    }
    if (member.key == "packages") {
      add_packages(*member.value.table(), layer.file);
      continue;
    }
    if (const auto* map = member.value.table()) {
      for (const auto& each : map->members()) note(member.key, each.key, layer.file, each.value.span());
    }
    if (const auto* list = member.value.array()) {
      for (const auto& each : *list) note(member.key, *each.string(), layer.file, each.span());
    }
    add_key(*row, table_, member);
  }
}

Profile MergedProfile::profile() const {
  Profile out;
  std::vector<Problem> reported_already;
  Report unused("", reported_already);
  walk(tables::kProfile, table_, &out, kInMachine | kWithVariables, unused);
  return out;
}

}  // namespace nimbus::registry
