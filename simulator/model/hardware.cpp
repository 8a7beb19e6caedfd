#include "simulator/model/hardware.hpp"

#include <string_view>

#include <fmt/format.h>

namespace nimbus::simulator {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000ULL;

std::vector<Sensor> generic_sensors() {
  std::vector<Sensor> out;
  std::uint8_t number = 1;
  const auto add = [&](Sensor sensor) {
    sensor.number = number++;
    out.push_back(std::move(sensor));
  };
  const auto temperature = [&](const char* name, double normal, double idle, double caution, double critical,
                               const char* context, WhenOff when_off) {
    add({.name = name,
         .kind = SensorKind::Temperature,
         .normal = normal,
         .idle = idle,
         .spread = 2,
         .thresholds = {{}, {}, caution, critical},
         .when_off = when_off,
         .context = context});
  };
  temperature("Inlet Temp", 22, 20, 38, 42, "Intake", WhenOff::StillReads);
  temperature("Exhaust Temp", 35, 22, 65, 70, "Exhaust", WhenOff::StillReads);
  temperature("CPU1 Temp", 52, 0, 90, 98, "CPU", WhenOff::Unavailable);
  temperature("CPU2 Temp", 50, 0, 90, 98, "CPU", WhenOff::Unavailable);
  for (int fan = 1; fan <= 4; ++fan) {
    add({.name = fmt::format("Fan{}", fan),
         .kind = SensorKind::Fan,
         .normal = 7080,
         .spread = 240,
         .scale = 120,
         .thresholds = {600, 960, {}, {}},
         .context = "Fan"});
  }
  const auto voltage = [&](const char* name, double normal, double scale, WhenOff when_off) {
    add({.name = name,
         .kind = SensorKind::Voltage,
         .normal = normal,
         .idle = normal,
         .spread = scale,
         .scale = scale,
         .thresholds = {normal * 0.88, normal * 0.92, normal * 1.08, normal * 1.12},
         .when_off = when_off,
         .context = "SystemBoard"});
  };
  voltage("12V", 12.06, 0.06, WhenOff::Unavailable);
  voltage("5V", 5.04, 0.03, WhenOff::Unavailable);
  voltage("3.3V AUX", 3.3, 0.02, WhenOff::StillReads);
  for (int supply = 1; supply <= 2; ++supply) {
    add({.name = fmt::format("PSU{} Input", supply),
         .kind = SensorKind::Power,
         .normal = 160,
         .idle = 12,
         .spread = 8,
         .scale = 4,
         .thresholds = {{}, {}, 800, 900},
         .when_off = WhenOff::StillReads,
         .context = "PowerSupply"});
  }
  return out;
}

std::vector<Attribute> generic_attributes() {
  const auto onoff = [](const char* name, const char* display, const char* value) {
    return Attribute{name, display, std::string(value), {"Enabled", "Disabled"}};
  };
  return {
      onoff("ProcVirtualization", "Virtualization technology", "Enabled"),
      onoff("LogicalProc", "Logical processor", "Enabled"),
      onoff("SriovGlobalEnable", "SR-IOV global enable", "Disabled"),
      onoff("TpmSecurity", "TPM security", "Enabled"),
      onoff("PxeDev1EnDis", "PXE device 1", "Enabled"),
      onoff("HttpDev1EnDis", "HTTP device 1", "Disabled"),
      onoff("EmbSata", "Embedded SATA", "Enabled"),
      onoff("AcPwrRcvry", "Start after power loss", "Enabled"),
      Attribute{"BootMode", "Boot mode", std::string("Uefi"), {"Uefi", "Bios"}},
      Attribute{"SysProfile",
                "System profile",
                std::string("PerfPerWatt"),
                {"PerfPerWatt", "Performance", "Dense", "Custom"}},
      Attribute{"SerialComm", "Serial communication", std::string("OnConRedir"), {"Off", "OnNoConRedir", "OnConRedir"}},
      Attribute{"AcPwrRcvryDelay", "Start delay after power loss (s)", std::int64_t{60}, {}, 0, 600},
      Attribute{"CorrEccThreshold", "Correctable error threshold", std::int64_t{10}, {}, 1, 1000},
      Attribute{"QuietBoot", "Quiet boot", true},
      Attribute{"AssetTag", "Asset tag", std::string()},
      Attribute{"SystemBiosVersion", "Firmware version", std::string("1.4.2"), {}, 0, 0, true},
  };
}

}  // namespace

unsigned Hardware::memory_gib() const noexcept {
  unsigned sum = 0;
  for (const auto& module : memory) sum += module.size_gib;
  return sum;
}

unsigned Hardware::cores() const noexcept {
  unsigned sum = 0;
  for (const auto& processor : processors) sum += processor.cores;
  return sum;
}

unsigned Hardware::threads() const noexcept {
  unsigned sum = 0;
  for (const auto& processor : processors) sum += processor.threads;
  return sum;
}

const Sensor* Hardware::sensor(std::uint8_t number) const noexcept {
  for (const auto& sensor : sensors) {
    if (sensor.number == number) return &sensor;
  }
  return nullptr;
}

const Attribute* Hardware::attribute(std::string_view name) const noexcept {
  for (const auto& attribute : attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

Hardware generic_server() {
  Hardware out{.id = "generic",
               .manufacturer = "Nimbus",
               .model = "Simulated Server 2",
               .part_number = "NSS-2",
               .arch = "x86_64",
               .bios_version = "1.4.2",
               .bmc_firmware = "2.14",
               .bmc_product_id = 0x0202};
  for (int socket = 1; socket <= 2; ++socket) {
    out.processors.push_back({fmt::format("CPU{}", socket), "Intel(R) Corporation",
                              "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", 16, 32, 3500});
  }
  for (int slot = 1; slot <= 8; ++slot) {
    out.memory.push_back({fmt::format("DIMM{}", slot), "Micron", "36ASF4G72PZ-3G2", 32, 3200});
  }
  out.drives.push_back({"Disk0", "Micron", "MTFDDAK480TDS", MediaKind::Ssd, 480 * kGigabyte});
  out.drives.push_back({"Disk1", "Samsung", "MZQL21T9HCJR", MediaKind::Nvme, 1920 * kGigabyte});
  out.nics.push_back({"NIC1", "10GbE port 1", 10'000});
  out.nics.push_back({"NIC2", "10GbE port 2", 10'000});
  out.sensors = generic_sensors();
  out.attributes = generic_attributes();
  return out;
}

}  // namespace nimbus::simulator
