// What the errors of a commit keep from coming into force: everything, or single
// objects with what refers to them. accept() and the plan judge by it alike.
// Thread rule: immutable; safe from any thread. The snapshot must outlive it.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "registry/dependencies.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

class Stalls {
 public:
  explicit Stalls(const Snapshot& loaded);

  /// No object has an error.
  bool none() const noexcept { return bad_.empty(); }
  /// The file whose error refuses the whole commit (registry.toml, policy/); empty: none does.
  const std::string& refused_by() const noexcept { return refused_by_; }

  /// Errors of the object's own file and of all that it refers to, its pinned machine
  /// included; empty: it comes into force.
  template <class T>
  std::vector<Problem> against(const Entry<T>& entry) const {
    if (none()) return {};
    return errors_of(dependencies(entry, loaded_));
  }
  std::vector<Problem> against(const Entry<Instance>& entry) const;

 private:
  std::vector<Problem> errors_of(const std::vector<std::string>& files) const;

  const Snapshot& loaded_;
  std::string refused_by_;
  std::unordered_set<std::string> bad_;
  std::unordered_map<std::string, const MachineEntry*> machines_;  // by id; empty if nothing is bad
};

}  // namespace nimbus::registry
