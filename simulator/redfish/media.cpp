// VirtualMedia below the system and below the manager (DSP2046, VirtualMedia): the same
// slots under both paths, unless the BMC knows one of them only.
#include <fmt/format.h>

#include <algorithm>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr auto kEjectTakes = std::chrono::seconds(5);
constexpr std::size_t kMostUri = 2048;

/// The parent that this path stands under, or nothing if it has no media.
std::optional<std::string> parent_of(const Call& call) {
  const bool below_system =
      call.path.starts_with("/redfish/v1/Systems/") || call.path.starts_with("/redfish/v1/systems/");
  if (below_system) {
    if (!is_system(call) || call.quirks().has(Quirk::MediaUnderManager)) return std::nullopt;
    return call.service.system;
  }
  if (!is_manager(call)) return std::nullopt;
  return call.service.manager;
}

VirtualMedium* find(Call& call) {
  if (call.ids.size() < 2) return nullptr;
  for (auto& medium : call.machine.media) {
    if (medium.id == call.ids[1]) return &medium;
  }
  return nullptr;
}

bool is_first(const Call& call, const VirtualMedium& medium) { return &medium == &call.machine.media.front(); }

/// The first slot of such boards takes nothing, although it looks like one for discs.
bool refuses(const Call& call, const VirtualMedium& medium) {
  return call.quirks().has(Quirk::FirstSlotRefuses) && is_first(call, medium);
}

std::optional<Json> media(Call& call) {
  const auto parent = parent_of(call);
  if (!parent) return std::nullopt;
  std::vector<std::string> members;
  for (const auto& medium : call.machine.media)
    members.push_back(fmt::format("{}/VirtualMedia/{}", *parent, medium.id));
  return collection(*parent + "/VirtualMedia", "#VirtualMediaCollection.VirtualMediaCollection", "Virtual Media",
                    members);
}

Json image_json(const Call& call, const VirtualMedium& medium) {
  if (!medium.image.empty()) return medium.image;
  return call.quirks().has(Quirk::NoneImageText) ? Json("None") : Json();
}

std::optional<Json> medium(Call& call) {
  const auto parent = parent_of(call);
  const VirtualMedium* found = find(call);
  if (!parent || found == nullptr) return std::nullopt;
  const bool inserted =
      !found->image.empty() || (call.quirks().has(Quirk::InsertedStaysTrue) && call.service.ejected.has_value());
  const std::string path = fmt::format("{}/VirtualMedia/{}", *parent, found->id);
  Json out = document(path, "#VirtualMedia.v1_6_2.VirtualMedia", found->id, found->name);
  Json types = Json::array();
  for (const auto& type : found->types) types.push(type);
  if (refuses(call, *found)) types = strings({"CD", "DVD"});
  out.set("MediaTypes", std::move(types));
  out.set("Image", image_json(call, *found));
  const auto slash = found->image.rfind('/');
  out.set("ImageName",
          found->image.empty() ? Json() : Json(found->image.substr(slash == std::string::npos ? 0 : slash + 1)));
  out.set("Inserted", inserted);
  out.set("WriteProtected", found->write_protected);
  out.set("ConnectedVia", found->image.empty() ? "NotConnected" : "URI");
  out.set("TransferMethod", found->image.empty() ? Json() : Json("Stream"));
  out.set("TransferProtocolType", found->protocol.empty() ? Json() : Json(found->protocol));
  if (!call.quirks().has(Quirk::MediaByPatchOnly)) {
    Json insert =
        Json::object({{"target", path + "/Actions/VirtualMedia.InsertMedia"},
                      {"TransferProtocolType@Redfish.AllowableValues", strings({"HTTP", "HTTPS", "NFS", "CIFS"})}});
    Json eject = Json::object({{"target", path + "/Actions/VirtualMedia.EjectMedia"}});
    out.set("Actions", Json::object({{"#VirtualMedia.InsertMedia", std::move(insert)},
                                     {"#VirtualMedia.EjectMedia", std::move(eject)}}));
  }
  return out;
}

std::optional<std::string> protocol_of(std::string_view uri) {
  for (const auto& [scheme, protocol] : {std::pair{"https://", "HTTPS"},
                                         {"http://", "HTTP"},
                                         {"nfs://", "NFS"},
                                         {"cifs://", "CIFS"},
                                         {"smb://", "CIFS"}}) {
    if (uri.starts_with(scheme)) return protocol;
  }
  return std::nullopt;
}

void put(Call& call, VirtualMedium& medium, std::string_view image, bool write_protected) {
  medium.image = image;
  medium.write_protected = write_protected;
  medium.protocol = protocol_of(image).value_or("");
  call.service.ejected.reset();
  call.machine.record(Source::Redfish, "media-inserted", medium.id, medium.image);
  call.machine.media_changed();
}

void take_out(Call& call, VirtualMedium& medium) {
  medium.image.clear();
  medium.protocol.clear();
  medium.write_protected = true;
  call.service.ejected = call.machine.now();
  call.machine.record(Source::Redfish, "media-ejected", medium.id);
  call.machine.media_changed();
}

std::optional<Response> refuse_parameters(const Call& call) {
  constexpr std::string_view kKnown[] = {
      "Image",    "Inserted", "WriteProtected", "TransferMethod", "TransferProtocolType",
      "UserName", "Password", "MediaTypes"};
  for (const auto& [name, value] : call.body.members()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      return call.refuse(400, "ActionParameterUnknown", {"InsertMedia", name}, name);
    const bool flag = name == "Inserted" || name == "WriteProtected";
    if (flag && call.quirks().has(Quirk::InsertedFlagRefused))
      return call.refuse(400, "ActionParameterNotSupported", {name, "InsertMedia"}, name);
    if (flag && !value.as_bool())
      return call.refuse(400, "ActionParameterValueTypeError", {value.text(), name, "InsertMedia"}, name);
  }
  constexpr std::pair<Quirk, std::string_view> kRequired[] = {{Quirk::TransferProtocolRequired, "TransferProtocolType"},
                                                              {Quirk::TransferMethodRequired, "TransferMethod"},
                                                              {Quirk::MediaUserRequired, "UserName"},
                                                              {Quirk::MediaUserRequired, "Password"}};
  for (const auto& [quirk, name] : kRequired) {
    if (call.quirks().has(quirk) && call.body.find(name) == nullptr)
      return call.refuse(400, "ActionParameterMissing", {"InsertMedia", std::string(name)}, name);
  }
  return std::nullopt;
}

Response insert(Call& call) {
  VirtualMedium* slot = find(call);
  if (!parent_of(call) || slot == nullptr || call.quirks().has(Quirk::MediaByPatchOnly))
    return call.refuse(404, "ResourceMissingAtURI", {call.path});
  if (refuses(call, *slot)) return call.refuse(405, "OperationNotAllowed");
  const auto& ejected = call.service.ejected;
  if (call.quirks().has(Quirk::InsertFailsAfterEject) && ejected && call.machine.now() - *ejected < kEjectTakes)
    return call.refuse(500, "GeneralError");
  const auto image = call.body["Image"].as_string();
  if (!image) return call.refuse(400, "ActionParameterMissing", {"InsertMedia", "Image"}, "Image");
  if (image->size() > kMostUri || !protocol_of(*image))
    return call.refuse(400, "ActionParameterValueConflict", {"Image", "not a URI that can be mounted"}, "Image");
  if (auto refusal = refuse_parameters(call)) return std::move(*refusal);
  if (!slot->image.empty()) return call.refuse(409, "ResourceInUse");
  put(call, *slot, *image, call.body["WriteProtected"].as_bool().value_or(true));
  return no_content();
}

Response eject(Call& call) {
  VirtualMedium* slot = find(call);
  if (!parent_of(call) || slot == nullptr || call.quirks().has(Quirk::MediaByPatchOnly))
    return call.refuse(404, "ResourceMissingAtURI", {call.path});
  if (refuses(call, *slot)) return call.refuse(405, "OperationNotAllowed");
  if (call.quirks().has(Quirk::EjectNeedsBody) && call.request.body.empty())
    return call.refuse(415, "UnrecognizedRequestBody");
  take_out(call, *slot);
  return no_content();
}

/// The older way, and the only one on XCC: writing the properties themselves.
Response patch_medium(Call& call) {
  VirtualMedium* slot = find(call);
  if (slot == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  if (!call.quirks().has(Quirk::MediaByPatchOnly)) return call.refuse(405, "OperationNotAllowed");
  const Json* image = call.body.find("Image");
  if (image == nullptr) return call.refuse(400, "PropertyMissing", {"Image"}, "Image");
  if (image->is_null()) {
    take_out(call, *slot);
  } else {
    const auto uri = image->as_string().value_or("");
    if (uri.size() > kMostUri || !protocol_of(uri))
      return call.refuse(400, "PropertyValueTypeError", {image->text(), "Image"}, "Image");
    if (call.body["Inserted"].as_bool() != true) return call.refuse(400, "PropertyMissing", {"Inserted"}, "Inserted");
    put(call, *slot, uri, call.body["WriteProtected"].as_bool().value_or(true));
  }
  return with_document(call, medium);
}

constexpr Route kRoutes[] = {
    {.pattern = "/redfish/v1/Systems/{}/VirtualMedia", .get = media},
    {.pattern = "/redfish/v1/Systems/{}/VirtualMedia/{}", .get = medium, .patch = patch_medium},
    {.pattern = "/redfish/v1/Systems/{}/VirtualMedia/{}/Actions/VirtualMedia.InsertMedia", .post = insert},
    {.pattern = "/redfish/v1/Systems/{}/VirtualMedia/{}/Actions/VirtualMedia.EjectMedia", .post = eject},
    {.pattern = "/redfish/v1/Managers/{}/VirtualMedia", .get = media},
    {.pattern = "/redfish/v1/Managers/{}/VirtualMedia/{}", .get = medium, .patch = patch_medium},
    {.pattern = "/redfish/v1/Managers/{}/VirtualMedia/{}/Actions/VirtualMedia.InsertMedia", .post = insert},
    {.pattern = "/redfish/v1/Managers/{}/VirtualMedia/{}/Actions/VirtualMedia.EjectMedia", .post = eject},
};

}  // namespace

std::span<const Route> media_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
