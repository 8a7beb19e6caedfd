#include "registry/status/condition.hpp"

#include <chrono>

namespace nimbus::registry {

std::string_view to_string(ConditionValue value) noexcept {
  switch (value) {
    case ConditionValue::True:
      return "true";
    case ConditionValue::False:
      return "false";
    case ConditionValue::Unknown:
      return "unknown";
  }
  return "unknown";
}

void set_condition(Conditions& conditions, const std::string& name, ConditionValue value, std::string_view reason,
                   std::string_view message, WallTime now) {
  const auto [at, is_new] = conditions.try_emplace(name);
  auto& condition = at->second;
  if (is_new || condition.value != value || condition.reason != reason) {
    condition.since = std::chrono::floor<std::chrono::seconds>(now);
  }
  condition.value = value;
  condition.reason = reason;
  condition.message = message;
}

}  // namespace nimbus::registry
