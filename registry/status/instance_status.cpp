#include "registry/status/instance_status.hpp"

#include "base/toml/write.hpp"
#include "registry/status/document.hpp"
#include "registry/status/records.hpp"

namespace nimbus::registry {

using base::toml::Table;
using base::toml::TableReader;

namespace {

constexpr std::size_t kMostConsoleLines = 10;

Table failed_table(const FailedResource& failed) {
  Table table;
  table.set("reason", bounded_text(failed.reason, kShortTextBytes));
  table.set("resource", bounded_text(failed.resource, kShortTextBytes));
  return table;
}

void set_configuration(Table& top, const ConfigurationRecord& record) {
  Table table;
  set_text(table, "applied_digest", record.applied_digest);
  set_text(table, "desired_digest", record.desired_digest);
  table.set("mode", record.mode);
  top.set("configuration", std::move(table));
  set_records(top, "drift", record.drifts, ConfigurationRecord::kDrifts, drift_table);
  set_records(top, "failed", record.failed, ConfigurationRecord::kFailed, failed_table);
}

void read_configuration(TableReader& top, InstanceStatus& status) {
  auto table = top.table("configuration");
  if (!table) return;
  ConfigurationRecord record;
  record.applied_digest = read_optional_text(*table, "applied_digest");
  record.desired_digest = read_optional_text(*table, "desired_digest");
  record.mode = read_text(*table, "mode");
  table->finish();
  record.drifts = read_drifts(top);
  for (auto& failed : top.tables("failed")) {
    const std::string reason = read_text(failed, "reason");
    record.failed.push_back({read_text(failed, "resource"), reason});
    failed.finish();
  }
  status.configuration = std::move(record);
}

}  // namespace

std::string_view to_string(InstancePhase phase) noexcept {
  switch (phase) {
    case InstancePhase::Pending:
      return "pending";
    case InstancePhase::Placed:
      return "placed";
    case InstancePhase::Installing:
      return "installing";
    case InstancePhase::Configuring:
      return "configuring";
    case InstancePhase::Running:
      return "running";
    case InstancePhase::Stopped:
      return "stopped";
    case InstancePhase::Releasing:
      return "releasing";
    case InstancePhase::Failed:
      return "failed";
  }
  return "";
}

std::string to_text(const InstanceStatus& status) {
  Table top;
  base::toml::Array addresses;
  for (const auto& address : status.addresses) addresses.emplace_back(bounded_text(address, kShortTextBytes));
  if (!addresses.empty()) top.set("addresses", std::move(addresses));
  base::toml::Array console;
  for (const auto& line : status.console) {
    if (console.size() < kMostConsoleLines) console.emplace_back(bounded_text(line, kShortTextBytes));
  }
  if (!console.empty()) top.set("console", std::move(console));
  set_text(top, "machine", status.machine);
  set_text(top, "message", status.message);
  top.set("phase", to_string(status.phase));
  set_text(top, "unprotected_since", status.unprotected_since);
  Table ssh;
  set_text(ssh, "command", status.ssh_command);
  set_text(ssh, "known_hosts", status.ssh_known_hosts);
  set_text(ssh, "trust", status.ssh_trust);
  if (!ssh.empty()) top.set("ssh", std::move(ssh));
  set_conditions(top, status.conditions);
  if (status.configuration) set_configuration(top, *status.configuration);
  return base::toml::write(top);
}

Result<InstanceStatus> parse_instance_status(std::string_view text, std::string_view file) {
  auto document = parse_document(text, file);
  if (!document) return std::move(document.error());
  std::vector<base::toml::Fault> faults;
  TableReader top(*document, "", faults);
  InstanceStatus status;
  using enum InstancePhase;
  status.phase =
      read_word(top, "phase", {Pending, Placed, Installing, Configuring, Running, Stopped, Releasing, Failed});
  status.addresses = top.strings("addresses").value_or(std::vector<std::string>());
  status.console = top.strings("console").value_or(std::vector<std::string>());
  status.machine = read_optional_text(top, "machine");
  status.message = read_optional_text(top, "message");
  status.unprotected_since = read_optional_text(top, "unprotected_since");
  if (auto ssh = top.table("ssh")) {
    status.ssh_command = read_optional_text(*ssh, "command");
    status.ssh_known_hosts = read_optional_text(*ssh, "known_hosts");
    status.ssh_trust = read_optional_text(*ssh, "trust");
    ssh->finish();
  }
  status.conditions = read_conditions(top);
  read_configuration(top, status);
  top.finish();
  if (auto fault = first_fault(faults, file)) return std::move(*fault);
  return status;
}

}  // namespace nimbus::registry
