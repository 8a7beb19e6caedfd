#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "registry/plan/object_plans.hpp"

namespace nimbus::registry {
namespace {

class LimitJudge {
 public:
  explicit LimitJudge(const Snapshot& base) : base_(base) {}

  std::vector<LimitVerdict> run(const std::vector<PlanItem>& items) {
    const Limits limits = base_.limits != nullptr ? base_.limits->value : Limits{};
    std::map<std::string, std::array<std::int64_t, 4>> asked;  // destructive, rebooting, installing, removed
    for (const auto& item : items) {
      auto& counts = asked[item.provider];
      if (item.data_loss() != DataLoss::No) ++counts[0];
      const bool live = std::ranges::any_of(
          item.changes, [](const Change& c) { return c.effect == Effect::Reboot && c.blocked.empty(); });
      const bool installs = std::ranges::any_of(item.changes, [](const Change& c) {
        return (c.effect == Effect::Install || c.effect == Effect::Reinstall) && c.blocked.empty();
      });
      if (live) ++counts[1];
      if (installs) ++counts[2];
      if (leaves_registry(item)) ++counts[3];
    }
    for (const auto& [provider, counts] : asked) {
      if (provider.empty()) continue;
      destructive(provider, counts[0], limits);
      removal(provider, counts[3], limits);
      const auto* own = find_provider(base_, provider);
      const auto disruption = own != nullptr ? own->value.provider.disruption : Provider::Disruption{};
      queues(provider, "disruption.machines_rebooting", counts[1], disruption.machines_rebooting,
             limits.disruption.machines_rebooting);
      queues(provider, "disruption.machines_installing", counts[2], disruption.machines_installing,
             limits.disruption.machines_installing);
    }
    return std::move(out_);
  }

 private:
  std::int64_t machines_of(const std::string& provider) const {
    return std::ranges::count_if(base_.machines, [&](const auto& entry) { return entry->provider == provider; });
  }

  /// Nothing is destroyed by it, but a registry that suddenly lost its machines is
  /// rather a mistake than a wish.
  void removal(const std::string& provider, std::int64_t asked, const Limits& limits) {
    if (asked == 0) return;
    const std::int64_t allowed = most_removed(machines_of(provider), limits);
    out_.push_back({asked > allowed ? LimitVerdict::Kind::Holds : LimitVerdict::Kind::Within, provider,
                    std::string(kRemovalRule), asked, allowed});
  }

  void destructive(const std::string& provider, std::int64_t asked, const Limits& limits) {
    if (asked == 0) return;
    const auto machines = machines_of(provider);
    const std::int64_t by_percent = machines * limits.destructive.percent / 100;
    const std::int64_t allowed = std::max<std::int64_t>(1, std::min(limits.destructive.count, by_percent));
    out_.push_back({asked > allowed ? LimitVerdict::Kind::Holds : LimitVerdict::Kind::Within, provider,
                    limits.destructive.count <= by_percent ? "destructive.count" : "destructive.percent", asked,
                    allowed});
  }

  void queues(const std::string& provider, std::string rule, std::int64_t asked, std::optional<std::int64_t> own,
              std::optional<std::int64_t> policy) {
    if (asked == 0 || (!own && !policy)) return;
    const auto allowed = std::min(own.value_or(INT64_MAX), policy.value_or(INT64_MAX));
    out_.push_back({asked > allowed ? LimitVerdict::Kind::Queues : LimitVerdict::Kind::Within, provider,
                    std::move(rule), asked, allowed});
  }

  const Snapshot& base_;
  std::vector<LimitVerdict> out_;
};

}  // namespace

bool leaves_registry(const PlanItem& item) noexcept {
  return item.object == FileKind::Machine && item.kind == PlanItem::Kind::Removed;
}

std::vector<LimitVerdict> limits_of(const std::vector<PlanItem>& items, const Snapshot& base) {
  return LimitJudge(base).run(items);
}

std::int64_t most_removed(std::int64_t machines, const Limits& limits) noexcept {
  return std::max<std::int64_t>(1, machines * limits.destructive.percent / 100);
}

}  // namespace nimbus::registry
