// registry.toml: what the registry says of itself.
#pragma once

#include <cstdint>
#include <string>

namespace nimbus {

struct RegistrySettings {
  std::int64_t format = 0;
  std::string name;
  std::string requires_version;  // "1.0": the least program version; empty: any
  struct Status {
    std::string branch_prefix = "nimbus/status";
    std::string repository;  // empty: this one
    friend bool operator==(const Status&, const Status&) = default;
  } status;
  friend bool operator==(const RegistrySettings&, const RegistrySettings&) = default;
};

}  // namespace nimbus
