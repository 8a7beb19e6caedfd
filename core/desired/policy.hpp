// policy/: who may do what, and how much at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace nimbus {

/// When something disruptive may start. `from` and `to` are "HH:MM" of the zone; a
/// window whose end is not after its begin ends on the next day.
struct Window {
  std::vector<std::string> days;  // "mon" … "sun"; empty: every day
  std::string from, to, timezone = "Etc/UTC";
  friend bool operator==(const Window&, const Window&) = default;
};

struct Limits {
  bool require_signatures = false;
  struct Disruption {  // per provider, at the same time
    std::optional<std::int64_t> machines_rebooting, machines_installing;
    friend bool operator==(const Disruption&, const Disruption&) = default;
  } disruption;
  struct Destructive {  // per provider; the smaller of count and percent, at least 1
    std::int64_t count = 1;
    std::int64_t percent = 10;
    std::chrono::milliseconds per = std::chrono::hours{24};
    friend bool operator==(const Destructive&, const Destructive&) = default;
  } destructive;
  std::vector<Window> windows;  // none: always
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Tenant {
  std::string name;
  struct Quota {
    std::optional<std::int64_t> instances, cpu_cores, memory_gib;
    friend bool operator==(const Quota&, const Quota&) = default;
  } quota;
  std::vector<std::string> providers;  // names, or "*"
  friend bool operator==(const Tenant&, const Tenant&) = default;
};

struct Person {
  std::string id;  // from the path
  std::string name;
  std::vector<std::string> ssh_keys;
  friend bool operator==(const Person&, const Person&) = default;
};

struct Role {
  std::vector<std::string> change;  // path patterns; {scope} is the binding's scope
  friend bool operator==(const Role&, const Role&) = default;
};
struct Roles {
  std::map<std::string, Role> roles;
  friend bool operator==(const Roles&, const Roles&) = default;
};

struct Binding {
  std::string role, scope;
  std::vector<std::string> people;
  friend bool operator==(const Binding&, const Binding&) = default;
};
struct Bindings {
  std::vector<Binding> bindings;
  friend bool operator==(const Bindings&, const Bindings&) = default;
};

/// Of one held plan, named by the plan's digest.
struct Approval {
  std::string digest;
  std::string reason;
  WallTime expires{};
  friend bool operator==(const Approval&, const Approval&) = default;
};

}  // namespace nimbus
