#include "boot/protocol/orders.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/json/json.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::boot {
namespace {

using base::Json;
constexpr std::size_t kMostSealedPlan = std::size_t{1} << 20U;
constexpr std::int64_t kMostParts = 256;
constexpr std::size_t kMostMachines = 20'000;
constexpr std::size_t kMacSize = 17;

Json run_json(const RunOrder& run) {
  Json out = Json::object().set("run", run.run).set("nonce", run.nonce).set("plan", run.plan).set("key", run.key);
  if (!run.image.empty()) out.set("image", run.image);
  return out;
}

Json machine_json(const MachineOrder& order) {
  Json machine = Json::object()
                     .set("mac", order.mac)
                     .set("name", order.name)
                     .set("address", order.address)
                     .set("handover", std::string(name_of(order.handover)));
  if (order.run) machine.set("run", run_json(*order.run));
  return machine;
}

Result<MachineOrder> read_machine(const Json& json) {
  MachineOrder order;
  JsonFields fields(json);
  fields.text("mac", order.mac, kMacSize);
  fields.text("name", order.name, 63);
  fields.text("address", order.address, 64);
  fields.choice("handover", order.handover);
  if (order.mac.size() != kMacSize) fields.fail("mac");
  if (const Json& run = fields.child("run"); run.is_object()) {
    order.run.emplace();
    JsonFields each(run);
    each.text("run", order.run->run, 128);
    each.text("nonce", order.run->nonce, 128);
    each.text("plan", order.run->plan, kMostSealedPlan);
    each.text("key", order.run->key, 64);
    each.text("image", order.run->image, 64);
    if (order.run->run.empty() || order.run->nonce.empty()) each.fail("run");
    if (auto read = each.result(); !read) return std::move(read.error());
  }
  if (auto read = fields.result(); !read) return std::move(read.error());
  return order;
}

}  // namespace

OrdersUpdate changes_between(const Orders& before, const Orders& after) {
  std::unordered_map<std::string_view, const MachineOrder*> known;
  for (const auto& machine : before.machines) known[machine.mac] = &machine;
  OrdersUpdate update;
  update.orders = {.dhcp = after.dhcp, .cidr = after.cidr, .gateway = after.gateway, .dns = after.dns, .machines = {}};
  for (const auto& machine : after.machines) {
    const auto found = known.find(machine.mac);
    if (found == known.end() || *found->second != machine) update.orders.machines.push_back(machine);
    if (found != known.end()) known.erase(found);
  }
  for (const auto& [mac, machine] : known) update.removed.emplace_back(mac);
  return update;
}

std::string to_json(const MachineOrder& order) { return machine_json(order).text(); }

Result<MachineOrder> parse_machine_order(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostOrderBytes, .depth = 4, .values = 100});
  if (!json) return std::move(json.error());
  return read_machine(*json);
}

std::vector<OrdersUpdate> parts_of(OrdersUpdate update) {
  constexpr std::size_t kRoom = kMostOrderBytes - (std::size_t{1} << 20U);  // the rest is for what is removed
  constexpr std::size_t kMostInPart = 10'000;
  std::vector<MachineOrder> machines = std::exchange(update.orders.machines, {});
  std::vector<OrdersUpdate> parts{update};
  std::size_t bytes = 0;
  for (auto& machine : machines) {
    // Whatever has to be escaped in it.
    const std::size_t size = 1024 + (machine.run ? 2 * machine.run->plan.size() : 0);
    auto* part = &parts.back();
    if (!part->orders.machines.empty() && (bytes + size > kRoom || part->orders.machines.size() >= kMostInPart)) {
      part->more = true;
      OrdersUpdate next{.mark = update.mark, .orders = update.orders, .removed = {}, .part = part->part + 1};
      part = &parts.emplace_back(std::move(next));
      bytes = 0;
    }
    bytes += size;
    part->orders.machines.push_back(std::move(machine));
  }
  return parts;
}

Result<std::optional<OrdersUpdate>> OrderParts::take(OrdersUpdate part) {
  auto before = std::exchange(begun_, std::nullopt);
  const bool next = before && before->mark == part.mark && before->part + 1 == part.part;
  if (part.part != 0 && !next) return Error{Code::Conflict, "a part of the orders is missing; the whole is needed"};
  if (part.part == 0)
    before = std::exchange(part, {});
  else {
    if (part.part >= kMostParts || before->orders.machines.size() + part.orders.machines.size() > kMostMachines)
      return Error{Code::Invalid, "too many orders"};
    before->part = part.part;
    before->more = part.more;
    std::move(part.orders.machines.begin(), part.orders.machines.end(), std::back_inserter(before->orders.machines));
  }
  if (before->more) {
    begun_ = std::move(before);
    return std::optional<OrdersUpdate>{};
  }
  before->part = 0;
  return before;
}

std::string to_json(const OrdersUpdate& update) {
  Json dns = Json::array();
  for (const auto& server : update.orders.dns) dns.push(server);
  Json::Array machines;
  machines.reserve(update.orders.machines.size());
  for (const auto& order : update.orders.machines) machines.push_back(machine_json(order));
  Json list = Json::array();
  list.adopt_items(std::move(machines));
  Json removed = Json::array();
  for (const auto& mac : update.removed) removed.push(mac);
  return Json::object()
      .set("epoch", update.mark.epoch)
      .set("number", update.mark.number)
      .set("dhcp", std::string(name_of(update.orders.dhcp)))
      .set("cidr", update.orders.cidr)
      .set("gateway", update.orders.gateway)
      .set("dns", std::move(dns))
      .set("machines", std::move(list))
      .set("removed", std::move(removed))
      .set("part", update.part)
      .set("more", update.more)
      .text();
}

Result<OrdersUpdate> parse_orders_update(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostOrderBytes, .depth = 8, .values = 200'000});
  if (!json) return std::move(json.error()).with("while reading orders");
  OrdersUpdate update;
  JsonFields fields(*json);
  fields.text("epoch", update.mark.epoch, 64);
  fields.number("number", update.mark.number);
  fields.choice("dhcp", update.orders.dhcp);
  fields.text("cidr", update.orders.cidr, 64);
  fields.text("gateway", update.orders.gateway, 64);
  fields.texts("dns", update.orders.dns, 8);
  fields.texts("removed", update.removed, kMostMachines);
  fields.number("part", update.part);
  fields.flag("more", update.more);
  for (const auto& mac : update.removed) {
    if (mac.size() != kMacSize) fields.fail("removed");
  }
  if (auto read = fields.result(); !read) return std::move(read.error()).with("while reading orders");
  for (const auto& item : fields.child("machines").items()) {
    auto machine = read_machine(item);
    if (!machine) return std::move(machine.error()).with("while reading orders");
    update.orders.machines.push_back(std::move(*machine));
  }
  return update;
}

std::string to_json(const Heard& heard) {
  Json out = Json::object()
                 .set("run", heard.run)
                 .set("nonce", heard.nonce)
                 .set("script_served", heard.script_served)
                 .set("plan_taken", heard.plan_taken)
                 .set("restarted", heard.restarted);
  if (heard.silent) out.set("silent_s", static_cast<std::int64_t>(heard.silent->count()));
  if (heard.last) out.set("last", to_json(*heard.last));
  return out.text();
}

Result<Heard> parse_heard(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = 4 * kMostReportBytes, .depth = 4, .values = 100});
  if (!json) return std::move(json.error()).with("while reading what nimbus-boot heard");
  Heard heard;
  JsonFields fields(*json);
  fields.text("run", heard.run, 128);
  fields.text("nonce", heard.nonce, 128);
  fields.flag("script_served", heard.script_served);
  fields.flag("plan_taken", heard.plan_taken);
  fields.flag("restarted", heard.restarted);
  std::optional<std::int64_t> silent;
  fields.optional_number("silent_s", silent);
  if (silent) heard.silent = std::chrono::seconds(*silent);
  std::string last;
  fields.text("last", last, kMostReportBytes);
  if (auto read = fields.result(); !read) return std::move(read.error());
  if (!last.empty()) {
    auto report = parse_report(last);
    if (!report) return std::move(report.error());
    heard.last = std::move(*report);
  }
  return heard;
}

}  // namespace nimbus::boot
