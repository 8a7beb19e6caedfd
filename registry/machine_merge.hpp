// A machine of its provider's defaults, its class and its own file, key by key.
// Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "base/toml/value.hpp"
#include "registry/checks.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

class MachineMerge {
 public:
  /// Providers, classes and networks of `snapshot` are loaded when fill() is called.
  explicit MachineMerge(const Snapshot& snapshot) : snapshot_(snapshot) {}

  /// Fills in the value, digest and claims of `entry` from its file's table; nothing:
  /// the file could not be read.
  void fill(Entry<DesiredMachine>& entry, const std::optional<base::toml::Table>& table, Report& report);

 private:
  const DesiredMachine& prototype(const Entry<ProviderFile>* provider, const Entry<MachineClass>* of_class);
  const Entry<MachineClass>* class_of(const base::toml::Table& table, const std::string& provider,
                                      Report& report) const;

  const Snapshot& snapshot_;
  std::map<std::pair<const void*, const void*>, std::optional<DesiredMachine>> prototypes_;
};

}  // namespace nimbus::registry
