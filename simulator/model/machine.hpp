// Machine: the state of one simulated server and its BMC, with realistic times. Both
// protocols are views of this one object; it knows neither of them.
//
// Time passes only in advance(): what fell due until then happens in order. Whoever
// serves a machine calls advance() before reading it, and again at next_due().
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/clock.hpp"
#include "simulator/model/accounts.hpp"
#include "simulator/model/boot.hpp"
#include "simulator/model/console.hpp"
#include "simulator/model/event_log.hpp"
#include "simulator/model/firmware_settings.hpp"
#include "simulator/model/hardware.hpp"
#include "simulator/model/journal.hpp"
#include "simulator/model/quirks.hpp"
#include "simulator/model/random.hpp"

namespace nimbus::simulator {

enum class Power : std::uint8_t { Off, PoweringOn, On, PoweringOff };
std::string_view to_string(Power power) noexcept;

/// How far the host has come since it was switched on.
enum class HostPhase : std::uint8_t { Off, Post, Running };

enum class PowerRequest : std::uint8_t {
  On,
  ForceOff,
  GracefulShutdown,
  ForceRestart,
  GracefulRestart,
  PowerCycle,
  Nmi,
  PushPowerButton
};
std::string_view to_string(PowerRequest request) noexcept;

enum class PowerAnswer : std::uint8_t {
  Accepted,
  AlreadySo,   // nothing to do
  WrongState,  // not possible as long as the machine is off
};

/// How long things take; drawn anew each time.
struct Timing {
  DurationRange power_on{std::chrono::seconds(1), std::chrono::seconds(3)};
  DurationRange power_off{std::chrono::milliseconds(500), std::chrono::seconds(2)};
  DurationRange soft_off{std::chrono::seconds(5), std::chrono::seconds(15)};
  DurationRange post{std::chrono::seconds(8), std::chrono::seconds(20)};
  DurationRange bmc_reset{std::chrono::seconds(20), std::chrono::seconds(40)};
};

struct Identity {
  std::string name;
  std::string serial;
  std::string sku;
  std::string asset_tag;
  std::array<std::uint8_t, 16> uuid{};            // of the system, in the order in which it is written
  std::array<std::uint8_t, 16> bmc_guid{};        // of the BMC, likewise
  std::vector<std::array<std::uint8_t, 6>> macs;  // one per NIC
  std::array<std::uint8_t, 6> bmc_mac{};
};
/// "4c4c4544-0033-4110-8041-b7c04f314232".
std::string uuid_text(const std::array<std::uint8_t, 16>& uuid);
std::string mac_text(const std::array<std::uint8_t, 6>& mac);

struct LanSettings {
  std::array<std::uint8_t, 4> address{127, 0, 0, 1};
  std::array<std::uint8_t, 4> netmask{255, 0, 0, 0};
  std::array<std::uint8_t, 4> gateway{};
  std::uint8_t address_source = 1;  // 1: static, 2: DHCP
  std::uint16_t port = 623;         // of RMCP+, and so of serial over LAN
};

struct VirtualMedium {
  std::string id;
  std::string name;
  std::vector<std::string> types;
  std::string image;  // empty: none
  bool write_protected = true;
  std::string user;
  std::string protocol;
};

/// A volume of the storage controller. It is there from `ready` on.
struct Volume {
  std::string id;
  std::string name;
  std::string raid;  // "RAID1"
  std::vector<std::string> drives;
  std::uint64_t size_bytes = 0;
  MonoTime ready{};
};

/// What really runs behind a machine. Without one the machine only pretends.
class HostBackend {
 public:
  virtual ~HostBackend() = default;
  virtual void power_on(const BootRecord& boot) = 0;
  virtual void power_off() = 0;
  virtual void reset(const BootRecord& boot) = 0;
  /// Its guest restarted itself, and this is what that boot must come from.
  virtual void restarted_itself(const BootRecord& boot) = 0;
  virtual void press_power_button() = 0;  // ACPI: the operating system may comply, or not
  virtual void inject_nmi() = 0;
  virtual void console_input(std::string_view bytes) = 0;
  virtual void media_changed() = 0;
};

/// Something that went into the event log, for those who want to be told.
struct Happening {
  SensorEvent event;
  WallTime at{};
};

struct MachineSetup {
  Identity identity;
  std::shared_ptr<const Hardware> hardware;
  Timing timing;
  Quirks quirks;
  std::uint64_t seed = 0;
  Power power = Power::Off;
  LanSettings lan;
};

class Machine {
 public:
  /// IPMI 2.0, section 28.12: flags that no chassis command follows lose their validity.
  static constexpr std::chrono::seconds kBootFlagLife{60};
  static constexpr std::size_t kMostHappenings = 64;

  Machine(MachineSetup setup, const Clock& clock);

  void advance(MonoTime now);
  std::optional<MonoTime> next_due() const noexcept;
  MonoTime now() const noexcept { return now_; }
  /// The BMC's own clock, which may be set wrong.
  WallTime bmc_time() const noexcept { return clock_->wall() + bmc_clock_offset; }

  Power power() const noexcept { return power_; }
  HostPhase phase() const noexcept { return phase_; }
  /// IPMI's view, which knows two states only: power is on from the moment it flows.
  bool has_power() const noexcept { return power_ == Power::On || power_ == Power::PoweringOff; }
  PowerAnswer request_power(PowerRequest request, Source source);

  const BootOverride& boot_override() const noexcept { return override_; }
  void set_boot_override(BootOverride wanted, Source source);
  /// Validity of IPMI's flags: they expire 60 s after `set` unless a power command comes.
  enum class Expiry : std::uint8_t { Never, After60Seconds };
  void set_boot_override(BootOverride wanted, Source source, Expiry expiry);
  const BootRecord& last_boot() const noexcept { return last_boot_; }
  /// What is tried in turn without an override: as of the last boot or direct write, and what the next boot will have.
  const BootOrder& boot_order() const noexcept { return boot_order_; }
  const BootOrder& next_boot_order() const noexcept {
    return staged_boot_order_.empty() ? boot_order_ : staged_boot_order_;
  }
  /// At once, or with the next boot. `wanted` holds what boot_order() holds, in whatever order.
  void set_boot_order(BootOrder wanted, Source source);
  void stage_boot_order(BootOrder wanted, Source source);
  /// The first of the order that has something to boot.
  BootDevice default_boot_device() const;
  /// What the firmware setting BootMode says.
  BootMode default_boot_mode() const;

  /// Whether the BMC answers at all; a restart takes a while and ends all sessions.
  bool bmc_up() const noexcept { return !bmc_up_at_.has_value(); }
  void restart_bmc(Source source);
  void restart_bmc(Source source, std::chrono::milliseconds away);
  /// Counts the BMC's restarts: a session of another count is gone.
  unsigned bmc_restarts() const noexcept { return bmc_restarts_; }
  /// When the BMC came back from its last restart, if it had one.
  std::optional<MonoTime> bmc_started() const noexcept { return bmc_started_; }

  enum class FirmwareTarget : std::uint8_t { Bmc, Bios };
  /// Takes `takes`; then the BMC restarts with the new version, or the BIOS has it from the
  /// next boot on. False if an update is under way already.
  bool update_firmware(FirmwareTarget target, std::string version, std::chrono::milliseconds takes);

  /// Nothing for a sensor that does not read now.
  std::optional<double> reading(const Sensor& sensor) const;
  /// Pins a reading; crossing a threshold writes an event. Nothing: natural again.
  void pin_reading(const Sensor& sensor, std::optional<double> value);

  void console_input(std::string_view bytes);
  /// To be called after writing to `media`.
  void media_changed();
  void attach(HostBackend* backend) noexcept { backend_ = backend; }
  /// The backend's process ended by itself: the machine is off.
  void host_went_off();
  /// The backend's guest restarted itself: POST again, and an override that waits is taken.
  void host_restarted_itself();
  /// The mode that a boot override has until somebody sets one is the firmware's.
  void adopt_default_boot_mode() { override_.mode = default_boot_mode(); }

  void record(Source source, std::string what, std::string detail, std::string outcome = "ok");
  void log_event(const SensorEvent& event);
  std::string drive_serial(std::size_t index) const;
  std::string memory_serial(std::size_t index) const;

  const std::string& name() const noexcept { return identity.name; }
  const Hardware& hardware() const noexcept { return *hardware_; }

  Identity identity;
  Timing timing;
  Quirks quirks;
  LanSettings lan;
  Accounts accounts;
  EventLog events;
  FirmwareSettings settings;
  Console console;
  Journal journal;
  std::vector<VirtualMedium> media;
  std::vector<Volume> volumes;
  bool listened = false;              // whether somebody takes the happenings
  std::vector<Happening> happenings;  // newest last, at most kMostHappenings
  const VendorProfile* profile = nullptr;
  std::chrono::milliseconds bmc_clock_offset{0};
  std::uint8_t restore_policy = 1;   // IPMI 2.0, table 28-4: 0 stay off, 1 as before, 2 on
  std::uint8_t restart_cause = 0;    // table 28-11
  std::uint8_t keep_boot_flags = 0;  // boot option parameter 3
  bool identify = false;
  std::string bmc_version;
  std::string bios_version;
  Random random;

 private:
  enum class After : std::uint8_t { Nothing, PowerOn };

  void begin_power_on(Source source);
  void begin_power_off(DurationRange takes, After after);
  void finish_power_on();
  void finish_power_off();
  void begin_post();
  void finish_post();
  void resolve_boot();
  bool can_boot_from(BootDevice device) const;
  void restart_host();
  void set_power(Power power, HostPhase phase);
  void finish_update();
  void check_thresholds(const Sensor& sensor, double before, double after);

  std::shared_ptr<const Hardware> hardware_;
  const Clock* clock_;
  HostBackend* backend_ = nullptr;
  MonoTime now_;
  std::uint64_t seed_ = 0;

  Power power_ = Power::Off;
  HostPhase phase_ = HostPhase::Off;
  std::optional<MonoTime> power_due_;  // when PoweringOn or PoweringOff ends, or a soft-off
  bool soft_off_pending_ = false;
  After after_off_ = After::Nothing;
  std::optional<MonoTime> post_due_;
  std::optional<MonoTime> flags_expire_;
  std::optional<MonoTime> bmc_up_at_;
  std::optional<MonoTime> update_due_;
  FirmwareTarget update_target_ = FirmwareTarget::Bmc;
  std::string update_version_;
  std::string staged_bios_version_;
  unsigned bmc_restarts_ = 0;
  std::optional<MonoTime> bmc_started_;

  BootOverride override_;
  BootOrder boot_order_;
  BootOrder staged_boot_order_;  // empty: none
  BootRecord last_boot_;
  std::map<std::uint8_t, double> pinned_;
};

}  // namespace nimbus::simulator
