// The seed of the installed system: cloud-init's NoCloud files (meta-data, user-data,
// vendor-data, network-config).
//
// What Nimbus wants (user, keys, host key) is vendor-data, so that a tenant's own
// user-data stays as it is and wins where both speak. Everything is written as JSON,
// which is YAML: no quoting can be got wrong. Thread rule: pure.
#pragma once

#include <string>
#include <vector>

#include "base/crypto/ed25519.hpp"
#include "boot/protocol/plan.hpp"

namespace nimbus::installer {

inline constexpr const char* kSeedFolder = "var/lib/cloud/seed/nocloud";

struct SeedFile {
  std::string name;
  std::string content;
  friend bool operator==(const SeedFile&, const SeedFile&) = default;
};

std::vector<SeedFile> make_seed(const boot::InstallPlan& plan, const base::Ed25519Key& host_key);

}  // namespace nimbus::installer
