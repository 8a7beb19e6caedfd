#include "cli/plan_facts.hpp"

#include <optional>

namespace nimbus::cli {
namespace {

std::optional<PowerState> power_from(const std::string& text) {
  for (const auto state : {PowerState::Off, PowerState::On, PowerState::PoweringOn, PowerState::PoweringOff}) {
    if (text == to_string(state)) return state;
  }
  return std::nullopt;
}

std::optional<std::int64_t> integer_at(const base::toml::Table& document, std::string_view table,
                                       std::string_view key) {
  const auto* inner = document.find(table);
  if (inner == nullptr || inner->table() == nullptr) return std::nullopt;
  const auto* value = inner->table()->find(key);
  if (value == nullptr || value->integer() == nullptr) return std::nullopt;
  return *value->integer();
}

}  // namespace

void add_facts(const ProviderView& view, registry::PlanFacts& facts) {
  for (const auto& machine : view.machines) {
    const std::string instance = text_at(machine.document, "instance");
    facts.machines[view.provider + "/" + machine.name] = {power_from(text_at(machine.document, "power")), instance};
    if (instance.empty()) continue;
    auto& known = facts.instances[instance];
    known.machine = machine.name;
    known.reinstall = integer_at(machine.document, "installed", "reinstall");
  }
  for (const auto& instance : view.instances) {
    auto& known = facts.instances[instance.id];
    if (const auto machine = text_at(instance.document, "machine"); !machine.empty()) known.machine = machine;
    known.unprotected = !text_at(instance.document, "unprotected_since").empty();
  }
}

}  // namespace nimbus::cli
