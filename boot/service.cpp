#include "boot/service.hpp"

#include <algorithm>
#include <utility>

#include "base/crypto/crypto.hpp"

namespace nimbus::boot {
namespace {

Orders without_machines(const Orders& orders) {
  return {.dhcp = orders.dhcp, .cidr = orders.cidr, .gateway = orders.gateway, .dns = orders.dns, .machines = {}};
}

/// What is kept must be readable at the next start, and may be longer than what came.
bool can_be_kept(const Report& report) { return to_json(report).size() <= kMostReportBytes; }

/// With what was heard of the run, if it is the same run.
KeptMachine machine_for(const MachineOrder& order, const KeptMachine* known) {
  if (!order.run) return {.order = order, .heard = {}, .token = {}};
  const bool same = known != nullptr && known->heard.run == order.run->run && known->heard.nonce == order.run->nonce;
  if (same) return {.order = order, .heard = known->heard, .token = known->token};
  return {.order = order, .heard = {.run = order.run->run, .nonce = order.run->nonce, .last = {}}, .token = {}};
}

}  // namespace

Result<std::unique_ptr<Service>> Service::open(const std::string& state_folder, ScriptFacts facts,
                                               std::function<std::string()> make_token, const Clock& clock) {
  auto store = StateStore::open(state_folder + "/state.db");
  if (!store) return std::move(store.error());
  auto kept = store->load();
  if (!kept) return std::move(kept.error()).with("while reading " + state_folder + "/state.db");
  return std::unique_ptr<Service>(
      new Service(std::move(*store), std::move(*kept), std::move(facts), std::move(make_token), clock));
}

Service::Service(StateStore store, KeptState kept, ScriptFacts facts, std::function<std::string()> make_token,
                 const Clock& clock)
    : facts_(std::move(facts)),
      make_token_(std::move(make_token)),
      clock_(clock),
      begun_(clock.now()),
      store_(std::move(store)),
      network_(std::move(kept.network)),
      machines_(std::move(kept.machines)) {}

Result<> Service::take(OrdersUpdate whole) {
  const std::lock_guard lock(mutex_);
  Orders served = network_;
  for (const auto& [mac, machine] : machines_) served.machines.push_back(machine.order);
  if (auto taken = take_over(changes_between(served, whole.orders)); !taken) return taken;
  mark_ = std::move(whole.mark);
  return {};
}

Result<> Service::change(OrdersUpdate changes) {
  const std::lock_guard lock(mutex_);
  const OrderMark before{changes.mark.epoch, changes.mark.number - 1};
  if (mark_.epoch.empty() || mark_ != before) {
    return Error{Code::Conflict, "these changes are not for the orders that are served; the whole is needed"};
  }
  if (auto taken = take_over(changes); !taken) return taken;
  mark_ = std::move(changes.mark);
  return {};
}

Result<> Service::take_over(const OrdersUpdate& changes) {
  Orders network = without_machines(changes.orders);
  if (network == network_ && changes.orders.machines.empty() && changes.removed.empty()) return {};
  std::vector<KeptMachine> next;
  next.reserve(changes.orders.machines.size());
  for (const auto& order : changes.orders.machines) {
    const auto known = machines_.find(order.mac);
    next.push_back(machine_for(order, known == machines_.end() ? nullptr : &known->second));
  }
  std::vector<const KeptMachine*> changed;
  changed.reserve(next.size());
  for (const auto& machine : next) changed.push_back(&machine);
  // What cannot be kept is not served.
  if (auto saved = store_.save(network, changed, changes.removed); !saved) return saved;
  network_ = std::move(network);
  for (const auto& mac : changes.removed) {
    machines_.erase(mac);
    spoke_.erase(mac);
  }
  for (auto& machine : next) {
    std::string mac = machine.order.mac;
    machines_.insert_or_assign(std::move(mac), std::move(machine));
  }
  return {};
}

Orders Service::hosts() const {
  const std::lock_guard lock(mutex_);
  Orders out = network_;
  out.machines.reserve(machines_.size());
  for (const auto& [mac, machine] : machines_) {
    const auto& order = machine.order;
    out.machines.push_back(
        {.mac = mac, .name = order.name, .address = order.address, .handover = order.handover, .run = {}});
  }
  return out;
}

std::optional<std::string> Service::script(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const auto found = machines_.find(mac_of(text));
  if (found == machines_.end()) return disk_script(Handover::Exit);
  KeptMachine& machine = found->second;
  if (!boots_installer(machine)) {
    note_restart(machine);
    return disk_script(machine.order.handover);
  }
  machine.token = make_token_();
  machine.heard.script_served = true;
  if (!store_.save(machine)) return disk_script(machine.order.handover);  // a token that could be forgotten is none
  return install_script(facts_, machine.order, machine.token);
}

/// Firmware asks while the installer should be at work: it is not any more.
void Service::note_restart(KeptMachine& machine) {
  auto& heard = machine.heard;
  const bool over = heard.last && is_last_word(heard.last->stage);
  if (!machine.order.run || !heard.plan_taken || over || heard.restarted) return;
  heard.restarted = true;
  if (!store_.save(machine)) heard.restarted = false;  // it will ask again, or be silent
}

std::map<std::string, KeptMachine>::iterator Service::machine_of_token(std::string_view token) {
  return std::find_if(machines_.begin(), machines_.end(), [&](const auto& entry) {
    const std::string& known = entry.second.token;
    return !known.empty() && known.size() == token.size() &&
           base::equal_constant_time(base::as_bytes(known), base::as_bytes(token));
  });
}

Result<std::string> Service::plan(std::string_view token) {
  const std::lock_guard lock(mutex_);
  const auto found = machine_of_token(token);
  if (found == machines_.end() || !boots_installer(found->second)) {
    return Error{Code::Auth, "no plan for this token: it is used up, or its run is over"};
  }
  KeptMachine& machine = found->second;
  machine.heard.plan_taken = true;
  if (auto saved = store_.save(machine); !saved) {
    machine.heard.plan_taken = false;
    return std::move(saved.error());
  }
  spoke_[found->first] = clock_.now();
  return machine.order.run->plan;
}

Result<> Service::report(std::string_view token, std::string_view body) {
  auto report = parse_report(body);
  if (!report) return std::move(report.error());
  const std::lock_guard lock(mutex_);
  const auto found = machine_of_token(token);
  if (found == machines_.end()) return Error{Code::Auth, "unknown token"};
  Heard& heard = found->second.heard;
  if (report->run != heard.run || report->nonce != heard.nonce) {
    return Error{Code::Conflict, "the report is of another run"};
  }
  spoke_[found->first] = clock_.now();
  if (heard.last && is_last_word(heard.last->stage)) {
    if (report->stage == heard.last->stage) return {};  // our answer got lost
    return Error{Code::Conflict, "the run has ended"};
  }
  const bool progress = heard.last && heard.last->stage == report->stage;
  if (heard.last && report->inventory.disks.empty()) {
    const Inventory own = std::exchange(report->inventory, heard.last->inventory);
    if (!can_be_kept(*report)) report->inventory = own;
  }
  if (!can_be_kept(*report)) return Error{Code::Invalid, "the report is too large"};
  const auto before = std::exchange(heard.last, std::move(*report));
  if (progress) return {};
  auto saved = store_.save(found->second);
  if (!saved) heard.last = before;
  return saved;
}

std::optional<Heard> Service::heard(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  const auto found = machines_.find(mac_of(text));
  if (found == machines_.end() || !found->second.order.run) return std::nullopt;
  Heard heard = found->second.heard;
  if (heard.plan_taken) {
    const auto spoke = spoke_.find(found->first);
    const MonoTime since = spoke == spoke_.end() ? begun_ : spoke->second;
    heard.silent = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - since);
  }
  return heard;
}

std::set<std::string> Service::images() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [mac, machine] : machines_) {
    if (machine.order.run && !machine.order.run->image.empty()) out.insert(machine.order.run->image);
  }
  return out;
}

std::set<std::string> Service::installing() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (const auto& [mac, machine] : machines_) {
    if (boots_installer(machine)) out.insert(mac);
  }
  return out;
}

}  // namespace nimbus::boot
