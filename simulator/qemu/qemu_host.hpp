// QemuHost: a virtual machine as what runs behind a simulated machine. Power, boot
// device and mode, virtual disc, NMI and serial console act on a QEMU process over QMP.
//
// The boot order of an override for once is put back to the machine's own right after the
// start, so that a guest that restarts itself goes by that. An override that was given to a
// running guest is taken when the guest restarts itself, as real firmware does it. Everything is asynchronous on the
// event loop. Thread rule: the event loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "base/net/event_loop.hpp"
#include "simulator/model/machine.hpp"
#include "simulator/qemu/child.hpp"
#include "simulator/qemu/virtual_machine.hpp"

namespace nimbus::simulator {

/// A stream socket to a path that may not be there yet; writes wait until it is.
class UnixClient {
 public:
  using Receive = std::function<void(std::string_view)>;
  UnixClient(base::EventLoop& loop, std::string path, Receive receive);
  ~UnixClient();
  UnixClient(const UnixClient&) = delete;
  UnixClient& operator=(const UnixClient&) = delete;
  void send(std::string_view bytes);

 private:
  void connect();
  void ready(base::Ready what);
  void flush();
  void disconnect();

  base::EventLoop* loop_;
  std::string path_;
  Receive receive_;
  base::FileDescriptor socket_;
  base::EventLoop::TimerId retry_ = base::EventLoop::TimerId::None;
  std::string waiting_;
};

class QemuHost final : public HostBackend {
 public:
  QemuHost(base::EventLoop& loop, Machine& machine, VirtualMachineSpec spec);
  ~QemuHost() override;

  void power_on(const BootRecord& boot) override;
  void power_off() override;
  void reset(const BootRecord& boot) override;
  void restarted_itself(const BootRecord& boot) override;
  void press_power_button() override;
  void inject_nmi() override;
  void console_input(std::string_view bytes) override;
  void media_changed() override;

 private:
  void start(const BootRecord& boot);
  Result<> prepare(const BootRecord& boot) const;
  void stop();
  void command(std::string_view name, base::Json arguments = base::Json::object());
  void set_boot_order(const BootIndexes& indexes);
  void insert_disc();
  void receive_qmp(std::string_view bytes);
  void receive_event(std::string_view name, const base::Json& data);

  base::EventLoop* loop_;
  Machine* machine_;
  VirtualMachineSpec spec_;
  Child process_;
  BootMode mode_ = BootMode::Uefi;
  BootIndexes order_;  // what the next reset will go by
  std::unique_ptr<UnixClient> qmp_;
  std::unique_ptr<UnixClient> serial_;
  base::EventLoop::TimerId guest_reset_ = base::EventLoop::TimerId::None;
  std::string line_;
  std::string disc_;  // what is in the drive
};

}  // namespace nimbus::simulator
