// A clock that stands still until it is moved, and a machine to try things on.
#pragma once

#include <memory>

#include "simulator/model/machine.hpp"

namespace nimbus::simulator::test {

class HandClock final : public Clock {
 public:
  MonoTime now() const noexcept override { return now_; }
  WallTime wall() const noexcept override { return WallTime{std::chrono::seconds(1'700'000'000)} + elapsed(); }
  void move(std::chrono::milliseconds by) { now_ += by; }

 private:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  }
  MonoTime now_{};
};

inline Timing fixed_timing() {
  using std::chrono::seconds;
  return {{seconds(2), seconds(2)},
          {seconds(1), seconds(1)},
          {seconds(10), seconds(10)},
          {seconds(20), seconds(20)},
          {seconds(30), seconds(30)}};
}

struct Bench {
  HandClock clock;
  std::unique_ptr<Machine> machine;

  explicit Bench(Quirks quirks = {}, Power power = Power::Off) {
    MachineSetup setup{.hardware = std::make_shared<const Hardware>(generic_server()),
                       .timing = fixed_timing(),
                       .quirks = quirks,
                       .seed = 7,
                       .power = power};
    setup.identity.name = "m1";
    setup.identity.serial = "SER1";
    setup.identity.macs = {{0x52, 0x54, 0, 0, 0, 1}, {0x52, 0x54, 0, 0, 0, 2}};
    machine = std::make_unique<Machine>(std::move(setup), clock);
    machine->media = {{"1", "Removable disk", {"USBStick"}}, {"2", "Optical disc", {"CD", "DVD"}}};
    Account* admin = machine->accounts.slot(2);
    *admin = {.name = "admin", .password = Secret("secret12"), .privilege = Privilege::Administrator, .enabled = true};
    Account* guest = machine->accounts.slot(3);
    *guest = {.name = "guest", .password = Secret("guest"), .privilege = Privilege::User, .enabled = true};
  }

  Machine& after(std::chrono::milliseconds time) {
    clock.move(time);
    machine->advance(clock.now());
    return *machine;
  }
};

}  // namespace nimbus::simulator::test
