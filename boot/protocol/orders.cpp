#include "boot/protocol/orders.hpp"

#include "base/json/json.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::boot {
namespace {

using base::Json;
constexpr std::size_t kMostSealedPlan = std::size_t{1} << 20U;

Json run_json(const RunOrder& run) {
  return Json::object().set("run", run.run).set("nonce", run.nonce).set("plan", run.plan).set("key", run.key);
}

Result<MachineOrder> read_machine(const Json& json) {
  MachineOrder order;
  JsonFields fields(json);
  fields.text("mac", order.mac, 17);
  fields.text("name", order.name, 63);
  fields.text("address", order.address, 64);
  fields.choice("handover", order.handover);
  if (order.mac.size() != 17) fields.fail("mac");
  if (const Json& run = fields.child("run"); run.is_object()) {
    order.run.emplace();
    JsonFields each(run);
    each.text("run", order.run->run, 128);
    each.text("nonce", order.run->nonce, 128);
    each.text("plan", order.run->plan, kMostSealedPlan);
    each.text("key", order.run->key, 64);
    if (order.run->run.empty() || order.run->nonce.empty()) each.fail("run");
    if (auto read = each.result(); !read) return std::move(read.error());
  }
  if (auto read = fields.result(); !read) return std::move(read.error());
  return order;
}

}  // namespace

std::string to_json(const Orders& orders) {
  Json dns = Json::array();
  for (const auto& server : orders.dns) dns.push(server);
  Json machines = Json::array();
  for (const auto& order : orders.machines) {
    Json machine = Json::object()
                       .set("mac", order.mac)
                       .set("name", order.name)
                       .set("address", order.address)
                       .set("handover", std::string(name_of(order.handover)));
    if (order.run) machine.set("run", run_json(*order.run));
    machines.push(std::move(machine));
  }
  return Json::object()
      .set("dhcp", std::string(name_of(orders.dhcp)))
      .set("cidr", orders.cidr)
      .set("gateway", orders.gateway)
      .set("dns", std::move(dns))
      .set("machines", std::move(machines))
      .text();
}

Result<Orders> parse_orders(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostOrderBytes, .depth = 8, .values = 200'000});
  if (!json) return std::move(json.error()).with("while reading orders");
  Orders orders;
  JsonFields fields(*json);
  fields.choice("dhcp", orders.dhcp);
  fields.text("cidr", orders.cidr, 64);
  fields.text("gateway", orders.gateway, 64);
  fields.texts("dns", orders.dns, 8);
  if (auto read = fields.result(); !read) return std::move(read.error()).with("while reading orders");
  for (const auto& item : fields.child("machines").items()) {
    auto machine = read_machine(item);
    if (!machine) return std::move(machine.error()).with("while reading orders");
    orders.machines.push_back(std::move(*machine));
  }
  return orders;
}

std::string to_json(const HeardByMac& heard) {
  Json out = Json::object();
  for (const auto& [mac, one] : heard) {
    Json item = Json::object()
                    .set("run", one.run)
                    .set("nonce", one.nonce)
                    .set("script_served", one.script_served)
                    .set("plan_taken", one.plan_taken);
    if (one.last) item.set("last", to_json(*one.last));
    out.set(mac, std::move(item));
  }
  return out.text();
}

Result<HeardByMac> parse_heard(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostOrderBytes, .depth = 8, .values = 200'000});
  if (!json) return std::move(json.error()).with("while reading what nimbus-boot heard");
  HeardByMac heard;
  for (const auto& [mac, item] : json->members()) {
    Heard one;
    JsonFields fields(item);
    fields.text("run", one.run, 128);
    fields.text("nonce", one.nonce, 128);
    fields.flag("script_served", one.script_served);
    fields.flag("plan_taken", one.plan_taken);
    std::string last;
    fields.text("last", last, kMostReportBytes);
    if (auto read = fields.result(); !read) return std::move(read.error());
    if (!last.empty()) {
      auto report = parse_report(last);
      if (!report) return std::move(report.error());
      one.last = std::move(*report);
    }
    heard.emplace(mac, std::move(one));
  }
  return heard;
}

}  // namespace nimbus::boot
