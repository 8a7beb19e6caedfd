#include "controller/fleet/machine_table.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace nimbus::controller {
namespace {

/// Where `name` is, or would be.
template <class Rows>
auto place_of(Rows& rows, std::string_view name) noexcept {
  return std::ranges::lower_bound(rows, name, std::less<>(), &MachineTable::value_type::first);
}

}  // namespace

MachineTable MachineTable::of(Rows rows) {
  if (!std::ranges::is_sorted(rows, {}, &value_type::first)) std::ranges::stable_sort(rows, {}, &value_type::first);
  // Backwards, so that the last of its name is the one that stays.
  const auto kept = std::unique(rows.rbegin(), rows.rend(),
                                [](const value_type& a, const value_type& b) { return a.first == b.first; });
  rows.erase(rows.begin(), kept.base());
  MachineTable out;
  out.rows_ = std::move(rows);
  return out;
}

MachineTable::const_iterator MachineTable::find(std::string_view name) const noexcept {
  const auto at = place_of(rows_, name);
  return at != rows_.end() && at->first == name ? at : rows_.end();
}

MachineTable::iterator MachineTable::find(std::string_view name) noexcept {
  const auto at = place_of(rows_, name);
  return at != rows_.end() && at->first == name ? at : rows_.end();
}

const AcceptedMachine& MachineTable::at(std::string_view name) const {
  const auto found = find(name);
  if (found == rows_.end()) throw std::out_of_range("no machine " + std::string(name));
  return found->second;
}

MachineTable::const_iterator MachineTable::upper_bound(std::string_view name) const noexcept {
  return std::ranges::upper_bound(rows_, name, std::less<>(), &value_type::first);
}

AcceptedMachine& MachineTable::operator[](std::string_view name) {
  auto at = place_of(rows_, name);
  if (at == rows_.end() || at->first != name) at = rows_.emplace(at, std::string(name), AcceptedMachine{});
  return at->second;
}

void MachineTable::erase(std::string_view name) {
  if (const auto at = find(name); at != rows_.end()) rows_.erase(at);
}

bool MachineTable::has_names_of(const MachineTable& other) const noexcept {
  return std::ranges::equal(rows_, other.rows_, {}, &value_type::first, &value_type::first);
}

}  // namespace nimbus::controller
