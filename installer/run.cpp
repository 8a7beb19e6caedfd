#include "installer/run.hpp"

#include <mutex>

#include "base/text/text.hpp"
#include "installer/erase.hpp"
#include "installer/heartbeat.hpp"
#include "installer/image_writer.hpp"

namespace nimbus::installer {
namespace {

constexpr std::chrono::seconds kBetweenReports{2};
constexpr int kReportAttempts = 5;
constexpr std::size_t kMostMessage = 2000;

class Run {
 public:
  Run(const Tools& tools, const BootFacts& facts) : tools_(tools), facts_(facts) {}

  Ending go() {
    auto ending = attempt();
    if (ending) return *ending;
    tools_.say("failed: " + ending.error().text());
    // It may name every disk; a report with too long a text is refused as a whole.
    boot::Report report{.stage = boot::Stage::Failed,
                        .message = base::printable(ending.error().text(), kMostMessage),
                        .erased = erased_};
    static_cast<void>(tell(report));  // the deadline tells as well
    return Ending::Failed;
  }

 private:
  Result<Ending> attempt() {
    inventory_ = tools_.inventory(tools_.machine());
    inventory_.neighbours = tools_.neighbours();
    boot::Report hello{.stage = boot::Stage::CheckedIn, .inventory = inventory_};
    if (auto told = tell(hello); !told) return std::move(told.error());
    auto plan = tools_.home.plan();
    if (!plan) return std::move(plan.error());
    plan_ = std::move(*plan);
    tools_.say("plan: " + std::string(name_of(plan_.action)) + " " + plan_.machine);
    switch (plan_.action) {
      case boot::PlanAction::Install:
        return install();
      case boot::PlanAction::Erase:
        return erase();
      case boot::PlanAction::Inspect:
        return Ending::Inspected;
    }
    return Error{Code::Invalid, "unknown action"};
  }

  MachineFacts machine_now() {
    MachineFacts machine = tools_.machine();
    machine.run = facts_.run;
    machine.nonce = facts_.nonce;
    return machine;
  }

  /// Opens the disk for writing, with leave. Nothing is written here.
  Result<Permit> permit_for(std::unique_ptr<Device>& device) {
    const MachineFacts machine = machine_now();
    auto disk = choose_root_disk(plan_.root_disk, plan_.disk, machine.disks, plan_.image_bytes);
    if (!disk) return std::move(disk.error());
    auto opened = tools_.open(*disk, Access::ReadWrite);
    if (!opened) return std::move(opened.error());
    device = std::move(*opened);
    auto witness = read_witness(*device);
    if (!witness) return std::move(witness.error());
    return permit_install(plan_, machine, *disk, *witness);
  }

  Result<Ending> install() {
    std::unique_ptr<Device> device;
    auto permit = permit_for(device);
    if (!permit) return std::move(permit.error());
    disk_ = permit->disk().id;
    // Said before the first byte: from now on the disk belongs to this run.
    boot::Report writing{.stage = boot::Stage::Writing, .all_bytes = plan_.image_bytes, .disk = disk_};
    if (auto told = tell(writing); !told) return std::move(told.error());
    ImageWriter writer(*device, *permit, {.sha256 = plan_.image_sha256, .bytes = plan_.image_bytes});
    if (auto begun = writer.begin(); !begun) return std::move(begun.error());
    if (auto streamed = stream(writer); !streamed) return std::move(streamed.error());
    if (auto finished = writer.finish(); !finished) return std::move(finished.error());
    tools_.say("image verified");
    const auto host_key = base::make_ed25519_key();
    if (auto planted = plant(*permit, writer, host_key); !planted) return std::move(planted.error());
    if (auto done = writer.commit(plan_.run + " " + plan_.instance); !done) return std::move(done.error());
    boot::Report installed{.stage = boot::Stage::Installed,
                           .done_bytes = plan_.image_bytes,
                           .all_bytes = plan_.image_bytes,
                           .disk = disk_,
                           .host_key = base::openssh_public(host_key.public_key, "")};
    add_news(installed);
    if (auto told = tell(installed); !told) return std::move(told.error());
    return Ending::Installed;
  }

  Result<> stream(ImageWriter& writer) {
    std::vector<std::unique_ptr<base::ByteSource>> sources;
    if (!plan_.image_cache.empty()) sources.push_back(tools_.source(plan_.image_cache, plan_));
    for (const auto& url : plan_.image_urls) sources.push_back(tools_.source(url, plan_));
    return stream_image(sources, writer, {.pause = tools_.pause},
                        [&] { progress(boot::Stage::Writing, writer.bytes_written(), plan_.image_bytes); });
  }

  Result<> plant(const Permit& permit, const ImageWriter& writer, const base::Ed25519Key& host_key) {
    const auto table = read_gpt(writer.head());
    const auto root = table ? root_partition(*table) : std::nullopt;
    if (!root) return Error{Code::Invalid, "the image has no root partition that the seed could go to"};
    auto planted = tools_.plant(permit.disk(), *root, make_seed(plan_, host_key));
    if (!planted) return std::move(planted.error()).with("while writing the seed");
    boot::Report written{
        .stage = boot::Stage::Written, .done_bytes = plan_.image_bytes, .all_bytes = plan_.image_bytes, .disk = disk_};
    return tell(written);
  }

  Result<Ending> erase() {
    auto leave = permit_erase(plan_, machine_now());
    if (!leave) return std::move(leave.error());
    for (const auto& [disk, why] : leave->left_out) add_record(unerased(disk, why));
    for (const auto& permit : leave->permits) add_record(erase_one(permit));
    std::string failed;
    for (const auto& record : erased_) {
      if (!record.verified) failed += (failed.empty() ? "" : "; ") + record.disk + ": " + record.error;
    }
    if (!failed.empty()) return Error{Code::Internal, "not erased: " + failed};
    boot::Report done{.stage = boot::Stage::Erased, .erased = erased_};
    add_news(done);
    if (auto told = tell(done); !told) return std::move(told.error());
    return Ending::Erased;
  }

  boot::EraseReport erase_one(const Permit& permit) {
    auto device = tools_.open(permit.disk(), Access::ReadWrite);
    if (!device) return unerased(permit.disk(), device.error().text());
    std::int64_t done = 0, all = (*device)->size();
    std::mutex speaks;  // the one who erases, or the heartbeat
    const auto tell_progress = [&] { progress(boot::Stage::Erasing, done, all); };
    // A disk that erases itself says nothing for hours, and a silent machine is given up.
    const Heartbeat alive(tools_.sign_of_life, [&] {
      const std::scoped_lock lock(speaks);
      tell_progress();
    });
    return erase_disk(
        **device, permit, plan_.erase,
        [&](std::int64_t done_now, std::int64_t all_now) {
          const std::scoped_lock lock(speaks);
          done = done_now;
          all = all_now;
          tell_progress();
        },
        [&] { tools_.pause(2); });
  }

  boot::EraseReport unerased(const DiskFacts& disk, const std::string& why) const {
    return {.disk = disk.id, .level = std::string(name_of(plan_.erase)), .method = {}, .verified = false, .error = why};
  }

  void add_record(boot::EraseReport record) {
    tools_.say("erase " + record.disk + ": " + (record.error.empty() ? record.method : record.error));
    erased_.push_back(std::move(record));
  }

  /// Switches speak when they like: what was heard since the last report.
  void add_news(boot::Report& report) {
    auto heard = tools_.neighbours();
    if (heard == inventory_.neighbours) return;
    inventory_.neighbours = std::move(heard);
    report.inventory = inventory_;
  }

  /// Progress is worth telling, not worth failing for.
  void progress(boot::Stage stage, std::int64_t done, std::int64_t all) {
    const MonoTime now = tools_.clock.now();
    if (now - last_progress_ < kBetweenReports) return;
    last_progress_ = now;
    boot::Report report{.stage = stage, .done_bytes = done, .all_bytes = all, .disk = disk_};
    add_news(report);
    static_cast<void>(tools_.home.report(report));
  }

  /// What must arrive.
  Result<> tell(const boot::Report& report) {
    tools_.say("stage: " + std::string(name_of(report.stage)));
    Result<> told;
    for (int i = 1; i <= kReportAttempts; ++i) {
      told = tools_.home.report(report);
      if (told || !is_transient(told.error().code)) return told;
      tools_.pause(i);
    }
    return told;
  }

  const Tools& tools_;
  const BootFacts& facts_;
  boot::InstallPlan plan_;
  std::string disk_;
  std::vector<boot::EraseReport> erased_;
  boot::Inventory inventory_;
  MonoTime last_progress_{};
};

}  // namespace

Ending run_plan(const Tools& tools, const BootFacts& facts) { return Run(tools, facts).go(); }

}  // namespace nimbus::installer
