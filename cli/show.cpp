// nimbusctl show and nimbusctl provider: objects of the registry, merged, and where
// each value comes from.
#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"
#include "cli/context.hpp"
#include "cli/conversion.hpp"
#include "cli/kinds.hpp"
#include "cli/loaded.hpp"
#include "cli/objects.hpp"
#include "registry/schema/documentation.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
using registry::FileKind;
namespace toml = base::toml;

/// A value with the file that it comes from; no file: the format's default.
struct Origin {
  toml::Value value;
  std::string file;
  std::uint32_t line = 0;
};
using Values = std::map<std::string, Origin>;

/// One line of TOML.
std::string value_text(const toml::Value& value) {
  toml::Table table;
  table.set("v", value);
  std::string text = toml::write(table);
  if (value.table() != nullptr || text.find('\n') + 1 != text.size()) return to_json(value).text();
  return text.substr(4, text.size() - 5);
}

/// The key that cannot hold beside this one; empty: none.
std::string alternative_to(const std::string& key) {
  if (key == "bmc.tls.pin") return "bmc.tls.ca";
  return key == "bmc.tls.ca" ? "bmc.tls.pin" : "";
}

/// Leaves of `table` by dotted key, over what is there already. A list replaces a list.
void lay_over(const toml::Table& table, const std::string& prefix, const std::string& file, Values& values) {
  for (const auto& member : table.members()) {
    const std::string key = prefix.empty() ? member.key : prefix + "." + member.key;
    if (const auto* inner = member.value.table(); inner != nullptr && !inner->empty()) {
      lay_over(*inner, key, file, values);
    } else {
      // Of these one holds; what a higher file says takes the place of the other.
      if (const std::string other = alternative_to(key); !other.empty()) {
        const auto lower = values.find(other);
        if (lower != values.end() && lower->second.file != file) values.erase(lower);
      }
      values.insert_or_assign(key, Origin{member.value, file, member.key_span.begin.line});
    }
  }
}

/// Keys of [bmc] that only one driver has: a default that does not fit is dropped.
void drop_misfits(Values& lower, const std::string& driver) {
  for (const char* key : {"bmc.tls", "bmc.system"}) {
    if (driver == "ipmi")
      std::erase_if(lower, [&](const auto& entry) {
        return entry.first == key || entry.first.starts_with(std::string(key) + ".");
      });
  }
  for (const char* key : {"bmc.cipher_suite", "bmc.privilege"}) {
    if (driver == "redfish") lower.erase(key);
  }
}

std::optional<toml::Table> table_of(const Loaded& loaded, const std::string& path) {
  const auto text = loaded.text_of(path);
  if (!text) return std::nullopt;
  auto table = toml::parse(*text);
  if (!table) return std::nullopt;
  return std::move(*table);
}

Values machine_values(const Loaded& loaded, const registry::PathInfo& info, const std::string& path,
                      const toml::Table& own) {
  Values lower;
  const std::string folder = "providers/" + std::string(info.provider) + "/";
  if (const auto provider = table_of(loaded, folder + "provider.toml")) {
    if (const auto* defaults = provider->find("defaults"); defaults != nullptr && defaults->table() != nullptr) {
      lay_over(*defaults->table(), {}, folder + "provider.toml", lower);
    }
  }
  const auto* class_name = own.find("class");
  if (class_name != nullptr && class_name->string() != nullptr) {
    const std::string file = folder + "classes/" + *class_name->string() + ".toml";
    if (const auto table = table_of(loaded, file)) {
      // Labels and description of a class are its machines' too; the loader merges them alike.
      lay_over(*table, {}, file, lower);
    }
  }
  Values all = lower;
  lay_over(own, {}, path, all);
  const auto driver = all.find("bmc.driver");
  if (driver != all.end() && driver->second.value.string() != nullptr) {
    drop_misfits(lower, *driver->second.value.string());
    all = lower;
    lay_over(own, {}, path, all);
  }
  return all;
}

void add_fallbacks(FileKind kind, Values& values) {
  Values fallbacks;
  for (const auto& key : registry::documentation(kind).keys) {
    if (key.fallback.empty() || key.path.find_first_of("[<") != std::string::npos || values.contains(key.path))
      continue;
    const auto parsed = toml::parse("v = " + key.fallback + "\n");
    fallbacks.emplace(key.path, Origin{parsed ? *parsed->find("v") : toml::Value(key.fallback), {}, 0});
  }
  const auto driver = values.find("bmc.driver");
  if (driver != values.end() && driver->second.value.string() != nullptr)
    drop_misfits(fallbacks, *driver->second.value.string());
  values.merge(fallbacks);
}

Listing values_listing(const Values& values, bool with_origin) {
  Listing out{.columns = {{"KEY"}, {"VALUE"}}};
  if (with_origin) out.columns.push_back({"ORIGIN"});
  for (const auto& [key, origin] : values) {
    const std::string from = origin.file.empty() ? "default" : fmt::format("{}:{}", origin.file, origin.line);
    Row row{.name = key, .cells = {{key}, {value_text(origin.value), origin.file.empty() ? Style::Dim : Style::Plain}}};
    row.json = Json::object({{"key", key}, {"value", to_json(origin.value)}});
    if (with_origin) {
      row.cells.push_back({from, Style::Dim});
      row.json.set("origin", from);
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

void warn_about_problems(Context& context, const Loaded& loaded, const std::string& path) {
  const auto count = std::ranges::count(loaded.result.problems, path, &registry::Problem::file);
  if (count > 0)
    context.console.warning(fmt::format("{} has {} problems; 'nimbusctl validate' names them", path, count));
}

/// The registry that -C and --rev mean.
Result<Loaded> load_for(Context& context) { return load_registry(context.registry_start(), context.args.text("rev")); }

}  // namespace

Exit run_show(Context& context) {
  const auto kind = registry::file_kind_from(context.args.text("KIND"));
  if (!kind) return Exit::NotFound;
  auto loaded = load_for(context);
  if (!loaded) return fail(context, loaded.error());
  const auto found = find_object(*loaded, *kind, context.args.text("NAME"));
  if (!found) return fail(context, found.error());
  const std::string& path = *found;
  const auto own = table_of(*loaded, path);
  if (!own) return fail(context, {Code::Invalid, path + " cannot be read; 'nimbusctl validate' says why"});
  Values values;
  if (*kind == FileKind::Machine) {
    values = machine_values(*loaded, registry::classify(path).info, path, *own);
  } else {
    lay_over(*own, {}, path, values);
  }
  if (!context.args.flag("set-only")) add_fallbacks(*kind, values);
  context.console.out(render(values_listing(values, context.args.flag("origin")), context.format(), context.console));
  warn_about_problems(context, *loaded, path);
  return Exit::Ok;
}

namespace {

struct ProviderCounts {
  std::size_t machines = 0, classes = 0, networks = 0, instances = 0;
};

ProviderCounts count_of(const registry::Snapshot& snapshot, const std::string& provider) {
  const auto of_provider = [&](const auto& entry) { return entry->provider == provider; };
  return {static_cast<std::size_t>(std::ranges::count_if(snapshot.machines, of_provider)),
          static_cast<std::size_t>(std::ranges::count_if(snapshot.classes, of_provider)),
          static_cast<std::size_t>(std::ranges::count_if(snapshot.networks, of_provider)),
          static_cast<std::size_t>(std::ranges::count_if(
              snapshot.instances, [&](const auto& entry) { return entry->value.provider == provider; }))};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

Json list_json(const std::vector<std::string>& words) {
  Json out = Json::array();
  for (const auto& word : words) out.push(word);
  return out;
}

Row provider_row(const registry::Snapshot& snapshot, const registry::Entry<registry::ProviderFile>& entry) {
  const auto& provider = entry.value.provider;
  const ProviderCounts counts = count_of(snapshot, entry.provider);
  Json labels = Json::object();
  for (const auto& [key, value] : provider.labels) labels.set(key, value);
  return {.name = entry.provider,
          .cells = {{entry.provider},
                    {provider.region},
                    {std::to_string(counts.machines)},
                    {std::to_string(counts.instances)},
                    {std::to_string(counts.classes)},
                    {std::to_string(counts.networks)},
                    {provider.tenants.empty() ? "none" : joined(provider.tenants)},
                    {provider.description}},
          .json = Json::object({{"name", entry.provider},
                                {"region", provider.region},
                                {"description", provider.description},
                                {"labels", labels},
                                {"tenants", list_json(provider.tenants)},
                                {"api", provider.api},
                                {"controller_keys", list_json(provider.controller_keys)},
                                {"machines", counts.machines},
                                {"instances", counts.instances},
                                {"classes", counts.classes},
                                {"networks", counts.networks},
                                {"path", entry.path}})};
}

}  // namespace

Exit run_provider_list(Context& context) {
  auto loaded = load_for(context);
  if (!loaded) return fail(context, loaded.error());
  using enum Column::When;
  Listing listing{.columns = {{"PROVIDER"},
                              {"REGION"},
                              {"MACHINES"},
                              {"INSTANCES"},
                              {"CLASSES", Wide},
                              {"NETWORKS", Wide},
                              {"TENANTS"},
                              {"DESCRIPTION"}}};
  const auto& snapshot = *loaded->result.snapshot;
  for (const auto& entry : snapshot.providers) listing.rows.push_back(provider_row(snapshot, *entry));
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

Exit run_provider_describe(Context& context) {
  auto loaded = load_for(context);
  if (!loaded) return fail(context, loaded.error());
  const auto& snapshot = *loaded->result.snapshot;
  const std::string name = context.args.text("PROVIDER");
  const auto* entry = registry::find_provider(snapshot, name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const auto& each : snapshot.providers) names.push_back(each->provider);
    const auto meant = base::did_you_mean(name, names);
    return fail(context, {Code::NotFound,
                          fmt::format("no provider '{}'{}", name, meant ? "; did you mean '" + *meant + "'?" : "")});
  }
  Row row = provider_row(snapshot, *entry);
  Json machines = Json::array();
  Listing table{.columns = {{"MACHINE"}, {"CLASS"}, {"POWER"}, {"ENFORCEMENT"}, {"LIFECYCLE"}, {"DESCRIPTION"}}};
  for (const auto& machine : snapshot.machines) {
    if (machine->provider != name) continue;
    const auto& value = machine->value;
    machines.push(machine->id());
    table.rows.push_back({.name = machine->id(),
                          .cells = {{machine->name},
                                    {value.class_name},
                                    {std::string(to_string(value.power))},
                                    {std::string(to_string(value.enforcement))},
                                    {std::string(name_of(value.lifecycle.state))},
                                    {value.description}}});
  }
  row.json.set("machine_names", machines);
  const Format format = context.format();
  if (format != Format::Table && format != Format::Wide) {
    context.console.out(format == Format::Name ? name + "\n" : render_value(row.json, format));
    return Exit::Ok;
  }
  Listing head{.columns = {{"PROVIDER"}, {name}}};
  for (const auto& member : row.json.members()) {
    if (member.key == "name" || member.key == "machine_names" ||
        (member.value.size() == 0 && (member.value.is_array() || member.value.is_object())))
      continue;
    if (member.value.is_array()) {
      std::vector<std::string> words;
      for (const auto& item : member.value.items()) words.emplace_back(item.as_string().value_or(""));
      head.rows.push_back({.cells = {{member.key, Style::Dim}, {joined(words)}}});
      continue;
    }
    const auto text = member.value.as_string();
    if (text && text->empty()) continue;
    head.rows.push_back({.cells = {{member.key, Style::Dim}, {text ? std::string(*text) : member.value.text()}}});
  }
  context.console.out(render(head, format, context.console) + "\n" + render(table, format, context.console));
  return Exit::Ok;
}

}  // namespace nimbus::cli
