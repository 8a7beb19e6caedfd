#include "registry/status/instance_status.hpp"

#include "base/toml/write.hpp"
#include "registry/status/document.hpp"

namespace nimbus::registry {

using base::toml::Table;
using base::toml::TableReader;

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
  set_text(top, "machine", status.machine);
  set_text(top, "message", status.message);
  top.set("phase", to_string(status.phase));
  set_text(top, "unprotected_since", status.unprotected_since);
  Table ssh;
  set_text(ssh, "command", status.ssh_command);
  set_text(ssh, "known_hosts", status.ssh_known_hosts);
  set_text(ssh, "trust", status.ssh_trust);
  if (!ssh.empty()) top.set("ssh", std::move(ssh));
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
  status.machine = read_optional_text(top, "machine");
  status.message = read_optional_text(top, "message");
  status.unprotected_since = read_optional_text(top, "unprotected_since");
  if (auto ssh = top.table("ssh")) {
    status.ssh_command = read_optional_text(*ssh, "command");
    status.ssh_known_hosts = read_optional_text(*ssh, "known_hosts");
    status.ssh_trust = read_optional_text(*ssh, "trust");
    ssh->finish();
  }
  top.finish();
  if (auto fault = first_fault(faults, file)) return std::move(*fault);
  return status;
}

}  // namespace nimbus::registry
