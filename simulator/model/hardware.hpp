// Hardware: what a model of server consists of. One object is shared by all machines
// of a model; what differs between them (serial numbers, MAC addresses) is derived
// from the machine's name. Immutable after construction, so safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nimbus::simulator {

struct Processor {
  std::string socket;
  std::string manufacturer;
  std::string model;
  unsigned cores = 0;
  unsigned threads = 0;
  unsigned max_mhz = 0;
};

struct MemoryModule {
  std::string slot;
  std::string manufacturer;
  std::string part_number;
  unsigned size_gib = 0;
  unsigned speed_mhz = 0;
};

enum class MediaKind : std::uint8_t { Hdd, Ssd, Nvme };

struct Drive {
  std::string id;
  std::string manufacturer;
  std::string model;
  MediaKind kind = MediaKind::Nvme;
  std::uint64_t size_bytes = 0;
};

struct Nic {
  std::string id;
  std::string description;
  unsigned speed_mbps = 0;
};

/// What a sensor measures. The numbers are IPMI's sensor types (IPMI 2.0, table 42-3).
enum class SensorKind : std::uint8_t { Temperature = 0x01, Voltage = 0x02, Fan = 0x04, Power = 0x0b };

struct Thresholds {
  std::optional<double> lower_critical, lower_caution, upper_caution, upper_critical;
};

enum class WhenOff : std::uint8_t { StillReads, Unavailable };

/// A threshold sensor. IPMI sends raw = (value - offset) / scale in one byte.
struct Sensor {
  std::uint8_t number = 0;
  std::string name;
  SensorKind kind = SensorKind::Temperature;
  double normal = 0;  // reading of a running machine
  double idle = 0;    // reading of one that is off, if it still reads
  double spread = 0;  // readings differ by up to this from those
  double scale = 1;
  double offset = 0;
  Thresholds thresholds;
  WhenOff when_off = WhenOff::Unavailable;
  std::string context;  // Redfish PhysicalContext
};

using AttributeValue = std::variant<std::string, std::int64_t, bool>;

/// A firmware setting, as a Redfish attribute registry describes it.
struct Attribute {
  std::string name;
  std::string display;
  AttributeValue fallback;
  std::vector<std::string> values;  // of an enumeration
  std::int64_t least = 0;           // of an integer
  std::int64_t most = 0;
  bool read_only = false;
};

struct Hardware {
  std::string id;
  std::string manufacturer;
  std::string model;
  std::string part_number;
  std::string arch;  // "x86_64" | "aarch64"
  std::string bios_version;
  std::string bmc_firmware;  // "2.14"
  std::uint16_t bmc_product_id = 0;
  std::vector<Processor> processors;
  std::vector<MemoryModule> memory;
  std::vector<Drive> drives;
  std::vector<Nic> nics;
  std::vector<Sensor> sensors;
  std::vector<Attribute> attributes;

  unsigned memory_gib() const noexcept;
  unsigned cores() const noexcept;
  unsigned threads() const noexcept;
  const Sensor* sensor(std::uint8_t number) const noexcept;
  const Attribute* attribute(std::string_view name) const noexcept;
};

/// A plain two-socket server: what a fleet file gets if it describes nothing else.
Hardware generic_server();

}  // namespace nimbus::simulator
