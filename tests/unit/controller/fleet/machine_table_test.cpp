#include "controller/fleet/machine_table.hpp"

#include <doctest/doctest.h>

using namespace nimbus::controller;

namespace {

std::string names_of(const MachineTable& table) {
  std::string names;
  for (const auto& [name, machine] : table) names += name + machine.stalled + " ";
  return names;
}

MachineTable::value_type row(std::string name, std::string stalled = "") {
  return {std::move(name), AcceptedMachine{nullptr, std::move(stalled), nullptr}};
}

}  // namespace

TEST_CASE("machine table: sorted however it is made, and of two of a name the later counts") {
  const auto table = MachineTable::of({row("m2", "a"), row("m1"), row("m10"), row("m2", "b")});
  CHECK(names_of(table) == "m1 m10 m2b ");
  MachineTable grown;
  for (const auto* name : {"m2", "m1", "m10", "m2"}) grown[name].stalled = "";
  CHECK(names_of(grown) == "m1 m10 m2 ");
  CHECK(MachineTable::of({}).empty());
}

TEST_CASE("machine table: what is found, and what comes after") {
  auto table = MachineTable::of({row("b"), row("d")});
  CHECK(table.find("b")->first == "b");
  for (const auto* name : {"", "a", "c", "e"}) CHECK_FALSE(table.contains(name));
  CHECK(table.upper_bound("")->first == "b");
  CHECK(table.upper_bound("b")->first == "d");
  CHECK(table.upper_bound("d") == table.end());
  table.erase("c");
  table.erase("b");
  CHECK(names_of(table) == "d ");
}

TEST_CASE("machine table: the same names, whatever is behind them") {
  const auto one = MachineTable::of({row("a"), row("b")});
  CHECK(one.has_names_of(MachineTable::of({row("b", "x"), row("a")})));
  CHECK_FALSE(one.has_names_of(MachineTable::of({row("a")})));
  CHECK_FALSE(one.has_names_of(MachineTable::of({row("a"), row("c")})));
}
