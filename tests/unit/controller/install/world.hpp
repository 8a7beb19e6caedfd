// A world with one machine, a forge, a boot server and an installer that writes when it
// is booted with a plan. It counts what gets written, and checks at that moment what the
// law asks for. Controllers come and go; the world stays.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "boot/protocol/plan.hpp"
#include "controller/install/lifecycle.hpp"
#include "core/ports/bmc_manage.hpp"
#include "support/fake_clock.hpp"

namespace nimbus::controller::test {

inline constexpr const char* kMac = "52:54:00:12:34:17";
inline constexpr const char* kHostKey = "ssh-ed25519 AAAATEST";
inline constexpr const char* kErasedHow = "overwrite (the firmware has frozen the disk's security)";

struct World final : BootService {
  // --- boot server and installer
  Result<> serve(const boot::Orders& next, const Call&) override {
    if (boot_down) return Error{Code::Unreachable, "nimbus-boot is down"};
    orders = next;
    const auto* run = run_order();
    if (run == nullptr)
      told.clear();
    else if (!told.contains(kMac) || told[kMac].nonce != run->nonce)
      told = {{kMac, {.run = run->run, .nonce = run->nonce, .last = {}}}};
    return {};
  }
  void distrust() override {}
  Result<std::optional<boot::Heard>> heard(const std::string& mac, const Call&) override {
    if (boot_down) return Error{Code::Unreachable, "nimbus-boot is down"};
    const auto found = told.find(mac);
    return found == told.end() ? std::optional<boot::Heard>() : std::optional(found->second);
  }
  Result<std::optional<boot::ImageAnswer>> image(const boot::ImageOrder& order, const Call&) override {
    if (boot_down) return Error{Code::Unreachable, "nimbus-boot is down"};
    ordered_images.push_back(order);
    return cache;
  }
  const boot::RunOrder* run_order() const {
    for (const auto& machine : orders.machines) {
      if (machine.mac == kMac && machine.run) return &*machine.run;
    }
    return nullptr;
  }

  /// What the machine does in a moment of its own.
  void machine_lives() {
    if (power != PowerState::On) return;
    if (from_network) {
      from_network = false;
      const auto* run = run_order();
      if (run == nullptr || told[kMac].plan_taken) {
        booted_disk = true;
        return;
      }
      install(*run);
      return;
    }
    booted_disk = true;
  }

  void install(const boot::RunOrder& run) {
    auto& mine = told[kMac];
    mine.script_served = mine.plan_taken = true;
    base::Ed25519Public key{};
    const auto bytes = base::from_hex(run.key);
    REQUIRE(bytes);
    std::copy(bytes->begin(), bytes->end(), key.begin());
    auto plan = boot::open_plan(run.plan, key);
    REQUIRE(plan);
    boot::Report report{.run = run.run, .nonce = run.nonce, .stage = boot::Stage::CheckedIn};
    mine.last = report;
    if (plan->action == boot::PlanAction::Install) {
      last_instance = plan->instance;
      last_plan = *plan;
    }
    if (dies_checked_in > 0) {
      --dies_checked_in;
      power = PowerState::Off;
      return;
    }
    const bool misplaced = plan->action == boot::PlanAction::Erase && !plan->disk.empty() &&
                           std::find(disks.begin(), disks.end(), plan->disk) == disks.end();
    if (misplaced) {
      report.stage = boot::Stage::Failed;
      report.message = plan->disk + " is not there";
      for (const auto& id : disks) report.inventory.disks.push_back({.id = id, .bytes = 1 << 30});
      mine.last = report;
      return;
    }
    if (!installer_fails.empty()) {
      report.stage = boot::Stage::Failed;
      if (plan->action == boot::PlanAction::Erase && !fails_before_disks) {
        report.erased = {
            {.disk = "serial.D1", .level = "secure", .method = {}, .verified = false, .error = installer_fails}};
      }
      report.message = installer_fails;
      mine.last = report;
      power = PowerState::Off;
      return;
    }
    // The law: at the moment of the first write the intent is on the forge.
    const auto text = forge_text(machine_path);
    REQUIRE(text);
    auto status = registry::parse_machine_status(*text, machine_path);
    REQUIRE(status);
    REQUIRE(status->claim);
    CHECK(status->claim->instance == (plan->action == boot::PlanAction::Install ? plan->instance : last_instance));
    CHECK(status->claim->nonce_sha256 == base::sha256_hex(plan->nonce));
    CHECK(plan->identity.serial == serial);
    CHECK(plan->proof != boot::Proof::None);
    last_instance = status->claim->instance;
    written_nonces.push_back(plan->nonce);
    if (dies_while_writing > 0) {
      --dies_while_writing;
      mine.last->stage = boot::Stage::Writing;
      power = PowerState::Off;
      return;
    }
    if (stops_while_writing > 0) {
      --stops_while_writing;
      mine.last->stage = boot::Stage::Writing;
      mine.last->disk = "serial.D1";
      mine.restarted = then_asks_again;
      if (!then_asks_again) mine.silent = std::chrono::hours(1);
      return;
    }
    report.disk = "serial.D1";
    for (const auto& id : disks) report.inventory.disks.push_back({.id = id, .bytes = 1 << 30});
    if (plan->action == boot::PlanAction::Erase) {
      ++erases;
      report.stage = boot::Stage::Erased;
      for (const auto& id : disks) {
        report.erased.push_back(
            {.disk = id, .level = "secure", .method = kErasedHow, .verified = !erase_lies, .error = {}});
      }
      if (erase_lies && disks.size() == 1) report.erased.clear();
      power = PowerState::Off;
    } else {
      ++installs;
      report.stage = boot::Stage::Installed;
      report.host_key = kHostKey;
    }
    mine.last = report;
  }

  // --- forge
  std::optional<std::string> forge_text(const std::string& path) const {
    const auto found = forge.find(path);
    return found == forge.end() ? std::nullopt : std::optional(found->second);
  }
  void put(const std::string& path, const std::string& text) { (forge_down ? waiting : forge)[path] = text; }
  void forge_up() {
    forge_down = false;
    for (const auto& [path, text] : waiting) forge[path] = text;
    waiting.clear();
  }

  testing::FakeClock clock;
  const std::string machine_path = "providers/p/machines/m1.toml";
  PowerState power = PowerState::Off;
  bool from_network = false;
  bool booted_disk = false;
  bool armed = false;
  std::string arm_error;
  int arm_fails = 0;                 // so often the BMC does not show what it was told
  bool forgets_at_power_on = false;  // unless it is told again then
  int arms = 0;
  std::string serial = "S1";
  std::string installer_fails;
  bool fails_before_disks = false;  // an erasure, before it has looked at the first disk
  bool erase_lies = false;          // it says that it is done, with records that do not
  std::vector<std::string> disks{"serial.D1"};
  int dies_checked_in = 0;
  int dies_while_writing = 0;
  int stops_while_writing = 0;   // the machine stays on, and its installer is no more …
  bool then_asks_again = false;  // … and its firmware asks what to boot
  bool boot_down = false;
  bool forge_down = false;
  std::string guard_refuses;
  std::function<void()> in_driver;  // right before a write leaves, which it may come too late for
  bool too_late(const Call& call) const {
    if (in_driver) in_driver();
    return clock.now() > call.write_by;
  }
  bool disc_in = false, disc_stuck = false;
  int disarmed = 0;
  int accounts_away = 0;  // so often there is no answer about accounts
  std::vector<Account> accounts{{.id = "2", .name = "nimbus", .role = AccountRole::Administrator, .enabled = true}};
  std::vector<BootEntry> boot_order{{"Boot0000", "Disk"}, {"Boot0001", "Network"}};
  std::string order_error;  // of writing it
  std::vector<FirmwareVersion> firmware{{"BIOS", "1.2"}, {"BMC", "7.0"}};
  reconcilers::SshAnswer ssh = reconcilers::SshAnswer::ExpectedKey;
  boot::Orders orders;
  std::optional<boot::ImageAnswer> cache;  // what nimbus-boot says of any image; nothing: it has no cache
  std::vector<boot::ImageOrder> ordered_images;
  std::optional<boot::InstallPlan> last_plan;  // of an install
  std::map<std::string, boot::Heard> told;
  std::map<std::string, std::string> forge, waiting, journal;
  std::vector<std::string> written_nonces;
  std::string last_instance;
  int installs = 0, erases = 0, power_writes = 0;
  /// Counts down with every durable write and every effect; at 0 the controller "dies".
  int effects_until_crash = -1;
  struct Crash {};
  void effect() {
    if (effects_until_crash > 0 && --effects_until_crash == 0) {
      effects_until_crash = -1;
      throw Crash{};
    }
  }
};

/// What a nimbusd in this world works with; it dies where the world says.
inline LifecycleTools tools_in(World& world) {
  return {.clock = world.clock,
          .provider = "p",
          .store = {.remember = [&world](const auto& key, const auto& value) -> Result<> {
                      world.effect();
                      world.journal[key] = value;
                      world.effect();
                      return {};
                    },
                    .recall_all = [&world](const auto& prefix) -> Result<std::map<std::string, std::string>> {
                      std::map<std::string, std::string> out;
                      for (const auto& [key, value] : world.journal) {
                        if (key.starts_with(prefix)) out[key] = value;
                      }
                      return out;
                    }},
          .boots = {{"", &world}},
          .ssh = [](const auto&, const auto&, const Call&) -> Result<reconcilers::SshAnswer> {
            return reconcilers::SshAnswer::Silent;
          },
          .acknowledged = [&world](const auto& path) { return world.forge_text(path); },
          .publish = [&world](const auto& path, const auto& text, const auto&) { world.put(path, text); },
          .image_sources = {"http://images.test/"},
          .policy = {}};
}

/// A provider that admits everybody, with the network that machines boot from.
inline Wishes wishes_at(const std::string& commit) {
  Wishes wishes;
  wishes.commit = commit;
  wishes.provider.tenants = {"*"};
  wishes.networks["prov"] = {.provider = "p",
                             .name = "prov",
                             .cidr = "10.0.0.0/24",
                             .gateway = {},
                             .dhcp = DhcpService::Server,
                             .range = {"10.0.0.10", "10.0.0.20"}};
  return wishes;
}

/// With an image of a GiB.
inline InstanceWish wish_for(const Instance& instance) {
  InstanceWish wish;
  wish.instance = instance;
  wish.path = "tenants/" + instance.tenant + "/instances/" + instance.name + ".toml";
  wish.image.disk = ImageDisk{.urls = {"http://images.test/a"}, .sha256 = std::string(64, 'a'), .size_bytes = 1 << 30};
  return wish;
}

/// What a pass says of a machine's life, as its status document.
inline std::string document_of(const Identity& identity, const LifeFacts& facts) {
  registry::MachineStatus status;
  status.identity = identity;
  status.phase = facts.phase;
  status.claim = facts.claim;
  status.installed = facts.installed;
  status.erases = facts.erases;
  status.ramdisk = facts.seen;
  status.checks = facts.checks;
  return registry::to_text(status);
}

}  // namespace nimbus::controller::test
