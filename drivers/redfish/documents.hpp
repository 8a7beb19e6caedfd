// The Redfish resources that the driver reads, as plain values. Every field is
// optional in practice, whatever the schemas say: an empty string or no value means
// absent, null or of another type. Links are still as the BMC gave them.
//
// Source: DSP0266 1.15 (protocol), DSP8010 (schemas ServiceRoot, ComputerSystem,
// Manager, ActionInfo, Session). Thread rule: plain values, pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "core/power.hpp"
#include "core/result.hpp"

namespace nimbus::redfish {

inline constexpr std::size_t kMostMembers = 64;

struct ServiceRoot {
  std::string vendor;
  std::string product;
  std::string uuid;
  std::string systems;  // link of the collection
  std::string managers;
  std::string chassis;
  std::string session_service;
  std::string account_service;
  std::string update_service;
  std::string event_service;
  std::string sessions;  // Links.Sessions: where a login is posted
  bool expands = false;  // "$expand=.($levels=1)" is understood
};

struct ResetAction {
  std::string target;
  std::vector<std::string> allowable;  // empty: not said here
  std::string action_info;             // link to where it may be said
};

struct System {
  std::string id;
  std::string name;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string sku;
  std::string uuid;
  std::string bios_version;
  std::string power_text;           // PowerState as sent
  std::optional<PowerState> power;  // nothing: absent or a word that we do not know
  std::optional<ResetAction> reset;
  std::vector<std::string> managers;  // links
  std::vector<std::string> chassis;   // links
  std::string part_number;
  std::string asset_tag;
  std::optional<double> memory_gib;
  std::vector<std::string> boot_order;
  // Links of what hangs below; empty: not offered.
  std::string processors, memory, storage, simple_storage, ethernet;
  std::string bios, secure_boot, virtual_media, log_services;
};

struct Manager {
  std::string uuid;
  std::string firmware_version;
  std::string type;  // "BMC", "EnclosureManager", …
  std::string model;
  std::string virtual_media, log_services;  // links
  std::string date_time;                    // what its clock showed
  std::optional<ResetAction> reset;
};

/// A body as JSON, read with the caps for device documents. Errors: Corrupt.
Result<base::Json> parse_document(std::string_view body);

ServiceRoot read_service_root(const base::Json& json);
System read_system(const base::Json& json);
Manager read_manager(const base::Json& json);
/// Links of a collection, at most kMostMembers; members without a link are skipped.
std::vector<std::string> read_members(const base::Json& json);
/// ActionInfo's AllowableValues of the parameter ResetType.
std::vector<std::string> read_reset_types(const base::Json& json);
/// "@odata.id" of this resource, or "".
std::string read_own_link(const base::Json& json);

/// A string as sent, without blanks around it, at most 1,024 bytes; "" for anything else.
std::string text_of(const base::Json& json);
/// "@odata.id" of an object, or "".
std::string link_of(const base::Json& json);
/// Links of an array, at most kMostMembers.
std::vector<std::string> links_of(const base::Json& json);
/// The strings of an array, at most kMostMembers.
std::vector<std::string> texts_of(const base::Json& json);
/// An action's target and what its parameter ResetType may be; nothing: no such action.
std::optional<ResetAction> read_reset_action(const base::Json& action);

std::optional<PowerState> parse_power_state(std::string_view text) noexcept;

}  // namespace nimbus::redfish
