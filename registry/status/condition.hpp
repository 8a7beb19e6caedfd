// A condition: one aspect of how something is, with a reason that programs can
// compare and a message for people. Trouble is a condition, never a phase.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace nimbus::registry {

enum class ConditionValue : std::uint8_t { True, False, Unknown };
std::string_view to_string(ConditionValue value) noexcept;

struct Condition {
  ConditionValue value = ConditionValue::Unknown;
  std::string reason;   // one CamelCase word
  std::string message;  // a sentence, or empty
  WallTime since{};     // of the last change of value or reason; whole seconds

  friend bool operator==(const Condition&, const Condition&) = default;
};

/// By name: "ready", "reachable", "identity", "drift", "hold", "maintenance", …
using Conditions = std::map<std::string, Condition>;

/// Sets the condition `name`. `since` becomes `now` only if value or reason change, so
/// that looking again changes nothing. Keep numbers that grow out of messages: each
/// new message is a new document.
void set_condition(Conditions& conditions, const std::string& name, ConditionValue value, std::string_view reason,
                   std::string_view message, WallTime now);

}  // namespace nimbus::registry
