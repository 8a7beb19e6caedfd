#include "cli/hardware/probe.hpp"

#include <fmt/format.h>

#include "base/text/text.hpp"
#include "core/ports/bmc_hints.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

constexpr std::size_t kLogEntries = 20;

std::string state_of(const Error& error) {
  const std::string text = base::to_lower(error.text());
  if (text.find("licen") != std::string::npos) return "no licence";
  if (error.code == Code::Unsupported || error.code == Code::NotFound) return "not offered";
  return error.code == Code::Auth ? "denied" : "failed";
}

class Prober {
 public:
  Prober(Bmc& bmc, const Call& call) : bmc_(bmc), call_(call) {}

  /// `read` gives a Result, `describe` makes words of its value. A null aspect is not offered.
  template <class Aspect, class Read, class Describe>
  void look(const char* name, Aspect* aspect, Read read, Describe describe) {
    if (aspect == nullptr) {
      report_.aspects.push_back({name, "not offered", "not by this driver"});
      return;
    }
    const auto value = read(*aspect);
    if (value) {
      report_.aspects.push_back({name, "works", describe(*value)});
    } else {
      report_.aspects.push_back({name, state_of(value.error()), value.error().text()});
    }
  }

  void observe() {
    look(
        "power", bmc_.power(), [&](BmcPower& a) { return a.power(call_); },
        [](PowerState state) { return std::string(to_string(state)); });
    look(
        "boot override", bmc_.boot(), [&](BmcBoot& a) { return a.boot_override(call_); },
        [](const BootOverride& boot) { return std::string(to_string(boot.device)); });
    look(
        "boot order", bmc_.boot(), [&](BmcBoot& a) { return a.boot_order(call_); },
        [](const BootOrder& order) {
          if (order.next.empty()) return std::string("empty");
          const auto& first = order.next.front();
          return fmt::format("{} entries, first: {}", order.next.size(), first.name.empty() ? first.id : first.name);
        });
    look(
        "inventory", bmc_.inventory(), [&](BmcInventory& a) { return a.inventory(call_); },
        [&](const Inventory& parts) {
          report_.inventory = parts;
          std::string out = maker_and_product(parts);
          const auto add = [&](const auto& list, const char* what) {
            if (list) out += fmt::format(", {} {}", list->size(), what);
          };
          add(parts.processors, "processors");
          add(parts.modules, "memory modules");
          add(parts.drives, "drives");
          add(parts.ports, "network ports");
          add(parts.power_supplies, "power supplies");
          return out;
        });
    look(
        "firmware versions", bmc_.inventory(), [&](BmcInventory& a) { return a.firmware(call_); },
        [](const std::vector<FirmwareVersion>& all) {
          std::string out;
          for (std::size_t i = 0; i < all.size() && i < 2; ++i)
            out += (i > 0 ? ", " : "") + all[i].component + " " + all[i].version;
          return out + (all.size() > 2 ? fmt::format(", and {} more", all.size() - 2) : "");
        });
    look(
        "sensors", bmc_.sensors(), [&](BmcSensors& a) { return a.sensors(call_); },
        [](const std::vector<SensorReading>& all) { return fmt::format("{} sensors", all.size()); });
    look(
        "event log", bmc_.event_log(), [&](BmcEventLog& a) { return a.entries(kLogEntries, call_); },
        [](const std::vector<LogEntry>& all) {
          return all.empty() ? std::string("empty") : fmt::format("newest: {}", all.back().message);
        });
  }

  void look_for_hints() {
    if (bmc_.hints() == nullptr) {
      report_.aspects.push_back({"event stream", "not offered", "not by this driver"});
      return;
    }
    const auto offered = bmc_.hints()->offered(call_);
    report_.aspects.push_back(offered
                                  ? AspectReport{"event stream", "works", "offered; not opened"}
                                  : AspectReport{"event stream", state_of(offered.error()), offered.error().text()});
  }

  void manage() {
    look(
        "virtual media", bmc_.media(),
        [&](BmcMedia& a) -> Result<std::vector<MediaSlot>> {
          auto slots = a.slots(call_);
          if (slots && slots->empty()) return Error{Code::Unsupported, "no slots"};
          return slots;
        },
        [](const std::vector<MediaSlot>& slots) { return fmt::format("{} slots", slots.size()); });
    look(
        "BIOS settings", bmc_.settings(), [&](BmcSettings& a) { return a.bios(call_); },
        [](const BiosState& bios) {
          return fmt::format("{} attributes, {} pending", bios.current.size(), bios.pending.size());
        });
    look(
        "secure boot", bmc_.settings(), [&](BmcSettings& a) { return a.secure_boot(call_); },
        [](const SecureBootState& state) { return std::string(state.enabled_next ? "enabled" : "disabled"); });
    look(
        "accounts", bmc_.accounts(), [&](BmcAccounts& a) { return a.accounts(call_); },
        [](const std::vector<Account>& all) {
          std::string out;
          for (const auto& account : all) out += (out.empty() ? "" : ", ") + account.name;
          return out;
        });
    // Trying these would change something.
    for (const auto& [name, is_there] :
         {std::pair{"BMC restart", bmc_.reset() != nullptr}, {"serial console", bmc_.console() != nullptr}})
      report_.aspects.push_back({name, is_there ? "not tried" : "not offered", is_there ? "" : "not by this driver"});
  }

  ProbeReport finish(Identity identity) {
    report_.identity = std::move(identity);
    report_.traits = bmc_.traits();
    return std::move(report_);
  }

 private:
  Bmc& bmc_;
  const Call& call_;
  ProbeReport report_;
};

void set_text(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json.set(key, text);
}

void set_number(Json& json, const char* key, const auto& number) {
  if (number) json.set(key, static_cast<long long>(*number));
}

std::string_view name_of_kind(DriveKind kind) {
  switch (kind) {
    case DriveKind::Hdd:
      return "hdd";
    case DriveKind::Ssd:
      return "ssd";
    case DriveKind::Nvme:
      return "nvme";
    case DriveKind::Unknown:
      return "";
  }
  return "";
}

Json power_supply_json(const PowerSupply& supply) {
  Json out = Json::object({{"slot", supply.slot}, {"model", supply.model}, {"serial", supply.serial}});
  set_text(out, "part_number", supply.part_number);
  set_number(out, "watts", supply.watts);
  Json outputs = Json::array();
  for (const auto& one : supply.outputs) outputs.push(one);
  if (!supply.outputs.empty()) out.set("outputs", std::move(outputs));
  return out;
}

}  // namespace

Result<ProbeReport> probe(Bmc& bmc, const Call& call) {
  if (bmc.identity() == nullptr) return Error{Code::Unsupported, "this BMC does not say who it is"};
  auto identity = bmc.identity()->identity(call);
  if (!identity) return std::move(identity.error());
  Prober prober(bmc, call);
  prober.observe();
  prober.look_for_hints();
  prober.manage();
  return prober.finish(std::move(*identity));
}

std::string maker_and_product(const Inventory& inventory) {
  const bool both = !inventory.vendor.empty() && !inventory.product.empty();
  const std::string out = inventory.vendor + (both ? " " : "") + inventory.product;
  return out.empty() ? "unknown machine" : out;
}

Json identity_json(const Identity& identity) {
  Json out = Json::object();
  set_text(out, "serial", identity.serial);
  set_text(out, "uuid", identity.uuid);
  set_text(out, "bmc_guid", identity.bmc_guid);
  return out;
}

Json inventory_json(const Inventory& inventory) {
  Json out = Json::object();
  set_text(out, "vendor", inventory.vendor);
  set_text(out, "product", inventory.product);
  set_number(out, "memory_bytes", inventory.memory);
  if (inventory.processors) {
    Json list = Json::array();
    for (const auto& one : *inventory.processors) {
      Json item = Json::object({{"socket", one.socket}, {"model", one.model}});
      set_number(item, "cores", one.cores);
      list.push(std::move(item));
    }
    out.set("processors", std::move(list));
  }
  if (inventory.drives) {
    Json list = Json::array();
    for (const auto& one : *inventory.drives) {
      Json item = Json::object({{"slot", one.slot}, {"model", one.model}, {"serial", one.serial}});
      set_text(item, "type", std::string(name_of_kind(one.kind)));
      set_number(item, "size_bytes", one.size);
      list.push(std::move(item));
    }
    out.set("drives", std::move(list));
  }
  if (inventory.ports) {
    Json list = Json::array();
    for (const auto& one : *inventory.ports) list.push(Json::object({{"name", one.name}, {"mac", one.mac}}));
    out.set("ports", std::move(list));
  }
  if (inventory.power_supplies) {
    Json list = Json::array();
    for (const auto& one : *inventory.power_supplies) list.push(power_supply_json(one));
    out.set("power_supplies", std::move(list));
  }
  Json notes = Json::array();
  for (const auto& one : inventory.management) notes.push(Json::object({{"name", one.name}, {"text", one.text}}));
  if (!inventory.management.empty()) out.set("management", std::move(notes));
  return out;
}

}  // namespace nimbus::cli
