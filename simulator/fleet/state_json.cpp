#include "simulator/fleet/state_json.hpp"

#include "base/text/text.hpp"
#include "base/time/time.hpp"

namespace nimbus::simulator {
namespace {

using base::Json;

Json to_json(const AttributeValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

Json order_json(const BootOrder& order) {
  Json out = Json::array();
  for (const auto device : order) out.push(to_string(device));
  return out;
}

Json boot_of(const Machine& machine) {
  const auto& override = machine.boot_override();
  const auto& last = machine.last_boot();
  return Json::object({{"override", Json::object({{"enabled", to_string(override.enabled)},
                                                  {"device", to_string(override.device)},
                                                  {"mode", to_string(override.mode)},
                                                  {"http_uri", override.http_uri}})},
                       {"order", order_json(machine.boot_order())},
                       {"next_order", order_json(machine.next_boot_order())},
                       {"boots", last.count},
                       {"last_device", to_string(last.device)},
                       {"last_mode", to_string(last.mode)},
                       {"last_override", to_string(last.override_kind)}});
}

std::string_view phase_text(HostPhase phase) {
  switch (phase) {
    case HostPhase::Off:
      return "off";
    case HostPhase::Post:
      return "post";
    case HostPhase::Running:
      return "running";
  }
  return "off";
}

}  // namespace

Json state_of(const Machine& machine) {
  Json media = Json::array();
  for (const auto& medium : machine.media) {
    media.push(Json::object({{"id", medium.id}, {"image", medium.image}, {"write_protected", medium.write_protected}}));
  }
  Json volumes = Json::array();
  for (const auto& volume : machine.volumes) {
    Json drives = Json::array();
    for (const auto& drive : volume.drives) drives.push(drive);
    volumes.push(Json::object({{"id", volume.id},
                               {"raid", volume.raid},
                               {"size_bytes", volume.size_bytes},
                               {"ready", volume.ready <= machine.now()},
                               {"drives", std::move(drives)}}));
  }
  Json pending = Json::object();
  for (const auto& [name, value] : machine.settings.pending()) pending.set(name, to_json(value));
  Json bios = Json::object();
  for (const auto& attribute : machine.hardware().attributes)
    bios.set(attribute.name, to_json(machine.settings.current(attribute)));
  Json accounts = Json::array();
  for (std::uint8_t id = 1; id <= Accounts::kSlots; ++id) {
    const Account& account = *machine.accounts.slot(id);
    if (!account.enabled) continue;
    accounts.push(
        Json::object({{"id", int{id}}, {"name", account.name}, {"privilege", static_cast<int>(account.privilege)}}));
  }
  Json quirks = Json::array();
  for (const auto& info : quirk_table()) {
    if (machine.quirks.has(info.quirk)) quirks.push(info.id);
  }
  return Json::object({{"name", machine.name()},
                       {"serial", machine.identity.serial},
                       {"uuid", uuid_text(machine.identity.uuid)},
                       {"bmc_guid", uuid_text(machine.identity.bmc_guid)},
                       {"mac", machine.identity.macs.empty() ? std::string() : mac_text(machine.identity.macs.front())},
                       {"power", to_string(machine.power())},
                       {"host", phase_text(machine.phase())},
                       {"bmc_up", machine.bmc_up()},
                       {"bmc_restarts", machine.bmc_restarts()},
                       {"boot", boot_of(machine)},
                       {"media", std::move(media)},
                       {"volumes", std::move(volumes)},
                       {"bios", std::move(bios)},
                       {"bios_pending", std::move(pending)},
                       {"secure_boot", machine.settings.secure_boot()},
                       {"secure_boot_wanted", machine.settings.secure_boot_wanted()},
                       {"identify", machine.identify},
                       {"accounts", std::move(accounts)},
                       {"events", machine.events.records().size()},
                       {"profile", machine.profile == nullptr ? "polite" : machine.profile->name},
                       {"quirks", std::move(quirks)},
                       {"journal", machine.journal.total()}});
}

Json journal_of(const Machine& machine, std::uint64_t after) {
  Json entries = Json::array();
  for (const auto& entry : machine.journal.entries()) {
    if (entry.number <= after) continue;
    entries.push(Json::object({{"number", entry.number},
                               {"at_ms", entry.at.time_since_epoch().count()},
                               {"at", base::to_rfc3339(entry.at)},
                               {"source", to_string(entry.source)},
                               {"what", entry.what},
                               {"detail", entry.detail},
                               {"outcome", entry.outcome}}));
  }
  return Json::object({{"total", machine.journal.total()}, {"entries", std::move(entries)}});
}

}  // namespace nimbus::simulator
