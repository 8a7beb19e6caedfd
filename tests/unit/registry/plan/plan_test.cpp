// "What a commit means", row by row, on the example registry.
#include "registry/plan/plan.hpp"

#include "../support/memory_source.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

namespace {

const std::string kM017 = "providers/berlin-1/machines/b2/m017.toml";
const std::string kM018 = "providers/berlin-1/machines/b2/m018.toml";  // enforced, pinned by acme/web-2
const std::string kM011 = "providers/berlin-1/machines/b1/m011.toml";
const std::string kWeb1 = "tenants/acme/instances/web-1.toml";
const std::string kBuild = "tenants/globex/instances/build-1.toml";  // not protected

struct Pair {
  MemorySource base = example();
  MemorySource head = example();
  PlanFacts facts;

  Plan plan() const {
    const auto before = loaded(base).snapshot;
    const auto after = loaded(head, before.get()).snapshot;
    return make_plan(*before, *after, facts);
  }
};

const PlanItem* find(const Plan& plan, std::string_view id) {
  for (const auto& item : plan.items) {
    if (item.id == id) return &item;
  }
  return nullptr;
}

const Change* find(const Plan& plan, std::string_view id, std::string_view key) {
  const auto* item = find(plan, id);
  if (item == nullptr) return nullptr;
  for (const auto& change : item->changes) {
    if (change.key == key) return &change;
  }
  return nullptr;
}

#define REQUIRE_CHANGE(name, plan, id, key) \
  const Change* name = find(plan, id, key); \
  REQUIRE_MESSAGE(name != nullptr, id << " " << key)

}  // namespace

TEST_CASE("nothing changed: an empty plan, and the same digest each time") {
  const Pair pair;
  const auto plan = pair.plan();
  CHECK(plan.items.empty());
  CHECK(summary(plan) == "nothing changes");
  CHECK(plan == pair.plan());
}

TEST_CASE("machine: labels, description, location mean nothing to hardware") {
  Pair pair;
  pair.head.edit(kM017, "unit = 17", "unit = 19").edit(kM017, "rack b2 unit 17", "rack b2 unit 19");
  const auto plan = pair.plan();
  REQUIRE(plan.items.size() == 1);
  CHECK(plan.items[0].id == "berlin-1/m017");
  CHECK(plan.items[0].worst() == Effect::None);
  CHECK(plan.items[0].files == std::vector<std::string>{kM017});
  CHECK(summary(plan) == "1 machine, 0 instances: no effect on hardware");
}

TEST_CASE("machine: power acts only under enforce, and only if observed and free") {
  Pair pair;
  pair.head.files.at(kM011) = "power = \"off\"\n" + pair.head.files.at(kM011);
  {
    const auto plan = pair.plan();
    REQUIRE_CHANGE(change, plan, "berlin-1/m011", "power");
    CHECK(change->effect == Effect::Reported);
  }
  pair.head.files.at(kM011) = "enforcement = \"enforce\"\n" + pair.head.files.at(kM011);
  {
    const auto plan = pair.plan();
    REQUIRE_CHANGE(change, plan, "berlin-1/m011", "power");
    CHECK(change->effect == Effect::Unknown);  // never "no effect"
  }
  pair.facts.machines["berlin-1/m011"] = {PowerState::On, ""};
  {
    const auto plan = pair.plan();
    REQUIRE_CHANGE(change, plan, "berlin-1/m011", "power");
    CHECK(change->effect == Effect::PowerOff);
    CHECK(plan.totals.power_offs == 1);
  }
  pair.facts.machines["berlin-1/m011"] = {PowerState::Off, ""};
  CHECK(find(pair.plan(), "berlin-1/m011", "power")->effect == Effect::None);
  pair.facts.machines["berlin-1/m011"] = {PowerState::On, "acme/web-9"};
  CHECK(find(pair.plan(), "berlin-1/m011", "power")->effect == Effect::Reported);
}

TEST_CASE("machine: bios and secure boot reboot it, of every machine of the class that enforces") {
  Pair pair;
  pair.head.edit("providers/berlin-1/classes/r650.toml", "LogicalProc = \"Enabled\"", "LogicalProc = \"Disabled\"");
  const auto plan = pair.plan();
  CHECK(plan.totals.machines == 5);
  CHECK(plan.totals.reboots == 1);
  REQUIRE_CHANGE(enforced, plan, "berlin-1/m018", "bios.LogicalProc");
  CHECK(enforced->effect == Effect::Reboot);
  CHECK(enforced->from == "Enabled");
  CHECK(enforced->to == "Disabled");
  CHECK(enforced->reason.find("acme/web-2") != std::string::npos);
  REQUIRE_CHANGE(observed, plan, "berlin-1/m017", "bios.LogicalProc");
  CHECK(observed->effect == Effect::Reported);
  CHECK(plan.items[0].id == "berlin-1/m018");  // most severe first
}

TEST_CASE("machine: where credentials go is marked; identity means observe only") {
  Pair pair;
  pair.head.edit(kM017, "bmc-m017.berlin-1.example", "bmc-m017.elsewhere.example");
  pair.head.edit(kM018, "serial = \"", "serial = \"X");
  const auto plan = pair.plan();
  REQUIRE_CHANGE(address, plan, "berlin-1/m017", "bmc.address");
  CHECK(address->effect == Effect::CredentialExposure);
  REQUIRE_CHANGE(serial, plan, "berlin-1/m018", "identity.serial");
  CHECK(serial->effect == Effect::ObserveOnly);
  CHECK(plan.totals.exposures == 1);

  Pair of_all;
  of_all.head.edit("providers/oslo-1/provider.toml", "bmc/oslo-1", "bmc/oslo-2");
  CHECK(of_all.plan().totals.exposures == 5);
}

TEST_CASE("machine: renamed or moved is a move; removed is unmanaged, never erased") {
  Pair pair;
  pair.head.files["providers/berlin-1/machines/b3/m017.toml"] = pair.head.files.at(kM017);
  pair.head.files.erase(kM017);
  pair.head.files["providers/berlin-1/machines/b1/n011.toml"] = pair.head.files.at(kM011);
  pair.head.files.erase(kM011);
  pair.head.files.erase("providers/oslo-1/machines/a003.toml");
  const auto plan = pair.plan();
  CHECK(plan.totals.data_loss == 0);
  REQUIRE_CHANGE(moved, plan, "berlin-1/m017", "");
  CHECK(moved->effect == Effect::Move);
  REQUIRE_CHANGE(renamed, plan, "berlin-1/n011", "");
  CHECK(renamed->effect == Effect::Move);
  CHECK(renamed->from == "berlin-1/m011");
  CHECK(find(plan, "berlin-1/m011") == nullptr);
  REQUIRE_CHANGE(gone, plan, "oslo-1/a003", "");
  CHECK(gone->effect == Effect::Unmanaged);
}

TEST_CASE("machine: existing_data = erase is shown as possible data loss") {
  Pair pair;
  pair.head.files.at(kM011) += "\n[lifecycle]\nexisting_data = \"erase\"\n";
  const auto plan = pair.plan();
  CHECK(find(plan, "berlin-1/m011")->data_loss() == DataLoss::Possible);
}

TEST_CASE("instance: power, restart, access, profiles") {
  Pair pair;
  pair.head.files.at(kWeb1) = "power = \"off\"\nrestart = 1\n" + pair.head.files.at(kWeb1);
  pair.head.edit(kWeb1, "ssh_keys = [\"person:bob\"]", "ssh_keys = [\"person:bob\", \"person:alice\"]");
  pair.head.edit("profiles/web.toml", "4096", "8192");
  const auto plan = pair.plan();
  CHECK(find(plan, "acme/web-1", "power")->effect == Effect::PowerOff);
  CHECK(find(plan, "acme/web-1", "restart")->effect == Effect::Reboot);
  CHECK(find(plan, "acme/web-1", "access")->effect == Effect::InPlace);
  REQUIRE_CHANGE(code, plan, "acme/web-2", "profiles");
  CHECK(code->effect == Effect::RootCode);
  CHECK(code->to == "web");
  CHECK(plan.totals.root_code == 2);
  CHECK(find(plan, "acme/db-1") == nullptr);
}

TEST_CASE("instance: a file that a profile installs is root code too") {
  Pair pair;
  pair.head.files.at("files/motd") += "x\n";
  const auto plan = pair.plan();
  CHECK(plan.totals.root_code == 2);
  CHECK(find(plan, "acme/db-1", "profiles")->effect == Effect::Reported);  // configuration = "observe"
}

TEST_CASE("instance: image and storage are recorded for the next reinstall") {
  Pair pair;
  pair.head.edit("images/debian-12.toml", "size_gib = 50", "size_gib = 60");
  const auto plan = pair.plan();
  REQUIRE_CHANGE(change, plan, "acme/web-1", "image");
  CHECK(change->effect == Effect::Recorded);
  CHECK(plan.totals.data_loss == 0);
}

TEST_CASE("instance: reinstall raised destroys data, unless protected; lowered does nothing") {
  Pair pair;
  pair.head.files.at(kBuild) = "reinstall = 1\n" + pair.head.files.at(kBuild);
  pair.head.files.at(kWeb1) = "reinstall = 1\n" + pair.head.files.at(kWeb1);
  const auto plan = pair.plan();
  REQUIRE_CHANGE(change, plan, "globex/build-1", "reinstall");
  CHECK(change->effect == Effect::Reinstall);
  CHECK(change->data_loss == DataLoss::Yes);
  CHECK(change->blocked.empty());
  CHECK(plan.items[0].id == "globex/build-1");
  REQUIRE_CHANGE(blocked, plan, "acme/web-1", "reinstall");
  CHECK_FALSE(blocked->blocked.empty());
  CHECK(find(plan, "acme/web-1")->data_loss() == DataLoss::No);
  CHECK(plan.totals.data_loss == 1);
  CHECK(summary(plan).find("DATA LOSS") != std::string::npos);

  Pair undo;
  undo.base = pair.head;
  const auto back = undo.plan();
  CHECK(find(back, "globex/build-1", "reinstall")->effect == Effect::None);

  pair.facts.instances["globex/build-1"] = {"a001", 1, true};
  CHECK(find(pair.plan(), "globex/build-1", "reinstall")->effect == Effect::None);  // installed already
}

TEST_CASE("instance: unprotecting and destroying in one commit is blocked") {
  Pair pair;
  pair.head.files.at(kWeb1) = "protected = false\nreinstall = 1\n" + pair.head.files.at(kWeb1);
  const auto plan = pair.plan();
  CHECK_FALSE(find(plan, "acme/web-1", "reinstall")->blocked.empty());
  pair.head.files.erase(kWeb1);
  CHECK_FALSE(find(pair.plan(), "acme/web-1", "")->blocked.empty());
}

TEST_CASE("instance: file removed is a release; pin changed is only reported; new is an install") {
  Pair pair;
  pair.head.files.erase(kBuild);
  pair.head.edit(kWeb1, "machine = \"m017\"", "machine = \"m011\"");
  pair.head.files["tenants/acme/instances/new-1.toml"] = "provider = \"berlin-1\"\nimage = \"debian-12\"\n";
  const auto plan = pair.plan();
  CHECK(find(plan, "globex/build-1", "")->effect == Effect::Release);
  CHECK(find(plan, "globex/build-1")->data_loss() == DataLoss::Yes);
  CHECK(find(plan, "acme/web-1", "requirements.machine")->effect == Effect::Reported);
  CHECK(find(plan, "acme/new-1", "")->effect == Effect::Install);
  CHECK(find(plan, "acme/new-1")->data_loss() == DataLoss::No);
  pair.head.files.at(kM011) += "\n[lifecycle]\nexisting_data = \"erase\"\n";
  CHECK(find(pair.plan(), "acme/new-1")->data_loss() == DataLoss::Possible);
}

TEST_CASE("limits of the base's policy: what holds and what queues") {
  Pair pair;
  for (int i = 0; i < 3; ++i) {
    const std::string name = "tenants/acme/instances/t-" + std::to_string(i) + ".toml";
    pair.base.files[name] = "provider = \"berlin-1\"\nimage = \"debian-12\"\nprotected = false\n";
  }
  pair.head.edit("policy/limits.toml", "count = 3", "count = 300");  // the base's count holds
  const auto plan = pair.plan();
  CHECK(plan.totals.releases == 3);
  bool held = false;
  for (const auto& limit : plan.limits) {
    if (limit.rule != "destructive.percent") continue;
    held = limit.kind == LimitVerdict::Kind::Holds;
    CHECK(limit.asked == 3);
    CHECK(limit.allowed == 1);  // 10 percent of seven machines, at least one
  }
  CHECK(held);
}

TEST_CASE("limits: machines that leave at once, by the share of the base's policy") {
  Pair pair;
  pair.head.files.erase(kM017);
  const auto verdict = [&](const Plan& plan) -> const LimitVerdict* {
    for (const auto& limit : plan.limits) {
      if (limit.rule == kRemovalRule) return &limit;
    }
    return nullptr;
  };
  const auto one = pair.plan();
  REQUIRE(verdict(one) != nullptr);
  CHECK(verdict(one)->kind == LimitVerdict::Kind::Within);
  pair.head.files.erase(kM018);
  pair.head.edit("policy/limits.toml", "percent = 10", "percent = 100");
  const auto two = pair.plan();
  REQUIRE(verdict(two) != nullptr);
  CHECK(verdict(two)->kind == LimitVerdict::Kind::Holds);
  CHECK(verdict(two)->asked == 2);
  CHECK(verdict(two)->allowed == 1);
}

TEST_CASE("the digest to approve: void when the plan grew, and only then") {
  Pair pair;
  pair.head.files.erase(kM017);
  pair.head.files.erase(kM018);
  const auto digest = pair.plan().digest;
  pair.head.edit(kM011, "[bmc]", "[location]\nunit = 3\n[bmc]");
  pair.head.files["policy/approvals/" + digest + ".toml"] = "reason = \"x\"\nexpires = 2030-01-01T00:00:00Z\n";
  pair.facts.machines["berlin-1/m011"] = {PowerState::On, ""};
  CHECK(pair.plan().digest == digest);
  pair.head.files.erase(kM011);
  CHECK(pair.plan().digest != digest);
}

TEST_CASE("approvals: by digest, until they expire") {
  const std::vector<Approval> approvals = {
      {.digest = "aa", .reason = "x", .expires = WallTime{std::chrono::seconds(10)}}};
  CHECK(is_approved(approvals, "aa", WallTime{std::chrono::seconds(9)}));
  CHECK_FALSE(is_approved(approvals, "aa", WallTime{std::chrono::seconds(10)}));
  CHECK_FALSE(is_approved(approvals, "bb", WallTime{}));
  CHECK_FALSE(is_approved({}, "", WallTime{}));
}

TEST_CASE("a file with errors changes nothing, and the plan says so") {
  Pair pair;
  pair.head.edit(kM017, "bmc-m017.berlin-1.example\"", "bmc-m017.elsewhere.example\"\ncolour = 1");
  const auto plan = pair.plan();
  REQUIRE_CHANGE(change, plan, "berlin-1/m017", "bmc.address");
  CHECK_FALSE(change->blocked.empty());
  CHECK(plan.totals.exposures == 0);
  CHECK(plan.totals.blocked == 1);
}

TEST_CASE("a new machine whose file has errors: there is no version that could stay in force") {
  Pair pair;
  const std::string path = "providers/berlin-1/machines/b2/m099.toml";
  pair.head.files[path] =
      "class = \"r650\"\ncolour = 1\n[bmc]\naddress = \"https://m099.example\"\n[identity]\nserial = \"NEW1\"\n";
  const auto plan = pair.plan();
  REQUIRE_CHANGE(change, plan, "berlin-1/m099", "bmc.address");
  CHECK(change->blocked ==
        "the file has errors: no version was accepted before, so Nimbus leaves it alone until that is mended");
}

TEST_CASE("an instance whose machine, image or person has errors is blocked; a refused commit blocks all") {
  const std::string web = "tenants/acme/instances/web-1.toml";
  Pair pair;
  pair.head.edit(kM017, "unit = 17", "unit = \"x\"");
  pair.head.edit(web, "\"web\", \"app\"", "\"web\"");
  {
    const auto plan = pair.plan();
    REQUIRE_CHANGE(change, plan, "acme/web-1", "profiles");
    CHECK(change->blocked == kM017 + std::string(" has errors: the last accepted version stays in force"));
  }
  Pair refused;
  refused.head.edit("policy/limits.toml", "count = 3", "cuont = 3");
  refused.head.files.erase("tenants/globex/instances/build-1.toml");
  const auto plan = refused.plan();
  REQUIRE(plan.items.size() >= 2);
  for (const auto& item : plan.items) {
    for (const auto& change : item.changes) CHECK(change.blocked.starts_with("policy/limits.toml has errors"));
  }
  CHECK(plan.totals.data_loss == 0);
  CHECK(plan.items[0].id == "globex/build-1");  // at stake, so first
  CHECK(plan.items[0].blocked_data_loss() == DataLoss::Yes);
}

TEST_CASE("the digest covers what happens, and not what was observed on the way") {
  Pair pair;
  pair.head.edit(kM017, "unit = 17", "unit = 19");
  const auto one = pair.plan().digest;
  CHECK(one.size() == 64);
  pair.facts.machines["berlin-1/m018"] = {PowerState::On, ""};
  CHECK(pair.plan().digest == one);
  pair.head.edit(kM018, "unit = 18", "unit = 20");
  CHECK(pair.plan().digest != one);
}
