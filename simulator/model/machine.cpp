#include "simulator/model/machine.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace nimbus::simulator {
namespace {

constexpr std::uint8_t kPowerSensorType = 0x09;  // power unit
constexpr std::uint8_t kAcpiSensorType = 0x22;   // system ACPI power state
constexpr std::uint8_t kBootSensorType = 0x1f;   // base operating system boot
constexpr std::uint8_t kNmiSensorType = 0x13;    // critical interrupt
constexpr std::uint8_t kPowerSensor = 0xf0;
constexpr std::uint8_t kAcpiSensor = 0xf1;
constexpr std::uint8_t kBootSensor = 0xf2;
constexpr std::uint8_t kNmiSensor = 0xf3;

// Restart causes (IPMI 2.0, table 28-11).
constexpr std::uint8_t kCauseChassisControl = 0x01;
constexpr std::uint8_t kCauseButton = 0x03;

constexpr auto kNoiseStep = std::chrono::seconds(10);

/// Both protocols show what one byte can hold, so that they never disagree.
double representable(const Sensor& sensor, double value) {
  return std::clamp(std::round((value - sensor.offset) / sensor.scale), 0.0, 255.0) * sensor.scale + sensor.offset;
}

}  // namespace

Machine::Machine(MachineSetup setup, const Clock& clock)
    : identity(std::move(setup.identity)),
      timing(setup.timing),
      quirks(setup.quirks),
      lan(setup.lan),
      settings(*setup.hardware),
      random(setup.seed),
      hardware_(std::move(setup.hardware)),
      clock_(&clock),
      now_(clock.now()),
      seed_(setup.seed),
      boot_order_(default_boot_order(quirks)) {
  bmc_version = hardware_->bmc_firmware;
  bios_version = hardware_->bios_version;
  if (setup.power == Power::On) {
    set_power(Power::On, HostPhase::Running);
    last_boot_.count = 1;
  }
}

std::optional<MonoTime> Machine::next_due() const noexcept {
  std::optional<MonoTime> next;
  for (const auto& due : {power_due_, post_due_, flags_expire_, bmc_up_at_, update_due_}) {
    if (due && (!next || *due < *next)) next = due;
  }
  return next;
}

void Machine::advance(MonoTime now) {
  while (true) {
    const auto due = next_due();
    if (!due || *due > now) break;
    now_ = *due;
    if (power_due_ && *power_due_ == now_) {
      power_due_.reset();
      if (power_ == Power::PoweringOn) {
        finish_power_on();
      } else {
        finish_power_off();
      }
    } else if (post_due_ && *post_due_ == now_) {
      post_due_.reset();
      finish_post();
    } else if (flags_expire_ && *flags_expire_ == now_) {
      flags_expire_.reset();
      override_.enabled = BootEnabled::Disabled;
      record(Source::Machine, "boot-flags-expired", std::string(to_string(override_.device)));
    } else if (update_due_ && *update_due_ == now_) {
      update_due_.reset();
      finish_update();
    } else {
      bmc_up_at_.reset();
      bmc_started_ = now_;
      record(Source::Machine, "bmc-started", "");
    }
  }
  now_ = std::max(now_, now);
}

void Machine::set_power(Power power, HostPhase phase) {
  power_ = power;
  phase_ = phase;
}

PowerAnswer Machine::request_power(PowerRequest request, Source source) {
  flags_expire_.reset();  // a power command came in time
  const bool off = power_ == Power::Off || (power_ == Power::PoweringOff && !soft_off_pending_);
  switch (request) {
    case PowerRequest::On:
      if (!off) return PowerAnswer::AlreadySo;
      if (power_ == Power::PoweringOff) {
        after_off_ = After::PowerOn;
        return PowerAnswer::Accepted;
      }
      begin_power_on(source);
      return PowerAnswer::Accepted;
    case PowerRequest::ForceOff:
      if (off) {
        const bool changes = after_off_ == After::PowerOn;
        after_off_ = After::Nothing;
        return changes ? PowerAnswer::Accepted : PowerAnswer::AlreadySo;
      }
      begin_power_off(timing.power_off, After::Nothing);
      return PowerAnswer::Accepted;
    case PowerRequest::GracefulShutdown:
      if (off) return PowerAnswer::AlreadySo;
      if (backend_ != nullptr) {
        backend_->press_power_button();
      } else if (phase_ == HostPhase::Running && !quirks.has(Quirk::SoftOffIgnored) && !soft_off_pending_) {
        begin_power_off(timing.soft_off, After::Nothing);
        set_power(Power::On, HostPhase::Running);  // on until the operating system has stopped
        soft_off_pending_ = true;
      }
      return PowerAnswer::Accepted;
    case PowerRequest::PushPowerButton:
      restart_cause = kCauseButton;
      return request_power(off ? PowerRequest::On : PowerRequest::GracefulShutdown, source);
    case PowerRequest::ForceRestart:
    case PowerRequest::GracefulRestart:
      if (off && quirks.has(Quirk::RestartTurnsOn)) return request_power(PowerRequest::On, source);
      if (off) return PowerAnswer::WrongState;
      restart_host();
      return PowerAnswer::Accepted;
    case PowerRequest::PowerCycle:
      if (off) return PowerAnswer::WrongState;
      begin_power_off(timing.power_off, After::PowerOn);
      return PowerAnswer::Accepted;
    case PowerRequest::Nmi:
      if (off) return PowerAnswer::WrongState;
      log_event({kNmiSensorType, kNmiSensor, 0x6f, {0x00, 0xff, 0xff}});
      if (backend_ != nullptr) backend_->inject_nmi();
      return PowerAnswer::Accepted;
  }
  return PowerAnswer::WrongState;
}

void Machine::begin_power_on(Source /*source*/) {
  restart_cause = kCauseChassisControl;
  soft_off_pending_ = false;
  if (quirks.has(Quirk::ForgetsBootDevice)) override_.enabled = BootEnabled::Disabled;
  set_power(Power::PoweringOn, HostPhase::Off);
  power_due_ = now_ + random.draw(timing.power_on);
}

void Machine::begin_power_off(DurationRange takes, After after) {
  after_off_ = after;
  soft_off_pending_ = false;
  post_due_.reset();
  set_power(Power::PoweringOff, phase_);
  power_due_ = now_ + random.draw(takes);
}

void Machine::finish_power_on() {
  record(Source::Machine, "powered-on", "");
  log_event({kAcpiSensorType, kAcpiSensor, 0x6f, {0x00, 0xff, 0xff}});
  set_power(Power::On, HostPhase::Post);
  begin_post();
  if (backend_ != nullptr) backend_->power_on(last_boot_);
}

void Machine::finish_power_off() {
  const bool again = after_off_ == After::PowerOn;
  after_off_ = After::Nothing;
  soft_off_pending_ = false;
  post_due_.reset();
  set_power(Power::Off, HostPhase::Off);
  record(Source::Machine, "powered-off", "");
  log_event({kPowerSensorType, kPowerSensor, 0x6f, {0x00, 0xff, 0xff}});
  if (backend_ != nullptr) backend_->power_off();
  if (again) begin_power_on(Source::Machine);
}

void Machine::restart_host() {
  restart_cause = kCauseChassisControl;
  if (power_ == Power::PoweringOn) return;  // it is about to begin anyway
  power_due_.reset();
  soft_off_pending_ = false;
  after_off_ = After::Nothing;
  record(Source::Machine, "host-reset", "");
  set_power(Power::On, HostPhase::Post);
  begin_post();
  if (backend_ != nullptr) backend_->reset(last_boot_);
}

void Machine::begin_post() {
  if (backend_ == nullptr) {
    console.print(fmt::format("\r\n{} {}\r\nBIOS {}  {} processors, {} GiB memory\r\n", hardware_->manufacturer,
                              hardware_->model, bios_version, hardware_->processors.size(), hardware_->memory_gib()));
  }
  post_due_ = now_ + random.draw(timing.post);
  // A real host reads its boot order when it starts, not when the model thinks that POST ends.
  if (backend_ != nullptr) resolve_boot();
}

void Machine::finish_post() {
  if (backend_ == nullptr) resolve_boot();
  phase_ = HostPhase::Running;
  if (!staged_bios_version_.empty()) {
    bios_version = std::exchange(staged_bios_version_, {});
    record(Source::Machine, "bios-updated", bios_version);
  }
  if (quirks.has(Quirk::SettingsSilentlyDropped)) {
    if (!settings.pending().empty()) record(Source::Machine, "settings-dropped", "");
    settings.discard_pending();
  }
  if (const auto changes = settings.apply_pending(); changes > 0) {
    record(Source::Machine, "settings-applied", fmt::format("{} changes", changes));
  }
  log_event({kBootSensorType, kBootSensor, 0x6f, {0x01, 0xff, 0xff}});
  if (backend_ == nullptr) {
    console.print(fmt::format("Booting from {} ({})\r\n\r\n{} login: ", to_string(last_boot_.device),
                              to_string(last_boot_.mode), identity.name));
  }
}

bool Machine::update_firmware(FirmwareTarget target, std::string version, std::chrono::milliseconds takes) {
  if (update_due_) return false;
  update_due_ = now_ + takes;
  update_target_ = target;
  update_version_ = std::move(version);
  return true;
}

void Machine::finish_update() {
  if (update_target_ == FirmwareTarget::Bios) {
    staged_bios_version_ = update_version_;
    record(Source::Machine, "bios-staged", staged_bios_version_);
    return;
  }
  bmc_version = update_version_;
  record(Source::Machine, "bmc-updated", bmc_version);
  restart_bmc(Source::Machine);
}

void Machine::restart_bmc(Source source) { restart_bmc(source, random.draw(timing.bmc_reset)); }

void Machine::restart_bmc(Source source, std::chrono::milliseconds away) {
  ++bmc_restarts_;
  bmc_up_at_ = now_ + away;
  record(source, "bmc-restart", fmt::format("{} ms", away.count()));
}

std::optional<double> Machine::reading(const Sensor& sensor) const {
  if (const auto pinned = pinned_.find(sensor.number); pinned != pinned_.end()) return pinned->second;
  if (!has_power() && sensor.when_off == WhenOff::Unavailable) return std::nullopt;
  const auto step = static_cast<std::uint64_t>(now_.time_since_epoch() / kNoiseStep);
  Random noise(seed_ ^ (step << 8) ^ sensor.number);
  const double offset = (static_cast<double>(noise.below(2001)) / 1000.0 - 1.0) * sensor.spread;
  return representable(sensor, (has_power() ? sensor.normal : sensor.idle) + offset);
}

void Machine::pin_reading(const Sensor& sensor, std::optional<double> value) {
  const auto before = reading(sensor);
  if (value) {
    pinned_[sensor.number] = representable(sensor, *value);
  } else {
    pinned_.erase(sensor.number);
  }
  const auto after = reading(sensor);
  if (before && after) check_thresholds(sensor, *before, *after);
}

void Machine::check_thresholds(const Sensor& sensor, double before, double after) {
  struct Edge {
    const std::optional<double>& limit;
    std::uint8_t offset;  // of the event when it asserts (IPMI 2.0, table 42-2)
    bool upper;
  };
  const Edge edges[] = {{sensor.thresholds.lower_caution, 0x00, false},
                        {sensor.thresholds.lower_critical, 0x02, false},
                        {sensor.thresholds.upper_caution, 0x07, true},
                        {sensor.thresholds.upper_critical, 0x09, true}};
  for (const auto& edge : edges) {
    if (!edge.limit) continue;
    const auto beyond = [&](double v) { return edge.upper ? v >= *edge.limit : v <= *edge.limit; };
    if (beyond(before) == beyond(after)) continue;
    const auto raw = [&](double v) {
      return static_cast<std::uint8_t>(std::clamp((v - sensor.offset) / sensor.scale, 0.0, 255.0));
    };
    const auto type = static_cast<std::uint8_t>(beyond(after) ? 0x01 : 0x81);
    log_event({static_cast<std::uint8_t>(sensor.kind),
               sensor.number,
               type,
               {static_cast<std::uint8_t>(0x50 | edge.offset), raw(after), raw(*edge.limit)}});
  }
}

void Machine::console_input(std::string_view bytes) {
  if (backend_ != nullptr) {
    backend_->console_input(bytes);
    return;
  }
  if (phase_ != HostPhase::Running) return;
  for (const char c : bytes) {
    if (c == '\r' || c == '\n') {
      console.print(fmt::format("\r\n{} login: ", identity.name));
    } else {
      console.print(std::string_view(&c, 1));
    }
  }
}

void Machine::media_changed() {
  if (backend_ != nullptr) backend_->media_changed();
}

void Machine::host_went_off() {
  power_due_.reset();
  post_due_.reset();
  if (power_ == Power::Off) return;
  HostBackend* const backend = std::exchange(backend_, nullptr);  // it is gone already
  finish_power_off();
  backend_ = backend;
}

void Machine::host_restarted_itself() {
  if (power_ != Power::On || backend_ == nullptr) return;
  // Firmware restarts itself once or twice on its way; that is still the same boot.
  if (phase_ == HostPhase::Post && override_.enabled != BootEnabled::Once) return;
  record(Source::Machine, "host-reset", "by itself");
  set_power(Power::On, HostPhase::Post);
  begin_post();
  backend_->restarted_itself(last_boot_);
}

void Machine::record(Source source, std::string what, std::string detail, std::string outcome) {
  journal.add({.at = clock_->wall(),
               .source = source,
               .what = std::move(what),
               .detail = std::move(detail),
               .outcome = std::move(outcome)});
}

void Machine::log_event(const SensorEvent& event) {
  events.add(event, bmc_time());
  if (listened && happenings.size() < kMostHappenings) happenings.push_back({event, bmc_time()});
}

std::string Machine::drive_serial(std::size_t index) const {
  return fmt::format("SD{:010X}", stable_hash(seed_ + index, identity.name + "/drive") & 0xffffffffffULL);
}

std::string Machine::memory_serial(std::size_t index) const {
  return fmt::format("{:08X}", stable_hash(seed_ + index, identity.name + "/memory") & 0xffffffffULL);
}

}  // namespace nimbus::simulator
