// SdrRepository: the sensor data records of one BMC, read once and kept while the
// repository's own timestamps say that nothing changed (IPMI v2.0 rev 1.1, section 33).
//
// Bounded: at most kMaxSdrRecords; a BMC whose records go round in a circle is
// Corrupt. A record that makes no sense is left out.
//
// Thread rule: as Client.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/call.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/sdr.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kMaxSdrRecords = 4096;

class SdrRepository {
 public:
  struct Contents {
    std::vector<SensorRecord> sensors;
    std::vector<FruLocator> frus;
    const SensorRecord* find(std::uint8_t owner, std::uint8_t lun, std::uint8_t number) const noexcept;
  };
  /// What the BMC has, read anew only if it changed. The reference holds until the next
  /// call. A BMC without a repository is asked for its own device records (section 35); one
  /// without either has nothing. Errors: also Busy (the repository
  /// kept changing while it was read).
  Result<const Contents*> contents(Client& client, const Call& call);

 private:
  /// What must be the same for the records to be the same.
  struct Version {
    unsigned long session = 0;
    std::vector<std::uint8_t> info;  // count and both timestamps; or all of a device's info
    friend bool operator==(const Version&, const Version&) = default;
  };
  std::optional<Version> version_;
  Contents contents_;
};

}  // namespace nimbus::ipmi
