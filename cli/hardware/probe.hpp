// Looks at everything that a Bmc offers, reading only, and says what works.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "core/identity.hpp"
#include "core/inventory.hpp"
#include "core/ports/bmc.hpp"

namespace nimbus::cli {

struct AspectReport {
  std::string aspect;
  std::string state;   // works | not offered | no licence | denied | failed
  std::string detail;  // what was read, or why not; foreign text, not yet printable
};

struct ProbeReport {
  Identity identity;
  std::vector<AspectReport> aspects;
  BmcTraits traits;
  std::optional<Inventory> inventory;
};

/// Errors: the identity could not be read (Auth, Unreachable, …): then nothing else is asked.
Result<ProbeReport> probe(Bmc& bmc, const Call& call);

/// "Maker Product", whatever of it is told.
std::string maker_and_product(const Inventory& inventory);

base::Json identity_json(const Identity& identity);
base::Json inventory_json(const Inventory& inventory);

}  // namespace nimbus::cli
