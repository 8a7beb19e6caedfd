#include "boot/service.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/json/json.hpp"

namespace nimbus::boot {
namespace {

using base::Json;

bool is_last_word(Stage stage) { return stage == Stage::Installed || stage == Stage::Erased || stage == Stage::Failed; }

}  // namespace

Result<std::unique_ptr<Service>> Service::open(const std::string& state_folder, ScriptFacts facts,
                                               std::function<std::string()> make_token) {
  std::unique_ptr<Service> service(new Service(state_folder + "/state.json", std::move(facts), std::move(make_token)));
  auto text = base::read_file(service->path_, base::kMostJsonBytes);
  if (!text && text.error().code == Code::NotFound) return service;
  if (!text) return std::move(text.error());
  if (auto loaded = service->load(*text); !loaded)
    return std::move(loaded.error()).with("while reading " + service->path_);
  return service;
}

Result<> Service::load(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = base::kMostJsonBytes, .depth = 8, .values = 400'000});
  if (!json) return std::move(json.error());
  auto orders = parse_orders((*json)["orders"].as_string().value_or(""));
  if (!orders) return std::move(orders.error());
  auto heard = parse_heard((*json)["heard"].as_string().value_or(""));
  if (!heard) return std::move(heard.error());
  orders_ = std::move(*orders);
  for (auto& [mac, one] : *heard) {
    slots_[mac] = {.heard = std::move(one), .token = std::string((*json)["tokens"][mac].as_string().value_or(""))};
  }
  return {};
}

Result<> Service::save() const {
  HeardByMac heard;
  Json tokens = Json::object();
  for (const auto& [mac, slot] : slots_) {
    heard.emplace(mac, slot.heard);
    tokens.set(mac, slot.token);
  }
  const Json json =
      Json::object().set("orders", to_json(orders_)).set("heard", to_json(heard)).set("tokens", std::move(tokens));
  return base::write_file_atomically(path_, json.text(), 0600);
}

Result<> Service::take(Orders orders) {
  const std::lock_guard lock(mutex_);
  if (orders == orders_) return {};
  std::map<std::string, Slot> slots;
  for (const auto& order : orders.machines) {
    if (!order.run) continue;
    const auto known = slots_.find(order.mac);
    const bool same = known != slots_.end() && known->second.heard.run == order.run->run &&
                      known->second.heard.nonce == order.run->nonce;
    slots[order.mac] =
        same ? known->second : Slot{.heard = {.run = order.run->run, .nonce = order.run->nonce}, .token = {}};
  }
  auto before = std::exchange(orders_, std::move(orders));
  slots_.swap(slots);
  auto saved = save();
  if (!saved) {  // serve on what is on disk
    orders_ = std::move(before);
    slots_.swap(slots);
  }
  return saved;
}

Orders Service::orders() const {
  const std::lock_guard lock(mutex_);
  return orders_;
}

const MachineOrder* Service::order_of(std::string_view mac) const {
  const auto found = std::find_if(orders_.machines.begin(), orders_.machines.end(),
                                  [&](const auto& order) { return order.mac == mac; });
  return found == orders_.machines.end() ? nullptr : &*found;
}

bool Service::bootable(const MachineOrder& order) const {
  if (!order.run) return false;
  const auto slot = slots_.find(order.mac);
  if (slot == slots_.end()) return false;
  const auto& heard = slot->second.heard;
  return !heard.plan_taken && !(heard.last && is_last_word(heard.last->stage));
}

std::optional<std::string> Service::script(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const std::string mac = mac_of(text);
  const MachineOrder* order = order_of(mac);
  if (order == nullptr) return disk_script(Handover::Exit);
  if (!bootable(*order)) return disk_script(order->handover);
  Slot& slot = slots_.at(mac);
  slot.token = make_token_();
  slot.heard.script_served = true;
  if (!save()) return disk_script(order->handover);  // a token that could be forgotten is none
  return install_script(facts_, *order, slot.token);
}

std::map<std::string, Service::Slot>::iterator Service::slot_of_token(std::string_view token) {
  return std::find_if(slots_.begin(), slots_.end(), [&](const auto& entry) {
    const std::string& known = entry.second.token;
    return !known.empty() && known.size() == token.size() &&
           base::equal_constant_time(base::as_bytes(known), base::as_bytes(token));
  });
}

Result<std::string> Service::plan(std::string_view token) {
  const std::lock_guard lock(mutex_);
  const auto slot = slot_of_token(token);
  const MachineOrder* order = slot == slots_.end() ? nullptr : order_of(slot->first);
  if (order == nullptr || !bootable(*order)) {
    return Error{Code::Auth, "no plan for this token: it is used up, or its run is over"};
  }
  slot->second.heard.plan_taken = true;
  if (auto saved = save(); !saved) {
    slot->second.heard.plan_taken = false;
    return std::move(saved.error());
  }
  return order->run->plan;
}

Result<> Service::report(std::string_view token, std::string_view body) {
  auto report = parse_report(body);
  if (!report) return std::move(report.error());
  const std::lock_guard lock(mutex_);
  const auto slot = slot_of_token(token);
  if (slot == slots_.end()) return Error{Code::Auth, "unknown token"};
  Heard& heard = slot->second.heard;
  if (report->run != heard.run || report->nonce != heard.nonce) {
    return Error{Code::Conflict, "the report is of another run"};
  }
  if (heard.last && is_last_word(heard.last->stage)) {
    if (report->stage == heard.last->stage) return {};  // our answer got lost
    return Error{Code::Conflict, "the run has ended"};
  }
  const bool progress = heard.last && heard.last->stage == report->stage;
  if (heard.last && report->inventory.disks.empty()) report->inventory = heard.last->inventory;
  const auto before = std::exchange(heard.last, std::move(*report));
  if (progress) return {};
  auto saved = save();
  if (!saved) heard.last = before;
  return saved;
}

HeardByMac Service::heard() const {
  const std::lock_guard lock(mutex_);
  HeardByMac out;
  for (const auto& [mac, slot] : slots_) out.emplace(mac, slot.heard);
  return out;
}

std::vector<std::string> Service::installing() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& order : orders_.machines) {
    if (bootable(order)) out.push_back(order.mac);
  }
  return out;
}

}  // namespace nimbus::boot
