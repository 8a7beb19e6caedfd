// What happens between the erasure and the next owner.
#include <doctest/doctest.h>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

namespace {

using registry::CheckRecord;
using registry::MachinePhase;

Account account(const std::string& name, AccountRole role = AccountRole::Operator, bool enabled = true) {
  return {.id = "3", .name = name, .role = role, .enabled = enabled};
}

/// An instance is installed, unprotected, and `meanwhile` its tenant does something; then it is removed.
void release(
    Story& story, const std::function<void()>& meanwhile = [] {}) {
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  meanwhile();
  story.push({instance("web-1", false)});
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
}

std::string result(const Story& story, const std::string& what) {
  for (const auto& check : story.facts->checks) {
    if (check.what == what) return check.result + (check.detail.empty() ? "" : ": " + check.detail);
  }
  return "not checked";
}

}  // namespace

TEST_CASE("released: discs are ejected, the boot override is off, accounts and firmware as before; all in the record") {
  Story story;
  release(story, [&] { story.world.disc_in = true; });
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK_FALSE(story.world.disc_in);
  CHECK(story.world.disarmed == 1);
  CHECK(story.facts->checks == std::vector<CheckRecord>{{"virtual-media", "done", ""},
                                                        {"boot-override", "done", ""},
                                                        {"boot-order", "same", ""},
                                                        {"accounts", "same", ""},
                                                        {"firmware", "same", ""}});
  const auto& text = story.world.forge.at(story.world.machine_path);
  CHECK(text.find("what = \"accounts\"") != std::string::npos);
  // The next instance begins with nothing of it.
  story.push({instance("db-1")});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.facts->checks.empty());
}

TEST_CASE("an account that the tenant left behind keeps the machine in quarantine until it is gone") {
  Story story;
  release(story, [&] { story.world.accounts.push_back(account("backdoor")); });
  REQUIRE(story.until([&] { return story.facts->phase == MachinePhase::Quarantined; }));
  CHECK(story.world.erases == 1);
  CHECK(story.facts->held.find("accounts that it did not have before: backdoor") != std::string::npos);
  story.push({instance("db-1")});
  CHECK_FALSE(story.until([&] { return story.world.installs > 1 || story.available(); }, 50));
  SUBCASE("removed by hand") { story.world.accounts.pop_back(); }
  SUBCASE("disabled by hand") { story.world.accounts.back().enabled = false; }
  SUBCASE("taken by the owner, with a commit") {
    story.desired.lifecycle.state = LifecycleState::Maintenance;
    CHECK_FALSE(story.until([] { return false; }, 2));
    story.desired.lifecycle.state = LifecycleState::InService;
  }
  SUBCASE("after a restart of the controller") {
    story.start();
    CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 20));
    story.world.accounts.pop_back();
  }
  REQUIRE(story.until([&] { return story.world.installs == 2; }));
  CHECK(story.world.erases == 1);
}

TEST_CASE("an account that is gone, or may do less, is told, and does not hold the machine") {
  Story story;
  release(story, [&] { story.world.accounts[0].role = AccountRole::ReadOnly; });
  REQUIRE(story.until([&] { return story.facts->phase == MachinePhase::Quarantined; }));  // another right is more
  story.world.accounts.clear();
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(result(story, "accounts") == "differs: no longer as before: nimbus");
}

TEST_CASE("other firmware is told, and does not hold the machine") {
  Story story;
  release(story, [&] { story.world.firmware[0].version = "1.3"; });
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(result(story, "firmware") == "differs: BIOS 1.2 -> 1.3");
}

TEST_CASE("the boot order that the system left: put back, and what came is told") {
  Story story;
  release(story, [&] {
    story.start();  // what is remembered is remembered durably
    story.world.boot_order.insert(story.world.boot_order.begin(), {"Boot0007", "debian"});
  });
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(story.world.boot_order ==
        std::vector<BootEntry>{{"Boot0000", "Disk"}, {"Boot0001", "Network"}, {"Boot0007", "debian"}});
  CHECK(result(story, "boot-order") == "restored: new, at the end: Boot0007 debian");
}

TEST_CASE("a boot order that cannot be put back: quarantine, until it can") {
  Story story;
  release(story, [&] {
    std::swap(story.world.boot_order[0], story.world.boot_order[1]);
    story.world.order_error = "not now";
  });
  REQUIRE(story.until([&] { return story.facts->phase == MachinePhase::Quarantined; }));
  CHECK(result(story, "boot-order").find("not now") != std::string::npos);
  story.world.order_error.clear();
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(story.world.boot_order[0].id == "Boot0000");
}

TEST_CASE("which entries of a boot order are the same") {
  const std::vector<BootEntry> before{{"1", "A"}, {"2", "B"}, {"3", ""}};
  const auto same = order_back(before, before);
  CHECK(same.first == std::vector<std::string>{"1", "2", "3"});
  CHECK((same.came + same.went).empty());
  const auto other = order_back(before, {{"2", "debian"}, {"3", "C"}, {"1", "A"}});
  CHECK(other.first == std::vector<std::string>{"1", "3"});
  CHECK(other.came == "2 debian");
  CHECK(other.went == "2 B");
  CHECK(order_back({}, {{"1", "x\ny"}}).first.empty());
}

TEST_CASE("a disc that does not come out: quarantine, until it does") {
  Story story;
  release(story, [&] { story.world.disc_stuck = story.world.disc_in = true; });
  REQUIRE(story.until([&] { return story.facts->phase == MachinePhase::Quarantined; }));
  CHECK(result(story, "virtual-media").find("the drive does not open") != std::string::npos);
  story.world.disc_stuck = false;
  CHECK(story.until([&] { return story.available(); }));
}

TEST_CASE("a BMC that does not tell its accounts before an install: installed, and said at the end") {
  Story story;
  story.world.accounts_away = 10;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  story.world.accounts_away = 0;
  story.push({instance("web-1", false)});
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(result(story, "accounts") == "unknown: not read before the instance had the machine");
}

TEST_CASE("a disk that cannot be erased: quarantine with its record; after maintenance it is tried again") {
  Story story;
  release(story, [&] { story.world.installer_fails = "serial.D1: cannot write"; });
  REQUIRE(story.until([&] { return story.facts->phase == MachinePhase::Quarantined; }));
  CHECK(story.held());
  REQUIRE(story.facts->erases.size() == 1);
  CHECK_FALSE(story.facts->erases[0].verified);
  story.world.installer_fails.clear();  // somebody changes the disk
  CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 50));
  story.desired.lifecycle.state = LifecycleState::Maintenance;
  CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 5));
  story.start();
  story.desired.lifecycle.state = LifecycleState::InService;
  story.push(story.instances);
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(story.world.erases == 1);
  CHECK(story.facts->erases[0].verified);
}

TEST_CASE("a held install is begun again after maintenance") {
  Story story;
  story.world.installer_fails = "no disk matches";
  story.push({instance()});
  REQUIRE(story.until([&] { return story.held(); }));
  story.world.installer_fails.clear();
  CHECK_FALSE(story.until([&] { return story.runs(); }, 50));
  story.desired.lifecycle.state = LifecycleState::Maintenance;
  CHECK_FALSE(story.until([&] { return story.world.installs > 0; }, 5));
  story.desired.lifecycle.state = LifecycleState::InService;
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.installs == 1);
}

TEST_CASE("a run that is known from status only is not begun again by maintenance") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.power_writes > 0; }));
  story.world.journal.clear();
  story.world.told.clear();
  story.start();
  REQUIRE(story.until([&] { return story.held(); }));
  const int writes = story.world.power_writes;
  story.desired.lifecycle.state = LifecycleState::Maintenance;
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.desired.lifecycle.state = LifecycleState::InService;
  CHECK_FALSE(story.until([&] { return story.world.power_writes > writes; }, 50));
}

TEST_CASE("what counts as another account, and as another version") {
  const std::vector<Account> before{account("a"), account("b", AccountRole::ReadOnly),
                                    account("c", AccountRole::None, false)};
  CHECK(more_accounts(before, before).empty());
  CHECK(more_accounts(before, {account("a")}).empty());
  CHECK(more_accounts(before, {account("x", AccountRole::None, false)}).empty());
  CHECK(more_accounts(before, {account("b", AccountRole::Administrator)}) == "b");
  CHECK(more_accounts(before, {account("c"), account("x\ny")}) == "c, x\\ny");
  CHECK(other_versions({{"NIC", "1"}, {"NIC", "2"}}, {{"NIC", "2"}, {"NIC", "1"}}).empty());
  CHECK(other_versions({{"NIC", "1"}}, {{"NIC", "2"}, {"GPU", "3"}}) == "GPU none -> 3, NIC 1 -> 2");
}
