#include "simulator/qemu/qemu_host.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/file/file.hpp"
#include "base/net/socket.hpp"

namespace nimbus::simulator {
namespace {

using base::Json;

constexpr std::size_t kMostVariables = 8 << 20;
constexpr std::size_t kMostLine = 64 * 1024;

/// Each machine keeps UEFI variables of its own.
Result<> prepare_variables(const VirtualMachineSpec& spec) {
  const std::string path = variables_path(spec);
  if (::access(path.c_str(), R_OK | W_OK) == 0) return {};
  auto content = base::read_file(spec.uefi_variables, kMostVariables);
  if (!content) return std::move(content.error());
  return base::write_file_atomically(path, *content, 0644);
}

/// A disk that is not there is an empty one of the size that the fleet file names.
Result<> prepare_disk(const std::string& disk, unsigned gib) {
  if (disk.empty() || ::access(disk.c_str(), R_OK | W_OK) == 0) return {};
  if (gib == 0) return Error{Code::NotFound, "there is no disk image " + disk};
  const base::FileDescriptor file(::open(disk.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  constexpr unsigned kGibShift = 30;
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(gib) << kGibShift) != 0)
    return base::socket_error("make disk image " + disk, errno);
  return {};
}

VirtualMachineIdentity identity_of(const Machine& machine) {
  return {.mac = machine.identity.macs.empty() ? std::string() : mac_text(machine.identity.macs.front()),
          .uuid = uuid_text(machine.identity.uuid),
          .manufacturer = machine.hardware().manufacturer,
          .model = machine.hardware().model,
          .serial = machine.identity.serial,
          .disk_serial = machine.drive_serial(0),
          .data_disk_serial = machine.drive_serial(1)};
}

}  // namespace

QemuHost::QemuHost(base::EventLoop& loop, Machine& machine, VirtualMachineSpec spec)
    : loop_(&loop), machine_(&machine), spec_(std::move(spec)) {}

QemuHost::~QemuHost() { stop(); }

void QemuHost::stop() {
  loop_->cancel_timer(guest_reset_);
  guest_reset_ = base::EventLoop::TimerId::None;
  if (process_.pid() < 0) return;
  loop_->unwatch(process_.ended_fd());
  process_.kill();
  qmp_.reset();
  serial_.reset();
  disc_.clear();
}

Result<> QemuHost::prepare(const BootRecord& boot) const {
  if (auto ok = base::make_folders(spec_.folder, 0755); !ok) return ok;
  if (auto ok = prepare_disk(spec_.disk, spec_.disk_gib); !ok) return ok;
  if (auto ok = prepare_disk(spec_.data_disk, spec_.disk_gib); !ok) return ok;
  return boot.mode == BootMode::Uefi ? prepare_variables(spec_) : Result<>{};
}

void QemuHost::start(const BootRecord& boot) {
  stop();
  mode_ = boot.mode;
  order_ = boot_indexes(boot);
  const auto fail = [this](const Error& error) { machine_->record(Source::Machine, "qemu", error.message, "failed"); };
  if (auto ok = prepare(boot); !ok) return fail(ok.error());
  // Sockets of an earlier start: a client must not meet them.
  ::unlink(qmp_path(spec_).c_str());
  ::unlink(serial_path(spec_).c_str());
  auto child = Child::start(qemu_arguments(spec_, identity_of(*machine_), boot), spec_.network_namespace,
                            spec_.folder + "/qemu.log");
  if (!child) return fail(child.error());
  process_ = std::move(*child);
  const auto watched = loop_->watch(process_.ended_fd(), base::Interest::Read, [this](base::Ready) {
    // The guest switched itself off, or QEMU could not run at all: qemu.log says.
    stop();
    machine_->record(Source::Machine, "qemu", "ended");
    machine_->host_went_off();
  });
  if (!watched) return fail(watched.error());
  machine_->record(Source::Machine, "qemu", fmt::format("pid {}", process_.pid()));
  line_.clear();
  qmp_ = std::make_unique<UnixClient>(*loop_, qmp_path(spec_), [this](std::string_view bytes) { receive_qmp(bytes); });
  serial_ = std::make_unique<UnixClient>(*loop_, serial_path(spec_),
                                         [this](std::string_view bytes) { machine_->console.print(bytes); });
  command("qmp_capabilities");
  insert_disc();
  command("cont");
  // The firmware has read its order by now: a restart from inside goes by the one without the override.
  if (boot.override_kind == BootEnabled::Once)
    set_boot_order(boot_indexes({.device = BootDevice::None, .order = boot.order}));
}

void QemuHost::power_on(const BootRecord& boot) { start(boot); }

void QemuHost::power_off() { stop(); }

void QemuHost::reset(const BootRecord& boot) {
  // Other firmware is another machine. And SeaBIOS answers a warm reset with one or two more
  // of its own, so that an order for one boot only cannot be given to a running machine.
  if (process_.pid() < 0 || boot.mode != mode_ || boot.override_kind == BootEnabled::Once) return start(boot);
  set_boot_order(boot_indexes(boot));
  command("system_reset");
}

void QemuHost::restarted_itself(const BootRecord& boot) {
  // The guest is in its firmware again, with the old order: too late for anything but a new start.
  const bool as_before = boot.mode == mode_ && boot_indexes(boot) == order_;
  if (!as_before || boot.override_kind == BootEnabled::Once) start(boot);
}

void QemuHost::press_power_button() { command("system_powerdown"); }

void QemuHost::inject_nmi() { command("inject-nmi"); }

void QemuHost::console_input(std::string_view bytes) {
  if (serial_) serial_->send(bytes);
}

void QemuHost::media_changed() { insert_disc(); }

/// The first slot that takes discs decides.
void QemuHost::insert_disc() {
  if (!qmp_) return;  // the next start will look
  for (const auto& medium : machine_->media) {
    if (medium.types.empty() || (medium.types.front() != "CD" && medium.types.front() != "DVD")) continue;
    if (medium.image == disc_) return;
    disc_ = medium.image;
    if (disc_.empty()) {
      command("eject", Json::object({{"id", "cd0"}, {"force", true}}));
    } else {
      command("blockdev-change-medium",
              Json::object({{"id", "cd0"}, {"filename", disc_}, {"format", "raw"}, {"read-only-mode", "read-only"}}));
    }
    return;
  }
}

void QemuHost::set_boot_order(const BootIndexes& indexes) {
  order_ = indexes;
  const auto set = [this](std::string_view device, int index) {
    command("qom-set", Json::object({{"path", fmt::format("/machine/peripheral/{}", device)},
                                     {"property", "bootindex"},
                                     {"value", index}}));
  };
  // Two devices may not hold one index at the same time: all go first.
  set("disk0", -1);
  set("cd0", -1);
  if (!spec_.tap.empty()) set("nic0", -1);
  set("disk0", indexes.disk);
  set("cd0", indexes.disc);
  if (!spec_.tap.empty()) set("nic0", indexes.network);
}

void QemuHost::command(std::string_view name, Json arguments) {
  if (!qmp_) return;
  qmp_->send(Json::object({{"execute", name}, {"arguments", std::move(arguments)}}).text() + "\n");
}

void QemuHost::receive_qmp(std::string_view bytes) {
  line_ += bytes;
  for (auto end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
    const auto answer = base::parse_json(std::string_view(line_).substr(0, end));
    line_.erase(0, end + 1);
    if (!answer) continue;
    if (const Json* error = answer->find("error")) {
      machine_->record(Source::Machine, "qmp", std::string((*error)["desc"].as_string().value_or("")), "failed");
    } else if (const auto event = (*answer)["event"].as_string()) {
      receive_event(*event, (*answer)["data"]);
    }
  }
  if (line_.size() > kMostLine) line_.clear();
}

void QemuHost::receive_event(std::string_view name, const Json& data) {
  const bool by_guest = data["guest"].as_bool().value_or(false);
  machine_->record(Source::Machine, "qmp", std::string(name) + (by_guest ? " by the guest" : ""));
  if (name != "RESET" || !by_guest) return;
  // From a timer of its own: a new start would take away the socket that is being read.
  loop_->cancel_timer(guest_reset_);
  guest_reset_ = loop_->start_timer(std::chrono::milliseconds(0), [this] {
    guest_reset_ = base::EventLoop::TimerId::None;
    machine_->host_restarted_itself();
  });
}

}  // namespace nimbus::simulator
