// The accepted machines of a provider by name: a sorted vector, as there is a new one
// with each commit, most of it copied from the one before and read from end to end.
//
// Used like a std::map. Adding in the order of names is cheap, any other way is not:
// build a large one with of(). Thread rule: a value.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"

namespace nimbus::controller {

struct AcceptedMachine {
  std::shared_ptr<const DesiredMachine> desired;
  /// Why the newest version of this machine is not in force; empty: it is.
  std::string stalled;
  /// That runs on it; null: none is placed here.
  std::shared_ptr<const Instance> instance;
};

class MachineTable {
 public:
  using value_type = std::pair<std::string, AcceptedMachine>;
  using Rows = std::vector<value_type>;
  using iterator = Rows::iterator;
  using const_iterator = Rows::const_iterator;

  /// Rows in any order; of two of the same name the later one counts.
  static MachineTable of(Rows rows);

  const_iterator begin() const noexcept { return rows_.begin(); }
  const_iterator end() const noexcept { return rows_.end(); }
  iterator begin() noexcept { return rows_.begin(); }
  iterator end() noexcept { return rows_.end(); }
  std::size_t size() const noexcept { return rows_.size(); }
  bool empty() const noexcept { return rows_.empty(); }

  const_iterator find(std::string_view name) const noexcept;
  iterator find(std::string_view name) noexcept;
  bool contains(std::string_view name) const noexcept { return find(name) != end(); }
  /// Throws std::out_of_range if it is not there.
  const AcceptedMachine& at(std::string_view name) const;
  /// The first row whose name comes after `name`.
  const_iterator upper_bound(std::string_view name) const noexcept;
  /// Added if it is not there.
  AcceptedMachine& operator[](std::string_view name);
  void erase(std::string_view name);

  /// No machine is in one of them only.
  bool has_names_of(const MachineTable& other) const noexcept;

 private:
  Rows rows_;
};

}  // namespace nimbus::controller
