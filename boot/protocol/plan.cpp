#include "boot/protocol/plan.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"
#include "base/json/json.hpp"
#include "base/text/text.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::boot {
namespace {

constexpr std::size_t kMostNever = 2000;  // networks, and BMCs outside of them

using base::Json;

Json hint_json(const RootDiskHint& hint) {
  Json out = Json::object();
  out.set("serial", hint.serial).set("wwn", hint.wwn).set("by_path", hint.by_path).set("model", hint.model);
  if (hint.type) out.set("type", std::string(name_of(*hint.type)));
  if (hint.min_size_gib) out.set("min_size_gib", *hint.min_size_gib);
  if (hint.max_size_gib) out.set("max_size_gib", *hint.max_size_gib);
  return out;
}

Result<> read_hint(const Json& json, RootDiskHint& hint) {
  if (json.is_null()) return {};
  JsonFields fields(json);
  fields.text("serial", hint.serial);
  fields.text("wwn", hint.wwn);
  fields.text("by_path", hint.by_path);
  fields.text("model", hint.model);
  if (json.find("type") != nullptr) {
    DiskType type{};
    fields.choice("type", type);
    hint.type = type;
  }
  fields.optional_number("min_size_gib", hint.min_size_gib);
  fields.optional_number("max_size_gib", hint.max_size_gib);
  return fields.result();
}

Json texts(const std::vector<std::string>& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push(item);
  return out;
}

Json networks_json(const std::vector<PlanNetwork>& networks) {
  Json out = Json::array();
  for (const auto& network : networks) {
    out.push(Json::object().set("name", network.name).set("vlan", network.vlan).set("address", network.address));
  }
  return out;
}

std::string signed_text(std::string_view payload) { return std::string(kPlanDomain).append(payload); }

}  // namespace

std::string to_json(const InstallPlan& plan) {
  Json identity = Json::object();
  identity.set("serial", plan.identity.serial).set("uuid", plan.identity.uuid);
  Json out = Json::object();
  out.set("action", std::string(name_of(plan.action)))
      .set("run", plan.run)
      .set("nonce", plan.nonce)
      .set("machine", plan.machine)
      .set("mac", plan.mac)
      .set("identity", std::move(identity))
      .set("proof", std::string(name_of(plan.proof)))
      .set("erased", texts(plan.erased))
      .set("root_disk", hint_json(plan.root_disk))
      .set("disk", plan.disk)
      .set("image_cache", plan.image_cache)
      .set("image_urls", texts(plan.image_urls))
      .set("image_sources", texts(plan.image_sources))
      .set("image_never", texts(plan.image_never))
      .set("image_sha256", plan.image_sha256)
      .set("image_bytes", plan.image_bytes)
      .set("instance", plan.instance)
      .set("hostname", plan.hostname)
      .set("user", plan.user)
      .set("ssh_keys", texts(plan.ssh_keys))
      .set("controller_user", plan.controller_user)
      .set("controller_key", plan.controller_key)
      .set("user_data", plan.user_data)
      .set("networks", networks_json(plan.networks))
      .set("erase", std::string(name_of(plan.erase)));
  return out.text();
}

Result<InstallPlan> parse_plan(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostPlanBytes, .depth = 8, .values = 5000});
  if (!json) return std::move(json.error()).with("while reading the plan");
  InstallPlan plan;
  JsonFields fields(*json);
  fields.choice("action", plan.action);
  fields.text("run", plan.run, 128);
  fields.text("nonce", plan.nonce, 128);
  fields.text("machine", plan.machine);
  fields.text("mac", plan.mac, 32);
  fields.choice("proof", plan.proof);
  fields.texts("erased", plan.erased);
  fields.text("disk", plan.disk);
  fields.text("image_cache", plan.image_cache);
  fields.texts("image_urls", plan.image_urls, 16);
  fields.texts("image_sources", plan.image_sources);
  fields.texts("image_never", plan.image_never, kMostNever);
  fields.text("image_sha256", plan.image_sha256, 64);
  fields.number("image_bytes", plan.image_bytes);
  fields.text("instance", plan.instance);
  fields.text("hostname", plan.hostname, 253);
  fields.text("user", plan.user, 64);
  fields.texts("ssh_keys", plan.ssh_keys);
  fields.text("controller_user", plan.controller_user, 64);
  fields.text("controller_key", plan.controller_key);
  fields.text("user_data", plan.user_data, std::size_t{256} << 10U);
  fields.choice("erase", plan.erase);
  const Json& identity = fields.child("identity");
  if (identity.is_object()) {
    JsonFields who(identity);
    who.text("serial", plan.identity.serial);
    who.text("uuid", plan.identity.uuid);
    if (auto read = who.result(); !read) return std::move(read.error());
  }
  for (const auto& item : fields.child("networks").items()) {
    JsonFields one(item);
    PlanNetwork& network = plan.networks.emplace_back();
    one.text("name", network.name, 63);
    one.number("vlan", network.vlan);
    one.text("address", network.address, 64);
    if (auto read = one.result(); !read) return std::move(read.error());
  }
  if (plan.run.empty()) fields.fail("run");
  if (plan.nonce.size() < 32) fields.fail("nonce");
  if (auto read = fields.result(); !read) return std::move(read.error()).with("while reading the plan");
  if (auto read = read_hint(fields.child("root_disk"), plan.root_disk); !read) return std::move(read.error());
  return plan;
}

std::string seal_plan(const InstallPlan& plan, const base::Ed25519Key& key) {
  const std::string payload = to_json(plan);
  const auto signature = base::ed25519_sign(key, signed_text(payload));
  return Json::object()
      .set("payload", base::to_base64(base::as_bytes(payload)))
      .set("signature", base::to_base64(signature))
      .text();
}

Result<InstallPlan> open_plan(std::string_view envelope, const base::Ed25519Public& key) {
  auto json = base::parse_json(envelope, {.bytes = 2 * kMostPlanBytes, .depth = 4, .values = 16});
  if (!json) return std::move(json.error()).with("while reading the plan's envelope");
  const auto payload = base::from_base64((*json)["payload"].as_string().value_or(""));
  const auto signature = base::from_base64((*json)["signature"].as_string().value_or(""));
  base::Ed25519Signature fixed{};
  if (!payload || !signature || signature->size() != fixed.size()) {
    return Error{Code::Invalid, "the plan's envelope is malformed"};
  }
  std::copy(signature->begin(), signature->end(), fixed.begin());
  const std::string_view text(reinterpret_cast<const char*>(payload->data()), payload->size());
  if (!base::ed25519_verify(key, signed_text(text), fixed)) {
    return Error{Code::Untrusted, "the plan is not signed with the key that this machine was booted with"};
  }
  return parse_plan(text);
}

}  // namespace nimbus::boot
