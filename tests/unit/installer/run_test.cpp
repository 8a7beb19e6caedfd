#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "installer/run.hpp"
#include "support.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using namespace nimbus::installer::test;

namespace {

constexpr std::size_t kImage = 4 * kMib;
constexpr std::size_t kDisk = 16 * kMib;

class FakeHome final : public Home {
 public:
  Result<boot::InstallPlan> plan() override {
    if (refuse_plan) return Error{Code::Untrusted, "not signed"};
    return the_plan;
  }
  Result<> report(const boot::Report& report) override {
    if (deaf_at && *deaf_at == report.stage) return Error{Code::Invalid, "run is over"};
    const std::scoped_lock lock(mutex_);
    reports.push_back(report);
    heard_.notify_all();
    return {};
  }
  /// Whether such a report comes, or came.
  bool hears(boot::Stage stage) {
    std::unique_lock lock(mutex_);
    return heard_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::any_of(reports.begin(), reports.end(), [&](const auto& one) { return one.stage == stage; });
    });
  }
  std::vector<boot::Stage> stages() const {
    std::vector<boot::Stage> out;
    for (const auto& report : reports) {
      if (out.empty() || out.back() != report.stage) out.push_back(report.stage);
    }
    return out;
  }
  boot::InstallPlan the_plan;
  bool refuse_plan = false;
  std::optional<boot::Stage> deaf_at;
  std::vector<boot::Report> reports;

 private:
  std::mutex mutex_;
  std::condition_variable heard_;
};

struct Stand {
  Stand() {
    machine = machine_with({disk_facts("A", kDisk, disk.path())});
    home.the_plan = plan_for(stream, kImage);
    facts.run = "run-1";
    facts.nonce = kNonce;
  }
  Ending run() {
    const Tools tools{.home = home,
                      .clock = clock,
                      .machine = [this] { return ++looks > 1 && second_look ? *second_look : machine; },
                      .inventory = [](const auto&) { return boot::Inventory{}; },
                      .open = [this](const auto& facts_of, auto access) -> Result<std::unique_ptr<Device>> {
                        opened.push_back(facts_of.id);
                        auto real = open_device(facts_of.node, access);
                        if (!real) return std::move(real.error());
                        auto watched = std::make_unique<WatchedDevice>(std::move(*real));
                        watched->before_discard = before_discard;
                        device = watched.get();
                        return std::unique_ptr<Device>(std::move(watched));
                      },
                      .source = [this](const auto&, const auto&) { return std::make_unique<MemorySource>(stream); },
                      .plant = [this](const auto&, const auto& root, const auto& files) -> Result<> {
                        // The head is not there yet: a machine that stops here does not boot.
                        planted_before_commit = disk.content()[510] == 0;
                        root_number = root.number;
                        seed = files;
                        return plant_result;
                      },
                      .pause = [](int) {},
                      .say = [](const auto&) {},
                      .sign_of_life = std::chrono::milliseconds(1)};
    return run_plan(tools, facts);
  }
  bool untouched() const { return disk.content() == before; }

  Bytes image = gpt_image(kImage);
  Bytes stream = zstd(image);
  FileDisk disk{kDisk};
  Bytes before = disk.content();
  MachineFacts machine;
  std::optional<MachineFacts> second_look;
  FakeHome home;
  BootFacts facts;
  base::SystemClock clock;
  WatchedDevice* device = nullptr;
  std::function<void()> before_discard = [] {};
  int looks = 0;
  std::vector<std::string> opened;
  std::vector<SeedFile> seed;
  int root_number = 0;
  bool planted_before_commit = false;
  Result<> plant_result;
};

}  // namespace

TEST_CASE("an install, from the first word to the last") {
  Stand stand;
  CHECK(stand.run() == Ending::Installed);
  using enum boot::Stage;
  CHECK(stand.home.stages() == std::vector{CheckedIn, Writing, Written, Installed});
  CHECK(stand.home.reports.back().disk == "serial.A");
  CHECK(stand.home.reports.back().host_key.starts_with("ssh-ed25519 "));
  CHECK(stand.planted_before_commit);
  CHECK(stand.root_number == 2);
  REQUIRE(stand.seed.size() == 4);
  // The host key that is reported is the one that the seed carries.
  bool carried = false;
  for (const auto& file : stand.seed) {
    const auto key = stand.home.reports.back().host_key.substr(12);
    carried = carried || file.content.find(key) != std::string::npos;
  }
  CHECK(carried);
  CHECK(stand.disk.content()[510] == 0x55);
}

TEST_CASE("refused before the first write: the disk is as it was") {
  Stand stand;
  SUBCASE("plan not signed") { stand.home.refuse_plan = true; }
  SUBCASE("wrong machine") { stand.machine.identity.serial = "OTHER"; }
  SUBCASE("identity changed between the looks") {
    stand.second_look = stand.machine;
    stand.second_look->identity.serial = "OTHER";
  }
  SUBCASE("disk changed between the looks") {
    stand.second_look = stand.machine;
    stand.second_look->disks.clear();
  }
  SUBCASE("two matching disks") { stand.machine.disks.push_back(disk_facts("B", kDisk, stand.disk.path())); }
  SUBCASE("no matching disk") { stand.home.the_plan.root_disk.serial = "Z"; }
  SUBCASE("another run's plan") { stand.home.the_plan.run = "run-2"; }
  SUBCASE("another boot's nonce") { stand.facts.nonce = std::string(32, '0'); }
  SUBCASE("no proof") { stand.home.the_plan.proof = boot::Proof::None; }
  SUBCASE("disk has data, said to be erased") {
    stand.disk.fill(noise(kMib));
    stand.before = stand.disk.content();
    stand.home.the_plan.proof = boot::Proof::ErasedByUs;
    stand.home.the_plan.erased = {disk_facts("A", kDisk).id};
  }
  SUBCASE("nobody took note that writing begins") { stand.home.deaf_at = boot::Stage::Writing; }
  SUBCASE("check-in refused") { stand.home.deaf_at = boot::Stage::CheckedIn; }
  CHECK(stand.run() == Ending::Failed);
  CHECK(stand.untouched());
  if (stand.device != nullptr && !stand.opened.empty()) CHECK(stand.seed.empty());
}

TEST_CASE("a disk with blocks of 4096 bytes: the report says why nothing is written") {
  Stand stand;
  stand.machine.disks.front().block_bytes = 4096;
  CHECK(stand.run() == Ending::Failed);
  CHECK(stand.untouched());
  CHECK(stand.home.reports.back().message.find("has blocks of 4096 bytes") != std::string::npos);
}

TEST_CASE("failed while writing: no head, and a reason") {
  Stand stand;
  SUBCASE("digest") { stand.home.the_plan.image_sha256 = std::string(64, 'a'); }
  SUBCASE("seed") { stand.plant_result = Error{Code::Internal, "cannot mount"}; }
  SUBCASE("the seed was not noticed") { stand.home.deaf_at = boot::Stage::Written; }
  CHECK(stand.run() == Ending::Failed);
  CHECK(stand.home.stages().back() == boot::Stage::Failed);
  CHECK_FALSE(stand.home.reports.back().message.empty());
  const auto disk = stand.disk.content();
  CHECK(blank(disk.data(), kMib));
}

TEST_CASE("the same run does not write twice") {
  Stand stand;
  REQUIRE(stand.run() == Ending::Installed);
  stand.before = stand.disk.content();
  CHECK(stand.run() == Ending::Failed);
  CHECK(stand.untouched());
}

TEST_CASE("a reinstall keeps the data disk") {
  Stand stand;
  REQUIRE(stand.run() == Ending::Installed);
  FileDisk data(kDisk);
  data.fill(noise(kDisk));
  const auto kept = data.content();
  stand.machine.disks.push_back(disk_facts("DATA", kDisk, data.path()));
  stand.home.the_plan.run = stand.facts.run = "run-2";
  stand.machine.run = "run-2";
  stand.home.the_plan.proof = boot::Proof::SameInstance;
  stand.home.the_plan.disk = "serial.A";
  stand.opened.clear();
  CHECK(stand.run() == Ending::Installed);
  CHECK(stand.opened == std::vector<std::string>{"serial.A"});
  CHECK(data.content() == kept);
}

TEST_CASE("release: every disk is erased and read back, with a record each") {
  for (const auto level : {EraseLevel::Metadata, EraseLevel::Quick, EraseLevel::Secure}) {
    CAPTURE(name_of(level));
    Stand stand;
    FileDisk second(kDisk);
    stand.disk.fill(noise(kDisk));
    second.fill(noise(kDisk));
    stand.machine.disks.push_back(disk_facts("B", kDisk, second.path()));
    stand.home.the_plan.action = boot::PlanAction::Erase;
    stand.home.the_plan.proof = boot::Proof::Release;
    stand.home.the_plan.erase = level;
    CHECK(stand.run() == Ending::Erased);
    const auto& records = stand.home.reports.back().erased;
    REQUIRE(records.size() == 2);
    CHECK(records[0].disk == "serial.A");
    CHECK(records[1].disk == "serial.B");
    for (const auto& record : records) {
      CHECK(record.verified);
      CHECK(record.level == std::string(name_of(level)));
      CHECK(record.error.empty());
      CHECK_FALSE(record.method.empty());
    }
    for (const auto& content : {stand.disk.content(), second.content()}) {
      CHECK(blank(content.data(), kMib));
      CHECK(blank(content.data() + content.size() - kMib, kMib));
      if (level == EraseLevel::Secure) CHECK(blank(content.data(), content.size()));
    }
  }
}

TEST_CASE("release: a disk that cannot be erased has a record that says so, and the others are erased") {
  Stand stand;
  stand.disk.fill(noise(kDisk));
  stand.home.the_plan.action = boot::PlanAction::Erase;
  stand.home.the_plan.proof = boot::Proof::Release;
  auto worn = disk_facts("WORN", kDisk);
  worn.read_only = true;
  stand.machine.disks = {worn, stand.machine.disks.front(), disk_facts("GONE", kDisk, "/tmp/nimbus-no-such-disk")};
  CHECK(stand.run() == Ending::Failed);
  const auto& last = stand.home.reports.back();
  CHECK(last.stage == boot::Stage::Failed);
  REQUIRE(last.erased.size() == 3);
  CHECK(last.erased[0].disk == "serial.WORN");
  CHECK_FALSE(last.erased[0].verified);
  CHECK(last.erased[0].error == "it is read-only");
  CHECK(last.erased[1].disk == "serial.A");
  CHECK(last.erased[1].verified);
  CHECK(last.erased[2].disk == "serial.GONE");
  CHECK_FALSE(last.erased[2].verified);
  CHECK(last.message.find("serial.WORN: it is read-only; serial.GONE: ") != std::string::npos);
  CHECK(blank(stand.disk.content().data(), kMib));
  CHECK(boot::parse_report(boot::to_json(last)));
}

TEST_CASE("release: a disk that erases itself for hours: the machine is heard all the while") {
  Stand stand;
  stand.home.the_plan.action = boot::PlanAction::Erase;
  stand.home.the_plan.proof = boot::Proof::Release;
  stand.home.the_plan.erase = EraseLevel::Quick;
  bool heard = false;
  stand.before_discard = [&] { heard = stand.home.hears(boot::Stage::Erasing); };
  CHECK(stand.run() == Ending::Erased);
  CHECK(heard);
}

TEST_CASE("a failure that names a hundred disks is still a report that is taken") {
  Stand stand;
  stand.machine.disks.clear();
  for (int i = 0; i < 100; ++i)
    stand.machine.disks.push_back(disk_facts(std::string(60, 'x') + std::to_string(i), kDisk));
  CHECK(stand.run() == Ending::Failed);
  const auto& last = stand.home.reports.back();
  CHECK(last.message.starts_with("several disks match"));
  CHECK(boot::parse_report(boot::to_json(last)));
}

TEST_CASE("erasing is refused for an install's proof, and the disk is as it was") {
  Stand stand;
  stand.disk.fill(noise(kDisk));
  stand.before = stand.disk.content();
  stand.home.the_plan.action = boot::PlanAction::Erase;
  CHECK(stand.run() == Ending::Failed);
  CHECK(stand.untouched());
  CHECK(stand.opened.empty());
}

TEST_CASE("the seed has the tenant's user data as it is, and its networks") {
  auto plan = plan_for({}, 0);
  plan.user_data = "#!/bin/sh\necho hello\n";
  plan.networks = {{.name = "acme", .vlan = 120, .address = "10.9.0.7/24"},
                   {.name = "late", .vlan = 121, .address = {}},
                   {.name = "flat", .vlan = 0, .address = "10.8.0.7/24"}};
  auto again = boot::parse_plan(boot::to_json(plan));
  REQUIRE(again);
  CHECK(*again == plan);
  const auto seed = make_seed(plan, base::make_ed25519_key());
  const auto file = [&](const std::string& name) {
    return std::find_if(seed.begin(), seed.end(), [&](const auto& f) { return f.name == name; })->content;
  };
  CHECK(file("user-data") == plan.user_data);
  const auto network = base::parse_json(file("network-config"), {});
  REQUIRE(network);
  CHECK((*network)["vlans"]["vlan120"]["addresses"].items()[0].as_string() == "10.9.0.7/24");
  CHECK((*network)["vlans"]["vlan121"]["dhcp4"].as_bool() == true);
  CHECK((*network)["ethernets"]["boot"]["addresses"].items()[0].as_string() == "10.8.0.7/24");
}

TEST_CASE("the seed lets the controller in where it is to configure the host, and nowhere else") {
  auto plan = plan_for({}, 0);
  plan.user = "debian";
  plan.ssh_keys = {"ssh-ed25519 AAAA alice"};
  const auto users = [&plan] {
    const auto seed = make_seed(plan, base::make_ed25519_key());
    const auto file = std::find_if(seed.begin(), seed.end(), [](const auto& f) { return f.name == "vendor-data"; });
    auto data = base::parse_json(file->content.substr(file->content.find('\n')), {});
    REQUIRE(data);
    return (*data)["users"];
  };
  CHECK(users().size() == 1);
  plan.controller_user = "nimbus";
  CHECK(users().size() == 1);  // without a key there is nobody to let in
  plan.controller_key = "ssh-ed25519 BBBB";
  CHECK(users().size() == 2);
  CHECK(users().at(0)["ssh_authorized_keys"].size() == 1);
  CHECK(users().at(1)["name"].as_string() == "nimbus");
  CHECK(users().at(1)["gecos"].as_string() == "Nimbus controller");
  CHECK(users().at(1)["ssh_authorized_keys"].items()[0].as_string() == "ssh-ed25519 BBBB");
  plan.user = "nimbus";
  CHECK(users().size() == 1);
  CHECK(users().at(0)["ssh_authorized_keys"].size() == 2);
}
