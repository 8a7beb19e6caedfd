// Volumes of the storage controller: made by a task, deleted at once (DSP2046, Volume).
#include <fmt/format.h>

#include <algorithm>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr auto kCreationTakes = std::chrono::seconds(3);
constexpr std::size_t kMostVolumes = 32;
constexpr std::size_t kMostName = 64;

struct Level {
  std::string_view name;
  std::size_t least_drives;
  std::size_t parity;  // drives that hold no data of their own
};
constexpr Level kLevels[] = {{"RAID0", 1, 0}, {"RAID1", 2, 1}, {"RAID5", 3, 1}, {"RAID6", 4, 2}};

const Level* find_level(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kLevels), std::end(kLevels), [&](const auto& l) { return l.name == name; });
  return found == std::end(kLevels) ? nullptr : found;
}

bool has_controller(const Call& call) { return is_system(call) && call.ids[1] == "1"; }
std::string collection_path(const Call& call) { return call.service.system + "/Storage/1/Volumes"; }

const Volume* find(const Call& call, std::string_view id) {
  for (const auto& one : call.machine.volumes) {
    if (one.id == id && one.ready <= call.machine.now()) return &one;
  }
  return nullptr;
}

std::optional<Json> volumes(Call& call) {
  if (!has_controller(call)) return std::nullopt;
  std::vector<std::string> members;
  for (const auto& one : call.machine.volumes) {
    if (one.ready <= call.machine.now()) members.push_back(fmt::format("{}/{}", collection_path(call), one.id));
  }
  return collection(collection_path(call), "#VolumeCollection.VolumeCollection", "Volumes", members);
}

std::optional<Json> volume(Call& call) {
  if (!has_controller(call)) return std::nullopt;
  const Volume* found = find(call, call.ids[2]);
  if (found == nullptr) return std::nullopt;
  Json out = document(fmt::format("{}/{}", collection_path(call), found->id), "#Volume.v1_10_0.Volume", found->id,
                      found->name);
  out.set("RAIDType", found->raid);
  out.set("CapacityBytes", found->size_bytes);
  out.set("BlockSizeBytes", 512);
  out.set("Encrypted", false);
  std::vector<std::string> drives;
  for (const auto& drive : found->drives)
    drives.push_back(fmt::format("{}/Storage/1/Drives/{}", call.service.system, drive));
  out.set("Links", Json::object({{"Drives@odata.count", drives.size()}, {"Drives", links(drives)}}));
  out.set("Status", status_ok());
  return out;
}

/// The drives that the request names: all of this controller, each once, none in use.
std::optional<Response> read_drives(const Call& call, Volume& wanted) {
  const std::string parent = call.service.system + "/Storage/1/Drives/";
  const auto& known = call.machine.hardware().drives;
  for (const auto& item : call.body["Links"]["Drives"].items()) {
    const auto path = item["@odata.id"].as_string().value_or("");
    const std::string id(path.starts_with(parent) ? path.substr(parent.size()) : std::string_view());
    if (std::none_of(known.begin(), known.end(), [&](const auto& drive) { return drive.id == id; }))
      return call.refuse(400, "PropertyValueNotInList", {path, "Links/Drives"}, "Links/Drives");
    const auto taken = [&](const Volume& other) {
      return std::find(other.drives.begin(), other.drives.end(), id) != other.drives.end();
    };
    if (taken(wanted) || std::any_of(call.machine.volumes.begin(), call.machine.volumes.end(), taken))
      return call.refuse(400, "PropertyValueConflict", {"Links/Drives", "Links/Drives"}, "Links/Drives");
    wanted.drives.push_back(id);
  }
  return std::nullopt;
}

/// What the drives can hold at that level, in bytes.
std::uint64_t room(const Machine& machine, const Volume& volume, const Level& level) {
  std::uint64_t least = 0;
  for (const auto& drive : machine.hardware().drives) {
    if (std::find(volume.drives.begin(), volume.drives.end(), drive.id) == volume.drives.end()) continue;
    least = least == 0 ? drive.size_bytes : std::min(least, drive.size_bytes);
  }
  return least * (level.name == "RAID1" ? volume.drives.size() / 2 : volume.drives.size() - level.parity);
}

std::optional<Response> read_volume(const Call& call, Volume& wanted) {
  for (const auto& [name, value] : call.body.members()) {
    if (name != "Name" && name != "RAIDType" && name != "CapacityBytes" && name != "Links")
      return call.refuse(400, "PropertyUnknown", {name}, name);
  }
  const auto raid = call.body["RAIDType"].as_string();
  if (!raid) return call.refuse(400, "PropertyMissing", {"RAIDType"}, "RAIDType");
  const Level* level = find_level(*raid);
  if (level == nullptr) return call.refuse(400, "PropertyValueNotInList", {*raid, "RAIDType"}, "RAIDType");
  if (auto refusal = read_drives(call, wanted)) return refusal;
  if (wanted.drives.size() < level->least_drives || (level->name == "RAID1" && wanted.drives.size() % 2 != 0))
    return call.refuse(400, "PropertyValueConflict", {"Links/Drives", "RAIDType"}, "Links/Drives");
  wanted.raid = level->name;
  const std::uint64_t most = room(call.machine, wanted, *level);
  const Json* size = call.body.find("CapacityBytes");
  const auto bytes = size == nullptr ? std::optional(static_cast<std::int64_t>(most)) : size->as_int();
  if (!bytes || *bytes <= 0 || static_cast<std::uint64_t>(*bytes) > most)
    return call.refuse(400, "PropertyValueOutOfRange", {size == nullptr ? "" : size->text(), "CapacityBytes"},
                       "CapacityBytes");
  wanted.size_bytes = static_cast<std::uint64_t>(*bytes);
  const auto name = call.body["Name"].as_string().value_or("");
  if (name.size() > kMostName) return call.refuse(400, "PropertyValueTypeError", {name, "Name"}, "Name");
  wanted.name = name.empty() ? "Volume " + wanted.id : std::string(name);
  return std::nullopt;
}

Response create(Call& call) {
  if (!has_controller(call)) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  auto& all = call.machine.volumes;
  if (all.size() >= kMostVolumes) return call.refuse(400, "CreateLimitReachedForResource");
  // One change at a time for each controller, as on iDRAC (RAC0679).
  if (std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.ready > call.machine.now(); }))
    return call.refuse(503, "ResourceInUse");
  unsigned number = 1;
  while (std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.id == std::to_string(number); }))
    ++number;
  Volume wanted{.id = std::to_string(number)};
  if (auto refusal = read_volume(call, wanted)) return std::move(*refusal);
  wanted.ready = call.machine.now() + kCreationTakes;
  call.machine.record(Source::Redfish, "volume-created", wanted.id, wanted.raid);
  Task& task = call.service.start_task("Create volume", kCreationTakes);
  task.created = fmt::format("{}/{}", collection_path(call), wanted.id);
  all.push_back(std::move(wanted));
  return task_started(call, task);
}

Response remove(Call& call) {
  const Volume* found = has_controller(call) ? find(call, call.ids[2]) : nullptr;
  if (found == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  call.machine.record(Source::Redfish, "volume-deleted", found->id);
  std::erase_if(call.machine.volumes, [id = found->id](const auto& one) { return one.id == id; });
  return no_content();
}

constexpr Route kRoutes[] = {
    {.pattern = "/redfish/v1/Systems/{}/Storage/{}/Volumes", .get = volumes, .post = create},
    {.pattern = "/redfish/v1/Systems/{}/Storage/{}/Volumes/{}", .get = volume, .remove = remove},
};

}  // namespace

std::span<const Route> volume_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
