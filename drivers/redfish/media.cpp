#include "drivers/redfish/media.hpp"

#include <algorithm>

#include "base/text/text.hpp"
#include "drivers/redfish/patch.hpp"
#include "drivers/redfish/tasks.hpp"
#include "drivers/redfish/walk.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

std::string_view protocol_of(std::string_view url) {
  if (url.starts_with("https://")) return "HTTPS";
  if (url.starts_with("http://")) return "HTTP";
  if (url.starts_with("nfs://")) return "NFS";
  return url.starts_with("cifs://") || url.starts_with("smb://") ? "CIFS" : "";
}

bool is_in(const MediaSlot& slot, const std::string& url) { return slot.image == url; }
bool is_empty(const MediaSlot& slot) { return slot.image.empty(); }

Error no_slot() { return {Code::Unsupported, "the BMC has no virtual CD drive that takes an image"}; }

}  // namespace

MediaResource read_media(const Json& json) {
  MediaResource out;
  out.link = link_of(json);
  out.slot.id = text_of(json["Id"]);
  out.slot.image = text_of(json["Image"]);
  if (out.slot.image == "None" || out.slot.image == "N/A") out.slot.image.clear();  // AMI's word for null
  out.slot.inserted = json["Inserted"].as_bool().value_or(!out.slot.image.empty());
  const auto types = texts_of(json["MediaTypes"]);
  out.slot.cd = types.empty() || std::any_of(types.begin(), types.end(),
                                             [](const std::string& type) { return type == "CD" || type == "DVD"; });
  const Json& actions = json["Actions"];
  const Json& insert = actions["#VirtualMedia.InsertMedia"];
  out.insert = std::string(insert["target"].as_string().value_or(""));
  out.eject = std::string(actions["#VirtualMedia.EjectMedia"]["target"].as_string().value_or(""));
  out.protocols = texts_of(insert["TransferProtocolType@Redfish.AllowableValues"]);
  return out;
}

Result<std::vector<MediaResource>> MediaControl::read_slots(const Call& call) {
  const auto system = machine_.read(call);
  if (!system) return system.error();
  std::vector<std::string> lists{(*system)->virtual_media};
  const auto manager = machine_.manager(call);
  if (!manager) return manager.error();
  if (*manager != nullptr) lists.push_back((*manager)->virtual_media);
  std::vector<MediaResource> out;
  for (const auto& list : lists) {
    Walk walk(machine_, call);
    const auto members = walk.members(list);
    if (walk.trouble()) return Error(*walk.trouble()).with("while reading virtual media");
    for (const auto& member : members.value_or(std::vector<Json>())) {
      if (auto slot = read_media(member); !slot.link.empty()) out.push_back(std::move(slot));
    }
    // The same slots once more below the manager: one view is enough, unless it has no CD.
    if (std::any_of(out.begin(), out.end(), [](const MediaResource& slot) { return slot.slot.cd; })) break;
  }
  return out;
}

Result<MediaResource> MediaControl::read_slot(const std::string& link, const Call& call) {
  const auto answer = machine_.session().get(link, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading virtual media");
  auto out = read_media(*json);
  out.link = link;
  out.etag = etag_of(*answer);
  return out;
}

Result<std::vector<MediaSlot>> MediaControl::slots(const Call& call) {
  const auto all = read_slots(call);
  if (!all) return all.error();
  std::vector<MediaSlot> out;
  for (const auto& one : *all) out.push_back(one.slot);
  return out;
}

Json MediaControl::insert_body(const std::string& url) const {
  // Inserted and WriteProtected are the defaults, and some refuse to be told them.
  Json body = Json::object({{"Image", url}});
  if (machine_.has(Effect::MediaProtocolNeeded)) body.set("TransferProtocolType", protocol_of(url));
  if (machine_.has(Effect::MediaMethodNeeded)) body.set("TransferMethod", "Stream");
  if (machine_.has(Effect::MediaUserNeeded)) {
    body.set("UserName", "none");
    body.set("Password", "none");
  }
  return body;
}

bool MediaControl::learn_parameter(const ErrorBody& body) {
  static constexpr struct {
    std::string_view word;
    Effect effect;
  } kParameters[] = {{"transferprotocoltype", Effect::MediaProtocolNeeded},
                     {"transfermethod", Effect::MediaMethodNeeded},
                     {"username", Effect::MediaUserNeeded}};
  bool learnt = false;
  for (const auto& [word, effect] : kParameters) {
    if (machine_.has(effect) || !(body.says(word) || body.names(word))) continue;
    machine_.learn(effect);
    learnt = true;
  }
  return learnt;
}

Result<MediaControl::Step> MediaControl::step_of(const base::ClientResponse& response, std::string_view doing,
                                                 const Call& call) {
  if (response.status == 202) {
    const auto task = look_at_task(machine_, response, call);
    if (!task) return task.error();
    if (task->phase == TaskPhase::Failed)
      return Error{Code::Invalid, "the BMC's task " + std::string(doing) + " failed: " + task->message};
    return task->phase == TaskPhase::Done ? Step::Done : Step::Unknown;
  }
  if (is_success(response.status)) return Step::Done;
  const auto body = parse_error_body(response.body);
  refusal_ = refusal(response, body).with("while " + std::string(doing) + " an image");
  if (body.has("OemLicenseNotPassed") || body.says("license")) {
    refusal_.code = Code::Unsupported;
    return refusal_;
  }
  // While the last image is still on its way out some answer 5xx: the caller comes again.
  if (response.status >= 500 && response.status != 501) {
    refusal_.code = Code::Busy;
    return refusal_;
  }
  const bool other_slot_may_do = response.status == 400 || response.status == 404 || response.status == 405 ||
                                 response.status == 409 || response.status == 501;
  if (!other_slot_may_do) return refusal_;
  return Step::NextSlot;
}

Result<MediaControl::Step> MediaControl::insert_by_action(const MediaResource& slot, const std::string& url,
                                                          const Call& call) {
  constexpr int kParameters = 3;
  for (int round = 0;; ++round) {
    const auto answer = machine_.write({.link = slot.insert, .body = insert_body(url).text()}, call);
    if (!answer) return answer.error();
    if (!*answer) return Step::Unknown;
    const bool refused = (*answer)->status >= 400 && (*answer)->status < 500;
    if (refused && round < kParameters && learn_parameter(parse_error_body((*answer)->body))) continue;
    return step_of(**answer, "inserting", call);
  }
}

Result<MediaControl::Step> MediaControl::patch(const MediaResource& slot, const Json& body, const Call& call) {
  const auto unchanged = [&]() -> Result<bool> {
    const auto now = read_slot(slot.link, call);
    if (!now) return now.error();
    return now->slot == slot.slot;
  };
  // The list may have come expanded, without an ETag of each.
  const auto fresh = read_slot(slot.link, call);
  if (!fresh) return fresh.error();
  const auto answer =
      patch_resource(machine_, {.link = slot.link, .etag = fresh->etag, .body = body.text()}, unchanged, call);
  if (!answer) return answer.error();
  if (!*answer) return Step::Unknown;
  return step_of(**answer, "writing", call);
}

Result<MediaControl::Step> MediaControl::insert(const MediaResource& slot, const std::string& url, const Call& call) {
  if (!slot.insert.empty()) return insert_by_action(slot, url, call);
  // XCC: no action, and here the two flags must be there.
  return patch(slot, Json::object({{"Image", url}, {"Inserted", true}, {"WriteProtected", true}}), call);
}

Result<MediaControl::Step> MediaControl::eject_by_action(const MediaResource& slot, const Call& call) {
  const bool with_body = machine_.has(Effect::EjectWithBody);
  auto answer = machine_.write({.link = slot.eject, .body = with_body ? "{}" : ""}, call);
  if (!answer) return answer.error();
  if (!*answer) return Step::Unknown;
  if (!with_body && ((*answer)->status == 415 || (*answer)->status == 400 || (*answer)->status == 411)) {
    answer = machine_.write({.link = slot.eject, .body = "{}"}, call);
    if (!answer) return answer.error();
    if (!*answer) return Step::Unknown;
    if (is_success((*answer)->status)) machine_.learn(Effect::EjectWithBody);
  }
  return step_of(**answer, "ejecting", call);
}

Result<MediaControl::Step> MediaControl::eject(const MediaResource& slot, const Call& call) {
  const auto step = slot.eject.empty() ? patch(slot, Json::object({{"Image", nullptr}, {"Inserted", false}}), call)
                                       : eject_by_action(slot, call);
  if (!step || *step == Step::Unknown) return step;
  // Whatever it answered: empty is what counts.
  const auto now = read_slot(slot.link, call);
  if (!now) return now.error();
  if (is_empty(now->slot)) return Step::Done;
  return *step == Step::Done ? Step::Unknown : Step::NextSlot;
}

Result<WriteOutcome> MediaControl::insert_cd(const std::string& url, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  if (protocol_of(url).empty()) return Error{Code::Unsupported, "an image is fetched by http, https, nfs or cifs"};
  const auto all = read_slots(call);
  if (!all) return all.error();
  refusal_ = no_slot();
  for (const auto& slot : *all) {
    if (!slot.slot.cd) continue;
    if (is_in(slot.slot, url) && slot.slot.inserted) return WriteOutcome::AlreadySo;
    const bool wrong_protocol =
        !slot.protocols.empty() && std::none_of(slot.protocols.begin(), slot.protocols.end(), [&](const auto& known) {
          return base::equals_ignoring_case(known, protocol_of(url));
        });
    if (wrong_protocol) {
      refusal_ = {Code::Unsupported, "the virtual CD drive does not fetch by " + std::string(protocol_of(url))};
      continue;
    }
    if (!is_empty(slot.slot)) {
      const auto gone = eject(slot, call);
      if (!gone) return gone.error();
      if (*gone == Step::Unknown) return WriteOutcome::Unknown;
      if (*gone == Step::NextSlot) continue;
    }
    const auto in = insert(slot, url, call);
    if (!in) return in.error();
    if (*in == Step::NextSlot) continue;
    const auto now = read_slot(slot.link, call);
    if (!now) return *in == Step::Unknown ? Result<WriteOutcome>(WriteOutcome::Unknown) : now.error();
    if (is_in(now->slot, url)) return WriteOutcome::Accepted;
    if (*in == Step::Unknown) return WriteOutcome::Unknown;
    refusal_ = {Code::Unsupported, "the BMC accepted the image and does not show it"};
  }
  return refusal_;
}

Result<WriteOutcome> MediaControl::eject_cd(const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const auto all = read_slots(call);
  if (!all) return all.error();
  bool any = false;
  for (const auto& slot : *all) {
    if (!slot.slot.cd || is_empty(slot.slot)) continue;
    const auto gone = eject(slot, call);
    if (!gone) return gone.error();
    if (*gone == Step::Unknown) return WriteOutcome::Unknown;
    if (*gone == Step::NextSlot) return refusal_;
    any = true;
  }
  return any ? WriteOutcome::Accepted : WriteOutcome::AlreadySo;
}

}  // namespace nimbus::redfish
