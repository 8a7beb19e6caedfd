#include "registry/status/machine_status.hpp"

#include <algorithm>
#include <utility>

#include "base/toml/write.hpp"
#include "registry/status/document.hpp"
#include "registry/status/hardware_table.hpp"
#include "registry/status/records.hpp"

namespace nimbus::registry {
namespace {

using base::toml::Array;
using base::toml::Table;
using base::toml::TableReader;
using Outcome = RunRecordOutcome;

constexpr std::string_view kUnknownPower = "unknown";

Table erase_table(const EraseRecord& erase) {
  Table table;
  table.set("disk", bounded_text(erase.disk, kShortTextBytes));
  table.set("level", bounded_text(erase.level, kShortTextBytes));
  table.set("method", bounded_text(erase.method, kShortTextBytes));
  table.set("verified", erase.verified);
  table.set("when", time_value(erase.when));
  return table;
}

Table check_table(const CheckRecord& check) {
  Table table;
  if (!check.detail.empty()) table.set("detail", bounded_text(check.detail));
  table.set("result", bounded_text(check.result, kShortTextBytes));
  table.set("what", bounded_text(check.what, kShortTextBytes));
  return table;
}

Table run_table(const RunRecord& run) {
  Table table;
  table.set("action", bounded_text(run.action));
  table.set("commit", bounded_text(run.commit));
  if (run.finished) table.set("finished", time_value(*run.finished));
  set_text(table, "message", run.message);
  table.set("outcome", to_string(run.outcome));
  table.set("started", time_value(run.started));
  return table;
}

Table identity_table(const Identity& identity) {
  Table table;
  set_text(table, "bmc_guid", identity.bmc_guid);
  set_text(table, "serial", identity.serial);
  set_text(table, "uuid", identity.uuid);
  return table;
}

std::optional<PowerState> read_power(TableReader& reader) {
  constexpr PowerState kAll[] = {PowerState::Off, PowerState::On, PowerState::PoweringOn, PowerState::PoweringOff};
  std::vector<std::string> words = {std::string(kUnknownPower)};
  for (const auto state : kAll) words.emplace_back(to_string(state));
  const auto word = reader.require("power").choice("power", words);
  const auto* state = std::ranges::find_if(kAll, [&](PowerState each) { return word == to_string(each); });
  return state != std::ranges::end(kAll) ? std::optional(*state) : std::nullopt;
}

void read_claim_and_identity(TableReader& top, MachineStatus& status) {
  if (auto table = top.table("claim")) {
    status.claim = MachineClaim{read_text(*table, "instance"), read_time(*table, "since"),
                                read_optional_text(*table, "nonce_sha256"), table->boolean("left").value_or(false)};
    table->finish();
  }
  if (auto table = top.table("identity")) {
    status.identity.bmc_guid = read_optional_text(*table, "bmc_guid");
    status.identity.serial = read_optional_text(*table, "serial");
    status.identity.uuid = read_optional_text(*table, "uuid");
    table->finish();
  }
  if (auto table = top.table("ramdisk")) {
    status.ramdisk = read_ramdisk(*table);
    table->finish();
  }
  if (auto table = top.table("hardware")) {
    status.hardware = read_hardware(*table);
    table->finish();
  }
  if (auto table = top.table("installed")) {
    InstalledRecord installed;
    installed.disk = read_text(*table, "disk");
    installed.image_sha256 = read_text(*table, "image_sha256");
    installed.nonce_sha256 = read_text(*table, "nonce_sha256");
    installed.reinstall = table->require("reinstall").integer("reinstall", 0).value_or(0);
    status.installed = std::move(installed);
    table->finish();
  }
}

void read_records(TableReader& top, MachineStatus& status) {
  status.drifts = read_drifts(top);
  for (auto& table : top.tables("erased")) {
    status.erases.push_back({read_text(table, "disk"), read_text(table, "level"), read_text(table, "method"),
                             table.require("verified").boolean("verified").value_or(false), read_time(table, "when")});
    table.finish();
  }
  for (auto& table : top.tables("check")) {
    status.checks.push_back(
        {read_text(table, "what"), read_text(table, "result"), read_optional_text(table, "detail")});
    table.finish();
  }
  for (auto& table : top.tables("run")) {
    RunRecord run;
    run.action = read_text(table, "action");
    run.commit = read_text(table, "commit");
    run.finished = read_optional_time(table, "finished");
    run.message = read_optional_text(table, "message");
    run.outcome = read_word(table, "outcome", {Outcome::Pending, Outcome::Done, Outcome::Failed, Outcome::Unknown});
    run.started = read_time(table, "started");
    status.runs.push_back(std::move(run));
    table.finish();
  }
}

}  // namespace

std::string_view to_string(MachinePhase phase) noexcept {
  switch (phase) {
    case MachinePhase::Enrolled:
      return "enrolled";
    case MachinePhase::Inspecting:
      return "inspecting";
    case MachinePhase::Occupied:
      return "occupied";
    case MachinePhase::Available:
      return "available";
    case MachinePhase::Installing:
      return "installing";
    case MachinePhase::Active:
      return "active";
    case MachinePhase::Releasing:
      return "releasing";
    case MachinePhase::Quarantined:
      return "quarantined";
    case MachinePhase::Unmanaged:
      return "unmanaged";
  }
  return "";
}

std::string_view to_string(RunRecordOutcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Pending:
      return "pending";
    case Outcome::Done:
      return "done";
    case Outcome::Failed:
      return "failed";
    case Outcome::Unknown:
      return "unknown";
  }
  return "";
}

std::string to_text(const MachineStatus& status) {
  Table top;
  set_text(top, "applied_digest", status.applied_digest);
  set_text(top, "desired_digest", status.desired_digest);
  set_text(top, "instance", status.instance);
  top.set("phase", to_string(status.phase));
  if (status.restart) top.set("restart", *status.restart);
  top.set("power", status.power ? to_string(*status.power) : kUnknownPower);
  if (status.claim) {
    Table claim;
    claim.set("instance", bounded_text(status.claim->instance));
    if (status.claim->left) claim.set("left", true);
    set_text(claim, "nonce_sha256", status.claim->nonce_sha256);
    claim.set("since", time_value(status.claim->since));
    top.set("claim", std::move(claim));
  }
  set_conditions(top, status.conditions);
  if (status.hardware) top.set("hardware", hardware_table(*status.hardware));
  if (status.ramdisk) top.set("ramdisk", ramdisk_table(*status.ramdisk));
  if (!status.identity.empty()) top.set("identity", identity_table(status.identity));
  if (status.installed) {
    Table installed;
    installed.set("disk", bounded_text(status.installed->disk));
    installed.set("image_sha256", bounded_text(status.installed->image_sha256));
    installed.set("nonce_sha256", bounded_text(status.installed->nonce_sha256));
    installed.set("reinstall", status.installed->reinstall);
    top.set("installed", std::move(installed));
  }
  set_records(top, "drift", status.drifts, MachineStatus::kDrifts, drift_table);
  set_records(top, "erased", status.erases, MachineStatus::kErases, erase_table);
  set_records(top, "check", status.checks, MachineStatus::kChecks, check_table);
  set_records(top, "run", status.runs, MachineStatus::kRuns, run_table);
  return base::toml::write(top);
}

Result<MachineStatus> parse_machine_status(std::string_view text, std::string_view file) {
  auto document = parse_document(text, file);
  if (!document) return std::move(document.error());
  std::vector<base::toml::Fault> faults;
  TableReader top(*document, "", faults);
  MachineStatus status;
  using enum MachinePhase;
  status.phase = read_word(
      top, "phase", {Enrolled, Inspecting, Occupied, Available, Installing, Active, Releasing, Quarantined, Unmanaged});
  status.applied_digest = read_optional_text(top, "applied_digest");
  status.desired_digest = read_optional_text(top, "desired_digest");
  status.instance = read_optional_text(top, "instance");
  status.restart = top.integer("restart");
  status.power = read_power(top);
  read_claim_and_identity(top, status);
  status.conditions = read_conditions(top);
  read_records(top, status);
  top.finish();
  if (auto fault = first_fault(faults, file)) return std::move(*fault);
  return status;
}

}  // namespace nimbus::registry
