#include "simulator/faults/fault.hpp"

#include <fmt/format.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::simulator {
namespace {

namespace toml = base::toml;

struct Name {
  FaultKind kind;
  std::string_view text;
};
constexpr Name kNames[] = {
    {FaultKind::Drop, "drop"},
    {FaultKind::Delay, "delay"},
    {FaultKind::Drip, "drip"},
    {FaultKind::Truncate, "truncate"},
    {FaultKind::Garbage, "garbage"},
    {FaultKind::Status, "status"},
    {FaultKind::CompletionCode, "completion-code"},
    {FaultKind::Duplicate, "duplicate"},
    {FaultKind::Lie, "lie"},
    {FaultKind::Stale, "stale"},
    {FaultKind::NoSessions, "no-sessions"},
    {FaultKind::RestartBmc, "restart-bmc"},
    {FaultKind::PurgeTasks, "purge-tasks"},
    {FaultKind::NewCertificate, "new-certificate"},
};

void read_duration(toml::TableReader& table, std::string_view key, std::chrono::milliseconds& into) {
  const auto text = table.string(key);
  if (!text) return;
  if (const auto parsed = base::parse_duration(*text)) {
    into = *parsed;
  } else {
    table.fault(key, fmt::format("'{}' must be a duration such as \"2s\" or \"500ms\"", key));
  }
}

toml::Value to_toml(const base::Json& json) {
  switch (json.kind()) {
    case base::Json::Kind::Bool:
      return *json.as_bool();
    case base::Json::Kind::Int:
      return *json.as_int();
    case base::Json::Kind::Double:
      return *json.as_double();
    case base::Json::Kind::String:
      return std::string(*json.as_string());
    case base::Json::Kind::Array: {
      toml::Array out;
      for (const auto& item : json.items()) out.push_back(to_toml(item));
      return out;
    }
    case base::Json::Kind::Object:
    case base::Json::Kind::Null:
      break;
  }
  return toml::Table();  // no key wants a table: the reader says so
}

std::string join(const std::vector<toml::Fault>& faults, std::string_view file_name) {
  std::string out;
  for (const auto& fault : faults) {
    if (!out.empty()) out += '\n';
    out += file_name.empty() ? fault.message
                             : fmt::format("{}:{}:{}: {}", file_name, fault.at.line, fault.at.column, fault.message);
  }
  return out;
}

}  // namespace

std::string_view to_string(FaultKind kind) noexcept {
  for (const auto& name : kNames) {
    if (name.kind == kind) return name.text;
  }
  return "drop";
}

bool is_event(FaultKind kind) noexcept {
  return kind == FaultKind::RestartBmc || kind == FaultKind::PurgeTasks || kind == FaultKind::NewCertificate;
}

FaultRule read_fault(toml::TableReader& table) {
  FaultRule rule;
  std::vector<std::string> kinds;
  for (const auto& name : kNames) kinds.emplace_back(name.text);
  const auto kind = table.require("kind").choice("kind", kinds);
  for (const auto& name : kNames) {
    if (kind == name.text) rule.kind = name.kind;
  }
  rule.machines = table.strings("machines").value_or(std::vector<std::string>{});
  const auto side = table.choice("side", {"both", "ipmi", "redfish"}).value_or("both");
  rule.side = side == "ipmi" ? FaultSide::Ipmi : side == "redfish" ? FaultSide::Redfish : FaultSide::Both;
  rule.method = table.string("method").value_or("");
  rule.path = table.string("path").value_or("*");
  rule.percent = table.number("percent").value_or(100);
  if (rule.percent <= 0 || rule.percent > 100) table.fault("percent", "'percent' must be above 0 and at most 100");
  if (const auto count = table.integer("count", 1)) rule.count = static_cast<std::uint64_t>(*count);
  read_duration(table, "after", rule.after);
  std::chrono::milliseconds lasts{0};
  read_duration(table, "for", lasts);
  if (lasts.count() > 0) rule.lasts = lasts;
  read_duration(table, "delay", rule.delay);
  read_duration(table, "away", rule.away);
  rule.status = static_cast<int>(table.integer("status", 400, 599).value_or(503));
  if (const auto seconds = table.integer("retry_after", 0, 86'400)) rule.retry_after = static_cast<int>(*seconds);
  rule.completion_code = static_cast<std::uint8_t>(table.integer("completion_code", 1, 255).value_or(0xc0));
  rule.bytes = static_cast<std::size_t>(table.integer("bytes", 0, 1'000'000).value_or(20));
  table.finish();
  return rule;
}

Result<std::vector<FaultRule>> parse_fault_script(std::string_view text, std::string_view file_name) {
  auto root = toml::parse(text);
  if (!root) {
    return Error{Code::Invalid, fmt::format("{}:{}:{}: {}", file_name, root.error().at.line, root.error().at.column,
                                            root.error().message)};
  }
  std::vector<toml::Fault> faults;
  toml::TableReader top(*root, "", faults);
  std::vector<FaultRule> rules;
  for (auto& table : top.tables("fault")) rules.push_back(read_fault(table));
  top.finish();
  if (!faults.empty()) return Error{Code::Invalid, join(faults, file_name)};
  return rules;
}

Result<FaultRule> parse_fault(const base::Json& json) {
  toml::Table table;
  for (const auto& [key, value] : json.members()) table.set(key, to_toml(value));
  std::vector<toml::Fault> faults;
  toml::TableReader reader(table, "", faults);
  FaultRule rule = read_fault(reader);
  if (!faults.empty()) return Error{Code::Invalid, join(faults, "")};
  return rule;
}

bool matches(std::string_view pattern, std::string_view text) noexcept {
  // The classic two-pointer walk: on a mismatch the last star takes one more character.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace nimbus::simulator
