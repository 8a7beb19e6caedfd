// What the installer tells while it works. Carried by nimbus-boot, which checks the
// token, to nimbusd, which checks run and nonce. Everything in it is hostile until
// then, and its texts are cut and made printable where they are shown.
//
// Thread rule: plain values and pure functions. Errors: Invalid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/choice.hpp"
#include "core/desired/provider.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

inline constexpr std::size_t kMostReportBytes = std::size_t{256} << 10U;

/// In the order of a run. Installed, Erased and Failed are last words.
enum class Stage : std::uint8_t { CheckedIn, Writing, Written, Installed, Erasing, Erased, Failed };
constexpr bool is_last_word(Stage stage) noexcept {
  return stage == Stage::Installed || stage == Stage::Erased || stage == Stage::Failed;
}

struct DiskReport {
  std::string id, serial, wwn, model, path;
  std::int64_t bytes = 0;
  friend bool operator==(const DiskReport&, const DiskReport&) = default;
};

struct EraseReport {
  std::string disk;
  std::string level, method;
  bool verified = false;
  std::string error;  // empty: erased
  friend bool operator==(const EraseReport&, const EraseReport&) = default;
};

/// What was heard on the wire of one NIC (LLDP).
struct NeighbourReport {
  std::string nic;  // its MAC address
  std::string chassis, port, system;
  friend bool operator==(const NeighbourReport&, const NeighbourReport&) = default;
};

struct PciReport {
  std::string address, kind, id;  // "0000:3b:00.0", "020000", "8086:1592"
  friend bool operator==(const PciReport&, const PciReport&) = default;
};

struct Inventory {
  Identity identity;
  std::int64_t cpus = 0;
  std::int64_t memory_bytes = 0;
  std::vector<DiskReport> disks;
  std::vector<std::string> macs;
  std::string tpm;  // "2.0", "1.2"; empty: none seen
  std::vector<NeighbourReport> neighbours;
  std::vector<PciReport> pci;
  friend bool operator==(const Inventory&, const Inventory&) = default;
};

struct Report {
  std::string run, nonce;
  Stage stage = Stage::CheckedIn;
  std::int64_t done_bytes = 0, all_bytes = 0;
  std::string disk;      // id of the disk written
  std::string host_key;  // "ssh-ed25519 AAAA…"
  std::string message;   // why it failed
  Inventory inventory;   // with CheckedIn, and when neighbours were heard since
  std::vector<EraseReport> erased;
  friend bool operator==(const Report&, const Report&) = default;
};

std::string to_json(const Report& report);
Result<Report> parse_report(std::string_view json);

}  // namespace nimbus::boot

template <>
inline constexpr auto nimbus::kChoiceNames<nimbus::boot::Stage> = nimbus::choice_names("checked-in", "writing",
                                                                                       "written", "installed",
                                                                                       "erasing", "erased", "failed");
