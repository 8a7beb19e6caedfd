// One run of the installer: plan, checks, writing, last words. Everything that acts is
// behind Tools, so that the whole sequence runs on files in tests.
//
// Thread rule: one thread calls; while disks are erased, `home`, `clock` and `neighbours`
// are also asked from another one, never two at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/plain_http/client.hpp"
#include "core/ports/clock.hpp"
#include "installer/device.hpp"
#include "installer/gpt.hpp"
#include "installer/home.hpp"
#include "installer/inventory.hpp"
#include "installer/seed.hpp"

namespace nimbus::installer {

struct Tools {
  Home& home;
  const Clock& clock;
  /// Reads the machine; called twice: for the inventory and again before the first write.
  std::function<MachineFacts()> machine;
  std::function<boot::Inventory(const MachineFacts&)> inventory;
  std::function<Result<std::unique_ptr<Device>>(const DiskFacts&, Access)> open;
  std::function<std::unique_ptr<base::ByteSource>(const std::string& url, const boot::InstallPlan&)> source;
  /// Puts the seed into the root file system, which has no partition device yet.
  std::function<Result<>(const DiskFacts&, const Partition&, const std::vector<SeedFile>&)> plant;
  std::function<void(int failure)> pause;
  std::function<void(const std::string& line)> say;  // to the console
  /// Switches that were heard of so far.
  std::function<std::vector<boot::NeighbourReport>()> neighbours = [] { return std::vector<boot::NeighbourReport>(); };
  /// Between reports while a disk erases itself.
  std::chrono::milliseconds sign_of_life = std::chrono::seconds(30);
};

enum class Ending : std::uint8_t {
  Installed,  // restart: the disk is next
  Erased,     // power off
  Inspected,  // power off
  Failed,     // power off; nothing may boot by accident
};

Ending run_plan(const Tools& tools, const BootFacts& facts);

}  // namespace nimbus::installer
