#include "registry/host/variables.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/checks.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Table;
using base::toml::Value;
using Text = Result<std::string>;

Error missing(std::string message) { return {Code::NotFound, std::move(message)}; }

Text filled(const std::string& value, std::string_view what) {
  if (value.empty()) return missing(fmt::format("{} is not set", what));
  return value;
}

Text label(const std::map<std::string, std::string>& labels, std::string_view key, std::string_view whose) {
  const auto found = labels.find(std::string(key));
  if (found != labels.end()) return found->second;
  std::vector<std::string> keys;
  for (const auto& each : labels) keys.push_back(each.first);
  return missing(fmt::format("{} has no label '{}'{}", whose, base::printable(key, 80), meant(key, keys)));
}

Text of_instance(const VariableScope& scope, std::string_view) { return scope.instance.name; }
Text hostname(const VariableScope& scope, std::string_view) {
  const auto& instance = scope.instance.value;
  return instance.hostname.empty() ? scope.instance.name : instance.hostname;
}
Text tenant(const VariableScope& scope, std::string_view) { return scope.instance.tenant; }
Text provider(const VariableScope& scope, std::string_view) { return scope.instance.value.provider; }
Text region(const VariableScope& scope, std::string_view) {
  return filled(scope.provider->region, "the provider's region");
}
Text provider_label(const VariableScope& scope, std::string_view key) {
  return label(scope.provider->labels, key, fmt::format("provider '{}'", scope.instance.value.provider));
}
Text machine(const VariableScope& scope, std::string_view) { return scope.machine->id.machine; }
Text rack(const VariableScope& scope, std::string_view) {
  return filled(scope.machine->location.rack, fmt::format("the rack of machine '{}'", scope.machine->id.machine));
}
Text unit(const VariableScope& scope, std::string_view) {
  const auto& unit = scope.machine->location.unit;
  return filled(unit ? std::to_string(*unit) : std::string(),
                fmt::format("the unit of machine '{}'", scope.machine->id.machine));
}
Text machine_label(const VariableScope& scope, std::string_view key) {
  return label(scope.machine->labels, key, fmt::format("machine '{}'", scope.machine->id.machine));
}

using Of = VariableInfo::Of;

constexpr VariableInfo kVariables[] = {
    {"instance.name", "Name of the instance.", Of::Instance, of_instance},
    {"instance.hostname", "Its host name; without one its name.", Of::Instance, hostname},
    {"tenant.name", "Name of its tenant.", Of::Instance, tenant},
    {"provider.name", "Name of its provider.", Of::Instance, provider},
    {"provider.region", "Region of its provider.", Of::Provider, region},
    {"provider.labels.", "A label of its provider.", Of::Provider, provider_label},
    {"machine.name", "Name of the machine that it runs on.", Of::Machine, machine},
    {"machine.location.rack", "Rack of that machine.", Of::Machine, rack},
    {"machine.location.unit", "Unit in that rack.", Of::Machine, unit},
    {"machine.labels.", "A label of that machine.", Of::Machine, machine_label},
};

bool is_name(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/';
  });
}

std::string unknown(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& each : kVariables) {
    if (!each.name.ends_with('.')) names.emplace_back(each.name);
  }
  return fmt::format("there is no variable '{}'{}", base::printable(name, 80), meant(name, names));
}

/// The value of a name; the name in braces where it is not to be replaced.
Text value_of(std::string_view name, std::string_view spelled, const VariableScope* scope) {
  const auto* info = find_variable(name);
  if (info == nullptr) return missing(unknown(name));
  if (scope == nullptr) return std::string(spelled);
  if (scope->keep == Keep::OfMachineAndLabels && info->name.ends_with('.')) return std::string(spelled);
  const bool missing_provider = info->of == Of::Provider && scope->provider == nullptr;
  const bool missing_machine = info->of == Of::Machine && scope->machine == nullptr;
  if (scope->keep != Keep::Nothing && (missing_provider || missing_machine)) return std::string(spelled);
  if (missing_provider) return missing(fmt::format("'{}' is not known: the provider has no file", name));
  if (missing_machine) {
    return missing(fmt::format("'{}' is not known: the instance is on no machine", name));
  }
  return info->value(*scope, name.substr(std::min(info->name.size(), name.size())));
}

}  // namespace

std::span<const VariableInfo> variables() noexcept { return kVariables; }

const VariableInfo* find_variable(std::string_view name) noexcept {
  for (const auto& each : kVariables) {
    const bool open = each.name.ends_with('.');
    if (open ? name.starts_with(each.name) && name.size() > each.name.size() : name == each.name) return &each;
  }
  return nullptr;
}

namespace {

/// One piece after the other: text as it is, "{{{{", a name in braces, or "{{" that begins nothing.
struct Piece {
  enum class Kind : std::uint8_t { Plain, Braces, Name, Broken } kind = Kind::Plain;
  std::size_t offset = 0;
  std::string_view spelled, name;
};

Piece next_piece(std::string_view text, std::size_t at) {
  constexpr std::string_view kOpen = "{{", kClose = "}}", kLiteral = "{{{{";
  const auto rest = text.substr(at);
  const auto open = rest.find(kOpen);
  if (open != 0) return {Piece::Kind::Plain, at, rest.substr(0, open), {}};
  if (rest.starts_with(kLiteral)) return {Piece::Kind::Braces, at, rest.substr(0, kLiteral.size()), {}};
  const auto close = rest.find(kClose, kOpen.size());
  const auto name = close == std::string_view::npos ? std::string_view()
                                                    : base::trim(rest.substr(kOpen.size(), close - kOpen.size()));
  if (!is_name(name)) return {Piece::Kind::Broken, at, rest.substr(0, kOpen.size()), {}};
  return {Piece::Kind::Name, at, rest.substr(0, close + kClose.size()), name};
}

template <class Visit>
void for_each_piece(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const auto piece = next_piece(text, at);
    visit(piece);
    at += piece.spelled.size();
  }
}

}  // namespace

std::string replace_variables(std::string_view text, const VariableScope* scope, std::vector<VariableFault>& faults) {
  std::string out;
  for_each_piece(text, [&](const Piece& piece) {
    switch (piece.kind) {
      case Piece::Kind::Plain:
        out.append(piece.spelled);
        return;
      case Piece::Kind::Braces:
        out.append(scope != nullptr ? piece.spelled.substr(2) : piece.spelled);
        return;
      case Piece::Kind::Broken:
        faults.push_back(
            {piece.offset, "'{{' begins a variable such as {{instance.name}}; write '{{{{' for two braces"});
        out.append(piece.spelled);
        return;
      case Piece::Kind::Name:
        auto value = value_of(piece.name, piece.spelled, scope);
        if (!value) faults.push_back({piece.offset, std::move(value.error().message)});
        out.append(value ? std::string_view(*value) : piece.spelled);
    }
  });
  return out;
}

void for_each_variable(std::string_view text, const std::function<void(std::string_view)>& visit) {
  for_each_piece(text, [&](const Piece& piece) {
    if (piece.kind == Piece::Kind::Name) visit(piece.name);
  });
}

namespace {

template <class T, class V>
void visit_value(V& value, const std::function<void(T&)>& visit);

template <class T, class Members>
void visit_table(Members& table, const std::function<void(T&)>& visit) {
  for (const auto& member : table.members()) {
    if (auto* value = table.find(member.key)) visit_value<T>(*value, visit);
  }
}

template <class T, class V>
void visit_value(V& value, const std::function<void(T&)>& visit) {
  if (value.string() != nullptr) visit(value);
  if (auto* table = value.table()) visit_table<T>(*table, visit);
  if (auto* array = value.array()) {
    for (auto& item : *array) visit_value<T>(item, visit);
  }
}

bool is_template(const Table& row) {
  const auto* flag = row.find("template");
  return flag != nullptr && flag->boolean() != nullptr && *flag->boolean();
}

template <class T, class Top>
void visit_profile(Top& profile, const std::function<void(T&)>& visit) {
  for (const auto& member : profile.members()) {
    auto* value = profile.find(member.key);
    if (value->array() == nullptr) {
      visit_value<T>(*value, visit);
      continue;
    }
    for (auto& row : *value->array()) {
      auto* table = row.table();
      if (table == nullptr) {
        visit_value<T>(row, visit);
        continue;
      }
      const bool in_content = is_template(*table);
      for (const auto& key : table->members()) {
        // A certificate or a key is what it is: only files can be templates.
        if (key.key == "key" || (key.key == "content" && !in_content)) continue;
        visit_value<T>(*table->find(key.key), visit);
      }
    }
  }
}

}  // namespace

void for_each_text(Table& profile, const std::function<void(Value&)>& visit) { visit_profile<Value>(profile, visit); }
void for_each_text(const Table& profile, const std::function<void(const Value&)>& visit) {
  visit_profile<const Value>(profile, visit);
}

void report_fault(const VariableFault& fault, const Value& value, Report& report) {
  auto span = value.span();
  const auto* text = value.string();
  // In a string of one line without escapes the byte in the file follows from the byte in the text.
  const bool plain = text != nullptr && span.begin.line == span.end.line &&
                     span.end.offset - span.begin.offset == text->size() + 2 && base::is_valid_utf8(*text);
  if (plain) {
    const auto before = std::string_view(*text).substr(0, fault.offset);
    const auto characters = std::ranges::count_if(before, [](char c) { return (c & 0xC0) != 0x80; });
    span.begin.column += 1 + static_cast<std::uint32_t>(characters);
    span.begin.offset += 1 + static_cast<std::uint32_t>(fault.offset);
  }
  report.add(ProblemCode::UnknownReference, span, fault.message);
}

}  // namespace nimbus::registry
