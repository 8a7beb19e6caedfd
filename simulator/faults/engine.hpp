// FaultEngine: the rules in force, how often each was used, and the dice. Knows no
// socket: asked once per request what is to go wrong with it. Seeded: the same requests
// in the same order meet the same faults. Thread rule: one thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "simulator/faults/fault.hpp"
#include "simulator/http/message.hpp"
#include "simulator/model/random.hpp"

namespace nimbus::simulator {

/// What a request meets, all rules together.
struct Trouble {
  bool drop = false;
  bool garbage = false;
  bool duplicate = false;
  bool lie = false;
  bool stale = false;
  bool no_sessions = false;
  std::chrono::milliseconds delay{0};
  std::optional<int> status;
  std::optional<int> retry_after;
  std::optional<std::uint8_t> completion_code;
  std::optional<std::size_t> truncate_after;
  std::optional<std::size_t> bytes_per_second;
};

class FaultEngine {
 public:
  explicit FaultEngine(std::uint64_t seed) : random_(seed) {}

  struct Active {
    std::uint64_t id = 0;
    FaultRule rule;
    MonoTime since;
    std::uint64_t used = 0;
  };
  std::uint64_t add(FaultRule rule, MonoTime now);
  bool remove(std::uint64_t id);
  void clear() { rules_.clear(); }
  const std::vector<Active>& rules() const noexcept { return rules_; }
  bool empty() const noexcept { return rules_.empty(); }
  /// Counts a rule that the caller carried out, as an event.
  void count_use(std::uint64_t id);

  Trouble for_ipmi(std::string_view machine, MonoTime now);
  Trouble for_redfish(std::string_view machine, const http::Request& request, MonoTime now);
  /// Whether the rule is meant for this machine at all.
  static bool concerns(const FaultRule& rule, std::string_view machine) noexcept;

 private:
  bool applies(Active& active, FaultSide side, std::string_view machine, MonoTime now);
  static void add_to(Trouble& trouble, const FaultRule& rule);

  std::vector<Active> rules_;
  std::uint64_t next_id_ = 1;
  Random random_;
};

}  // namespace nimbus::simulator
