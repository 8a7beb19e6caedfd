#include "registry/status/records.hpp"

#include <utility>

#include "registry/status/document.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Table;
using base::toml::TableReader;

Table condition_table(const Condition& condition) {
  Table table;
  table.set("message", bounded_text(condition.message));
  table.set("reason", bounded_text(condition.reason));
  table.set("since", time_value(condition.since));
  table.set("status", to_string(condition.value));
  return table;
}

Condition read_condition(TableReader& reader) {
  Condition condition;
  condition.message = read_text(reader, "message");
  condition.reason = read_text(reader, "reason");
  condition.since = read_time(reader, "since");
  condition.value = read_word(reader, "status", {ConditionValue::True, ConditionValue::False, ConditionValue::Unknown});
  reader.finish();
  return condition;
}

}  // namespace

void set_conditions(Table& top, const Conditions& conditions) {
  Table table;
  for (const auto& [name, condition] : conditions) table.set(name, condition_table(condition));
  if (!table.empty()) top.set("condition", std::move(table));
}

Conditions read_conditions(TableReader& top) {
  Conditions out;
  auto table = top.table("condition");
  if (!table) return out;
  for (const auto& member : table->raw().members()) {
    if (auto inner = table->table(member.key)) out[member.key] = read_condition(*inner);
  }
  return out;
}

Table drift_table(const DriftRecord& drift) {
  Table table;
  table.set("desired", bounded_text(drift.desired, kShortTextBytes));
  table.set("key", bounded_text(drift.key, kShortTextBytes));
  table.set("observed", bounded_text(drift.observed, kShortTextBytes));
  if (!drift.pending.empty()) table.set("pending", bounded_text(drift.pending, kShortTextBytes));
  return table;
}

std::vector<DriftRecord> read_drifts(TableReader& top) {
  std::vector<DriftRecord> out;
  for (auto& table : top.tables("drift")) {
    out.push_back({read_text(table, "key"), read_text(table, "desired"), read_text(table, "observed"),
                   read_optional_text(table, "pending")});
    table.finish();
  }
  return out;
}

}  // namespace nimbus::registry
