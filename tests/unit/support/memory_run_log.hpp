// A journal in memory. It survives "crashes": whoever is made anew on the same log
// has been restarted. Thread rule: safe from any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/machine/run.hpp"

namespace nimbus::testing {

class MemoryRunLog final : public controller::RunLog, public controller::FactLog {
 public:
  Result<std::int64_t> begin(const MachineId& machine, const controller::Run& run) override {
    const std::lock_guard lock(mutex_);
    if (broken) return Error{Code::Internal, "disk full"};
    if (while_beginning) while_beginning();
    entries_.emplace_back(machine, run);
    entries_.back().second.id = static_cast<std::int64_t>(entries_.size());
    return entries_.back().second.id;
  }
  Result<> finish(std::int64_t id, controller::RunOutcome outcome, const std::string& detail, WallTime at) override {
    const std::lock_guard lock(mutex_);
    auto& run = entries_.at(static_cast<std::size_t>(id - 1)).second;
    run.outcome = outcome;
    run.detail = detail;
    run.finished = at;
    return {};
  }
  Result<std::vector<controller::Run>> last_runs(const MachineId& machine, std::size_t most) override {
    const std::lock_guard lock(mutex_);
    std::vector<controller::Run> newest;
    for (auto at = entries_.rbegin(); at != entries_.rend() && newest.size() < most; ++at) {
      if (at->first == machine) newest.push_back(at->second);
    }
    return newest;
  }
  Result<> remember(const std::string& key, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    if (broken) return Error{Code::Internal, "disk full"};
    facts_[key] = value;
    return {};
  }
  Result<std::optional<std::string>> recall(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = facts_.find(key);
    return found == facts_.end() ? std::optional<std::string>() : found->second;
  }
  /// All, oldest first.
  std::vector<controller::Run> runs() const {
    const std::lock_guard lock(mutex_);
    std::vector<controller::Run> all;
    for (const auto& entry : entries_) all.push_back(entry.second);
    return all;
  }
  bool broken = false;
  std::function<void()> while_beginning;  // must not use this log

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<MachineId, controller::Run>> entries_;
  std::map<std::string, std::string> facts_;
};

}  // namespace nimbus::testing
