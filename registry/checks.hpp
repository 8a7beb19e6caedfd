// Rules about one file that its field table cannot say. Internal to registry/.
// `table` is the file's own table, for places. Pure.
#pragma once

#include "registry/schema/walk.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

void check(const Entry<RegistrySettings>& entry, const base::toml::Table& table, Report& report);
void check(const Entry<Network>& entry, const base::toml::Table& table, Report& report);
void check(const Entry<Image>& entry, const base::toml::Table& table, Report& report);
/// Its table is in the entry.
void check(const Entry<ProfileFile>& entry, Report& report);
void check(const Entry<Instance>& entry, const base::toml::Table& table, Report& report);
void check(const Entry<Limits>& entry, const base::toml::Table& table, Report& report);
inline void check(const Entry<Roles>&, const base::toml::Table&, Report&) {}
inline void check(const Entry<Bindings>&, const base::toml::Table&, Report&) {}
inline void check(const Entry<Approval>&, const base::toml::Table&, Report&) {}
inline void check(const Entry<Tenant>&, const base::toml::Table&, Report&) {}
inline void check(const Entry<Person>&, const base::toml::Table&, Report&) {}

/// A machine after its class and the provider's defaults were merged in: drops
/// defaults that do not fit its driver, and reports what the machine itself says
/// that does not. `network` is the one that it boots from, null if there is none.
void finish_machine(DesiredMachine& machine, const base::toml::Table& own, const Entry<Network>* network,
                    const Snapshot& snapshot, Report& report);

/// A layer says how a BMC is trusted: pin or ca, not both.
void check_trust(const base::toml::Table& layer, std::string_view where, Report& report);

/// What a layer says of trust replaces what the layers below it say.
void layer_trust(const base::toml::Table& layer, TlsTrust& tls);

/// The span of "network.1.name": keys, and indices of arrays, with dots between.
base::toml::Span span_at(const base::toml::Table& root, std::string_view key_path);

/// "; did you mean 'x'?" or nothing.
std::string meant(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace nimbus::registry
