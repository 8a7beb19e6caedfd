// Variables of profiles: {{instance.name}}, {{machine.labels.rack}}, … A name stands for
// one text; there is no logic. "{{{{" stands for "{{". What was put in is not looked at
// again, so no value can bring in another variable. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml/value.hpp"
#include "core/desired/machine.hpp"
#include "core/result.hpp"
#include "registry/schema/walk.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

/// What stays as it is written, because it cannot be known yet.
enum class Keep : std::uint8_t { Nothing, OfMachine, OfMachineAndLabels };

/// Where the values come from.
struct VariableScope {
  const InstanceEntry& instance;
  const Provider* provider = nullptr;       // null: its file cannot be read
  const DesiredMachine* machine = nullptr;  // null: not placed
  Keep keep = Keep::Nothing;                // of what is not there; the rest are faults
};

struct VariableInfo {
  std::string_view name;  // "instance.name"; ending in '.': a label's key follows
  std::string_view doc;
  enum class Of : std::uint8_t { Instance, Provider, Machine } of;
  /// Errors: NotFound; the message says what is missing.
  Result<std::string> (*value)(const VariableScope& scope, std::string_view key);
};
/// All there are.
std::span<const VariableInfo> variables() noexcept;
/// Null: there is no such variable.
const VariableInfo* find_variable(std::string_view name) noexcept;

struct VariableFault {
  std::size_t offset = 0;  // bytes into the text
  std::string message;
};

/// `text` with its variables replaced. `scope` null: names are checked, and the text is
/// given back as it is. Faults are added; what they stand at stays as it is.
std::string replace_variables(std::string_view text, const VariableScope* scope, std::vector<VariableFault>& faults);

/// The names in `text` that are spelled well.
void for_each_variable(std::string_view text, const std::function<void(std::string_view name)>& visit);

/// Every text of a profile that may hold variables: all values but keys of tables and the
/// contents of files that are no templates.
void for_each_text(base::toml::Table& profile, const std::function<void(base::toml::Value&)>& visit);
void for_each_text(const base::toml::Table& profile, const std::function<void(const base::toml::Value&)>& visit);

/// Reports a fault at a value, as exact as its spelling allows.
void report_fault(const VariableFault& fault, const base::toml::Value& value, Report& report);

}  // namespace nimbus::registry
