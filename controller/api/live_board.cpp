#include "controller/api/live_board.hpp"

#include <limits>
#include <utility>

#include "base/json/json.hpp"
#include "controller/status/describe.hpp"

namespace nimbus::controller {
namespace {

using base::Json;
using registry::ConditionValue;
using registry::MachineStatus;

/// Conditions that are news when they are true, most urgent first.
constexpr std::string_view kNoteworthy[] = {"hold", "maintenance", "drift"};

std::string machine_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  return file.ends_with(".toml") ? file.substr(0, file.size() - 5) : std::string();
}

HealthWord because(MachineHealth health, const registry::Condition& condition) {
  return {.health = health, .reason = condition.reason, .message = condition.message, .since = condition.since};
}

Json event_of(const MachineStatus& status, const std::string& headline) {
  const HealthWord word = judge(status);
  Json data = Json::object({{"headline", headline},
                            {"health", to_string(word.health)},
                            {"reason", word.reason},
                            {"message", word.message},
                            {"power", status.power ? Json(to_string(*status.power)) : Json()}});
  return data;
}

}  // namespace

std::string_view to_string(MachineHealth health) noexcept {
  switch (health) {
    case MachineHealth::Ok:
      return "ok";
    case MachineHealth::Attention:
      return "attention";
    case MachineHealth::Unknown:
      return "unknown";
    case MachineHealth::Trouble:
      return "trouble";
  }
  return "unknown";
}

std::optional<MachineHealth> parse_machine_health(std::string_view text) noexcept {
  for (const auto health :
       {MachineHealth::Ok, MachineHealth::Attention, MachineHealth::Unknown, MachineHealth::Trouble}) {
    if (text == to_string(health)) return health;
  }
  return std::nullopt;
}

HealthWord judge(const MachineStatus& status) {
  const auto ready = status.conditions.find("ready");
  if (ready == status.conditions.end()) return {};
  if (ready->second.value == ConditionValue::False) return because(MachineHealth::Trouble, ready->second);
  if (ready->second.value != ConditionValue::True) return because(MachineHealth::Unknown, ready->second);
  for (const auto name : kNoteworthy) {
    const auto condition = status.conditions.find(std::string(name));
    if (condition != status.conditions.end() && condition->second.value == ConditionValue::True) {
      return because(MachineHealth::Attention, condition->second);
    }
  }
  return because(MachineHealth::Ok, ready->second);
}

void LiveBoard::seen(const MachineFacts& facts) {
  next_.seen(facts);
  const std::string& name = facts.machine.desired->id.machine;
  std::optional<MachineStatus> before;
  auto last_power = facts.report.power;
  {
    const std::lock_guard lock(mutex_);
    const auto known = live_.find(name);
    if (!last_power.is_known() && known != live_.end()) last_power = known->second->last_power;
    if (auto seed = seeds_.extract(name)) {
      before = std::move(seed.mapped());
    } else if (known != live_.end()) {
      before = known->second->status;
    }
  }
  const WallTime now = clock_.wall();
  auto live = std::make_shared<LiveMachine>(LiveMachine{facts, describe(facts, before, now), now, last_power});
  const bool news = !before || *before != live->status;
  const std::string said = news ? headline(before, live->status) : std::string();
  {
    const std::lock_guard lock(mutex_);
    // A pass that ends after its machine left the registry must not bring it back.
    if (registry_ && !registry_->machines.contains(name)) return;
    live_[name] = live;
  }
  if (news) events_.publish("machine", name, event_of(live->status, said));
}

void LiveBoard::accepted(std::shared_ptr<const AcceptedRegistry> registry) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto before = std::exchange(registry_, registry);
    const bool same = before && before->machines.has_names_of(registry->machines);
    for (auto at = live_.begin(); !same && at != live_.end();) {
      if (registry->machines.contains(at->first)) {
        ++at;
        continue;
      }
      gone.push_back(at->first);
      at = live_.erase(at);
    }
  }
  for (const auto& name : gone) {
    events_.publish("machine", name, Json::object({{"headline", "no longer in the registry"}}));
  }
  events_.publish("registry", "",
                  Json::object({{"headline", "registry accepted"},
                                {"observed_commit", registry->observed_commit},
                                {"accepted_commit", registry->accepted_commit},
                                {"machines", registry->machines.size()},
                                {"problems", registry->problems.size()}}));
}

void LiveBoard::seed(const std::map<std::string, std::string>& documents) {
  std::map<std::string, MachineStatus> seeds;
  for (const auto& [path, text] : documents) {
    if (path.find("/machines/") == std::string::npos) continue;
    if (auto status = registry::parse_machine_status(text, path))
      seeds.insert_or_assign(machine_of(path), std::move(*status));
  }
  const std::lock_guard lock(mutex_);
  seeds_ = std::move(seeds);
}

LiveBoard::Entry LiveBoard::entry(const std::string& name, const AcceptedMachine& machine) const {
  const auto live = live_.find(name);
  return {name, machine, live == live_.end() ? nullptr : live->second};
}

std::optional<LiveBoard::Entry> LiveBoard::machine(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (!registry_) return std::nullopt;
  const auto found = registry_->machines.find(name);
  if (found == registry_->machines.end()) return std::nullopt;
  return entry(name, found->second);
}

std::vector<LiveBoard::Entry> LiveBoard::page(const std::string& after, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  if (!registry_) return entries;
  for (auto at = registry_->machines.upper_bound(after); at != registry_->machines.end() && entries.size() < most;
       ++at) {
    entries.push_back(entry(at->first, at->second));
  }
  return entries;
}

std::vector<LiveBoard::Entry> LiveBoard::all() const { return page("", std::numeric_limits<std::size_t>::max()); }

std::shared_ptr<const AcceptedRegistry> LiveBoard::registry() const {
  const std::lock_guard lock(mutex_);
  return registry_;
}

}  // namespace nimbus::controller
