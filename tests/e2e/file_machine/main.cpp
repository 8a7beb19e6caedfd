// The installer's run on a machine made of files: disks, firmware tables and command line
// below a folder. For end-to-end tests of what can go wrong, in seconds and without a
// virtual machine; everything but mounting the root file system is the product's code.
//
//   file-machine FOLDER    FOLDER/{proc/cmdline, sys/…, dev/…}; the seed goes to FOLDER/seed;
//                          FOLDER/slow, if it is there: milliseconds that each write takes
//
// Exit status: how the run ended, 10 + Ending.
#include <sys/prctl.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/file/file.hpp"
#include "base/time/time.hpp"
#include "installer/neighbours.hpp"
#include "installer/run.hpp"
#include "installer/source_rules.hpp"

namespace {

using namespace nimbus;

Result<> plant(const std::string& folder, const std::vector<installer::SeedFile>& files) {
  if (auto made = base::make_folders(folder, 0700); !made) return made;
  for (const auto& file : files) {
    if (auto written = base::write_file_atomically(folder + "/" + file.name, file.content, 0600); !written) {
      return written;
    }
  }
  return {};
}

/// A disk that takes its time, so that something can happen meanwhile.
class SlowDevice final : public installer::Device {
 public:
  SlowDevice(std::unique_ptr<installer::Device> disk, std::chrono::milliseconds time)
      : disk_(std::move(disk)), time_(time) {}
  std::int64_t size() const noexcept override { return disk_->size(); }
  Result<> write(std::int64_t at, std::span<const std::uint8_t> data) override {
    std::this_thread::sleep_for(time_);
    return disk_->write(at, data);
  }
  Result<> read(std::int64_t at, std::span<std::uint8_t> room) override { return disk_->read(at, room); }
  Result<> sync() override { return disk_->sync(); }
  Result<> discard() override { return disk_->discard(); }

 private:
  std::unique_ptr<installer::Device> disk_;
  const std::chrono::milliseconds time_;
};

Result<std::unique_ptr<installer::Device>> open(const std::string& root, const std::string& node,
                                                installer::Access access) {
  auto disk = installer::open_device(node, access);
  const auto slow = base::read_file(root + "/slow", 64);
  if (!disk || !slow) return disk;
  return std::unique_ptr<installer::Device>(
      std::make_unique<SlowDevice>(std::move(*disk), std::chrono::milliseconds(std::atoi(slow->c_str()))));
}

int run(const std::string& root) {
  const base::SystemClock clock;
  const auto say = [](const std::string& line) { std::fprintf(stderr, "nimbus-installer: %s\n", line.c_str()); };
  const auto line = base::read_file(root + "/proc/cmdline", 64 * 1024);
  if (!line) return 2;
  auto facts = installer::read_boot_facts(*line);
  if (!facts) {
    say(facts.error().text());
    return 2;
  }
  installer::HttpHome home(*facts, clock);
  installer::Neighbours neighbours(root, clock);
  const installer::Tools tools{
      .home = home,
      .clock = clock,
      .machine = [&] { return installer::read_machine(root); },
      .inventory = [&](const auto& machine) { return installer::inventory_of(machine, root); },
      .open = [&](const auto& disk, auto access) { return open(root, disk.node, access); },
      .source = [&](const std::string& url, const auto& plan) -> std::unique_ptr<base::ByteSource> {
        return std::make_unique<base::HttpSource>(url, clock, installer::source_rules(plan, url));
      },
      .plant = [&](const auto&, const auto&, const auto& files) { return plant(root + "/seed", files); },
      .pause = [](int failure) { std::this_thread::sleep_for(std::chrono::milliseconds(200 * failure)); },
      .say = say,
      .neighbours = [&] { return neighbours.heard(); }};
  return 10 + static_cast<int>(installer::run_plan(tools, *facts));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return run(argv[1]);
}
