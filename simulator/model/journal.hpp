// Journal: everything that reached one machine, in order: the independent truth that
// a test compares with what a client believes. Holds no passwords.
//
// The newest kCapacity entries are kept; `total` counts all. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace nimbus::simulator {

/// Where something came from. Machine: the machine itself, as when it finished booting.
enum class Source : std::uint8_t { Machine, Ipmi, Redfish, Control, Fault };
std::string_view to_string(Source source) noexcept;

struct JournalEntry {
  std::uint64_t number = 0;  // 1, 2, 3 … per machine
  WallTime at{};
  Source source = Source::Machine;
  std::string what;     // "chassis-control", "POST /redfish/v1/…", "powered-on"
  std::string detail;   // "power-up", "ForceOff"
  std::string outcome;  // "ok", "0xd4", "409"
};

class Journal {
 public:
  static constexpr std::size_t kCapacity = 2000;
  static constexpr std::size_t kMostText = 1024;  // of one part of an entry; the rest is cut off

  void add(JournalEntry entry);
  const std::deque<JournalEntry>& entries() const noexcept { return entries_; }
  std::uint64_t total() const noexcept { return total_; }

 private:
  std::deque<JournalEntry> entries_;
  std::uint64_t total_ = 0;
};

}  // namespace nimbus::simulator
