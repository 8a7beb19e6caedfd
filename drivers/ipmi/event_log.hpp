// The System Event Log (IPMI v2.0 rev 1.1, sections 31 and 32). Decoding is pure;
// EventLog reads. It only reads: nothing here clears a log.
//
// Thread rule: as Client.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "core/call.hpp"
#include "core/health.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/repository.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kSelRecordBytes = 16;

/// `record` in words; `sensors` may be nullptr, then sensors have no names and raw
/// readings no units. Never fails: what is not known is shown as bytes.
LogEntry describe_event(Bytes record, const SdrRepository::Contents* sensors);

/// Entries as they were read, kept as long as the log only grows: a log of thousands
/// of entries takes minutes on a slow BMC.
class EventLog {
 public:
  /// As BmcEventLog::entries; at most kKept.
  Result<std::vector<LogEntry>> entries(Client& client, SdrRepository& repository, std::size_t most, const Call& call);

  static constexpr std::size_t kKept = 1000;

 private:
  struct State {
    unsigned long session = 0;
    std::uint32_t erased = 0;  // timestamp of the last clear
    std::uint32_t added = 0;   // of the last entry
    std::uint16_t count = 0;
  };
  struct Record {
    std::uint16_t next = 0;
    std::vector<std::uint8_t> bytes;
  };
  static Result<State> read_state(Client& client, const Call& call);
  static Result<Record> read_record(Client& client, std::uint16_t id, const Call& call);
  Result<> walk(Client& client, std::uint16_t from, const Call& call);
  Result<> walk_from_known(Client& client, const State& now, const Call& call);
  Result<std::uint16_t> start(Client& client, const State& now, const Call& call) const;

  State state_;
  std::deque<Record> records_;  // the newest kKept, oldest first
};

}  // namespace nimbus::ipmi
