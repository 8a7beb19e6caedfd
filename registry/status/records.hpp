// Records that documents of different kinds have: conditions and drifts, to TOML and back.
// For the sources of this folder only.
#pragma once

#include <vector>

#include "base/toml/reader.hpp"
#include "base/toml/value.hpp"
#include "registry/status/condition.hpp"
#include "registry/status/drift_record.hpp"

namespace nimbus::registry {

/// Sets `key` to a list of at most `most` tables, unless it is empty.
template <class Record, class Write>
void set_records(base::toml::Table& table, const char* key, const std::vector<Record>& records, std::size_t most,
                 const Write& write) {
  base::toml::Array array;
  for (const auto& record : records) {
    if (array.size() == most) break;
    array.emplace_back(write(record));
  }
  if (!array.empty()) table.set(key, std::move(array));
}

void set_conditions(base::toml::Table& top, const Conditions& conditions);
Conditions read_conditions(base::toml::TableReader& top);

base::toml::Table drift_table(const DriftRecord& drift);
std::vector<DriftRecord> read_drifts(base::toml::TableReader& top);

}  // namespace nimbus::registry
