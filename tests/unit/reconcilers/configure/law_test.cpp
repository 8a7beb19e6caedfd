// The laws of reconciling, on a host that is nothing but its facts: whatever it shows and
// whatever is wanted, acting and observing until nothing is left ends, and ends as declared;
// and what is as declared is left alone. Failures stop what depends on them and nothing else;
// a crash anywhere is got over.
#include <doctest/doctest.h>

#include <random>
#include <set>

#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/order.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::reconcilers::configure;
using namespace nimbus::test;

namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T any(const std::vector<T>& of) {
    return of[below(of.size())];
  }
  Presence presence() { return one_in(4) ? Presence::Absent : Presence::Present; }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> kNames = {"a", "b", "c"}, kModes = {"0644", "0600", "0755"}, kTexts = {"x\n", "y\n", ""};

Wanted any_wanted(Dice& dice) {
  const auto name = dice.any(kNames);
  const auto path = "/d" + dice.any(kNames);
  switch (dice.below(16)) {
    case 0: {
      const bool absent = dice.one_in(4);
      return Package{name, absent ? Presence::Absent : Presence::Present,
                     !absent && dice.one_in(2) ? dice.any<std::string>({"1", "2"}) : "", !absent && dice.one_in(3)};
    }
    case 1: {
      auto out = file(path + "/f" + name, dice.any(kTexts), dice.any(kModes));
      out.presence = dice.presence();
      if (dice.one_in(3)) out.owner = dice.any(kNames);
      if (dice.one_in(4)) out.validate = "check";
      return out;
    }
    case 2:
      return Directory{path, Presence::Present, dice.one_in(2) ? "root" : dice.any(kNames), "root", dice.any(kModes)};
    case 3:
      return Link{path + "/l" + name, dice.presence(), dice.any(kTexts) + "t"};
    case 4:
      return OwnedFiles{path, "n-", {path + "/n-" + dice.any(kNames)}};
    case 5:
      return Group{name, dice.presence(), dice.one_in(2) ? std::optional<std::int64_t>(dice.below(9)) : std::nullopt};
    case 6: {
      User out{name, dice.presence(), {}, {}, dice.one_in(2) ? "/bin/sh" : "", "", {}, dice.one_in(2), dice.one_in(2)};
      if (dice.one_in(2)) out.groups = {dice.any(kNames)};
      if (dice.one_in(2)) out.ssh_keys = {kKeyA};
      return out;
    }
    case 7: {
      Unit out{name + ".service", {}, {}};
      if (dice.one_in(2)) out.enabled = dice.one_in(2);
      if (dice.one_in(2)) out.running = dice.one_in(2);
      return out;
    }
    case 8:
      return Sysctl{"k." + name, dice.any<std::string>({"1", "2 3"})};
    case 9:
      return KernelModule{name};
    case 10:
      return Mount{"/dev/x", "/m" + name, dice.any<std::string>({"ext4", "xfs"}), "noatime", dice.presence()};
    case 11:
      return Swap{"/s" + name, static_cast<std::int64_t>(1 + dice.below(3)), dice.presence()};
    case 12:
      return Setting{dice.any<SettingKind>({SettingKind::Hostname, SettingKind::TimeZone, SettingKind::Locale}), name};
    case 13:
      return Block{path + "/f" + name, "b", dice.any(kTexts)};
    case 14:
      return Command{name, "run", "/c", "", "root"};
    default:
      return Action{name, "run", dice.one_in(3) ? "undo" : "", 60, dice.one_in(3) ? "same" : ""};
  }
}

Configuration any_configuration(Dice& dice) {
  std::map<std::string, Resource> made;
  for (std::size_t turn = 0; turn < 3 + dice.below(25); ++turn) {
    auto it = resource(any_wanted(dice));
    made.emplace(it.id, std::move(it));
  }
  std::vector<std::string> told;
  for (const auto& [id, it] : made) {
    if (std::holds_alternative<Action>(it.wanted) || std::holds_alternative<Unit>(it.wanted)) told.push_back(id);
  }
  std::vector<Resource> out;
  for (auto& [id, it] : made) {
    const bool ends = std::holds_alternative<Action>(it.wanted) || std::holds_alternative<Unit>(it.wanted);
    if (!ends && !told.empty() && dice.one_in(3)) it.notifies = {dice.any(told)};
    out.push_back(it);
  }
  return {out};
}

/// What a correction of one resource means.
struct Meaning {
  Facts& facts;
  const std::string& id;

  static PathFact path(PathKind kind) { return {.kind = kind, .mode = "0777", .owner = "root", .group = "root"}; }

  void operator()(const Package& it) const {
    auto& fact = facts.packages[it.name];
    if (it.presence == Presence::Absent) {
      fact = {};
    } else {
      if (fact.version.empty() || !it.version.empty()) fact.version = it.version.empty() ? "1" : it.version;
      fact.held = it.hold;
    }
  }
  void operator()(const File& it) const {
    facts.pending.erase(id);
    auto& fact = facts.paths[it.path] = path(it.presence == Presence::Absent ? PathKind::Absent : PathKind::File);
    if (it.presence == Presence::Present)
      fact = {PathKind::File, it.mode, it.owner, it.group, it.content.size(), it.sha256, ""};
  }
  void operator()(const Directory& it) const {
    facts.paths[it.path] = {PathKind::Directory, it.mode, it.owner, it.group, 0, "", ""};
  }
  void operator()(const Link& it) const {
    auto& fact = facts.paths[it.path] = path(it.presence == Presence::Absent ? PathKind::Absent : PathKind::Link);
    fact.target = it.target;
    for (char& c : fact.target) c = c == '\n' ? '?' : c;
  }
  void operator()(const OwnedFiles& it) const {
    std::erase_if(facts.owned[it.folder + "/" + it.prefix],
                  [&](const auto& p) { return std::find(it.keep.begin(), it.keep.end(), p) == it.keep.end(); });
  }
  void operator()(const Group& it) const {
    auto& fact = facts.groups[it.name];
    fact.exists = it.presence == Presence::Present;
    if (it.gid) fact.gid = *it.gid;
  }
  void operator()(const User& it) const {
    auto& fact = facts.users[it.name];
    if (it.presence == Presence::Absent) {
      fact = {};
      return;
    }
    fact.exists = fact.keys_told = true;
    if (!it.shell.empty()) fact.shell = it.shell;
    fact.groups.insert(it.groups.begin(), it.groups.end());
    if (!it.manages_keys) return;
    if (it.exclusive_keys) fact = {true, fact.uid, fact.home, fact.shell, fact.groups, {}, false, true};
    for (const auto& key : it.ssh_keys) {
      if (std::find(fact.ssh_keys.begin(), fact.ssh_keys.end(), key) == fact.ssh_keys.end())
        fact.ssh_keys.push_back(key);
    }
  }
  void operator()(const Unit& it) const {
    auto& fact = facts.units[it.name];
    fact.exists = true;
    if (it.enabled) fact.enabled = *it.enabled ? "enabled" : "disabled";
    if (it.running) fact.active = *it.running ? "active" : "inactive";
    facts.pending.erase(id);
  }
  void operator()(const Sysctl& it) const { facts.sysctls[it.key] = it.value; }
  void operator()(const KernelModule& it) const { facts.modules[it.name] = true; }
  void operator()(const Mount& it) const {
    facts.mounts[it.path] =
        it.presence == Presence::Absent
            ? MountFact{}
            : MountFact{true, it.source, it.fs, it.source + " " + it.path + " " + it.fs + " noatime 0 2"};
  }
  void operator()(const Swap& it) const {
    facts.swaps[it.path] = it.presence == Presence::Absent ? SwapFact{} : SwapFact{true, it.size_mib, true};
  }
  void operator()(const Setting& it) const {
    if (it.kind == SettingKind::Hostname) facts.hostname = facts.hostname_file = it.value;
    if (it.kind == SettingKind::TimeZone) facts.timezone = it.value;
    if (it.kind == SettingKind::Locale) facts.locale = it.value;
  }
  void operator()(const Block& it) const { facts.blocks[host::id_of(it)] = it.lines; }
  void operator()(const Command& it) const { facts.commands[host::id_of(it)] = true; }
  void operator()(const Action& it) const {
    if (!it.unless.empty()) facts.commands[id] = true;
    if (it.undo.empty()) facts.pending.erase(id);
    if (!it.undo.empty()) facts.awaiting[id] = "token";
  }
};

/// All that a configuration may ask, answered at random.
Facts any_host(Dice& dice, const Configuration& wanted) {
  Facts facts;
  facts.root = facts.systemd = true;
  facts.manager = PackageManager::Apt;
  facts.hostname = dice.any(kNames);
  const auto random_path = [&] {
    return PathFact{
        dice.any<PathKind>({PathKind::Absent, PathKind::File, PathKind::Directory, PathKind::Link, PathKind::Other}),
        dice.any(kModes),
        dice.any(kNames),
        "root",
        1,
        dice.any<std::string>({"z", "x"}),
        "there"};
  };
  for (const auto& it : wanted.resources) {
    // Sometimes right already, sometimes by another declaration's meaning, sometimes nothing.
    if (const auto* r = std::get_if<File>(&it.wanted)) facts.paths[r->path] = random_path();
    if (const auto* r = std::get_if<Directory>(&it.wanted)) facts.paths[r->path] = random_path();
    if (const auto* r = std::get_if<Link>(&it.wanted)) facts.paths[r->path] = random_path();
    if (const auto* r = std::get_if<Package>(&it.wanted))
      facts.packages[r->name] = dice.one_in(2) ? PackageFact{} : PackageFact{"7", dice.one_in(2)};
    if (const auto* r = std::get_if<OwnedFiles>(&it.wanted))
      facts.owned[r->folder + "/" + r->prefix] = {r->folder + "/n-a", r->folder + "/n-z"};
    if (const auto* r = std::get_if<Group>(&it.wanted)) facts.groups[r->name] = {dice.one_in(2), 77};
    if (const auto* r = std::get_if<User>(&it.wanted))
      facts.users[r->name] =
          dice.one_in(2) ? UserFact{} : UserFact{true, 9, "/h", "/bin/x", {}, {kKeyB}, dice.one_in(2), true};
    if (const auto* r = std::get_if<Unit>(&it.wanted))
      facts.units[r->name] = {dice.one_in(2), dice.any<std::string>({"active", "failed", "inactive"}),
                              dice.any<std::string>({"enabled", "disabled", "masked"})};
    if (const auto* r = std::get_if<KernelModule>(&it.wanted)) facts.modules[r->name] = dice.one_in(2);
    if (const auto* r = std::get_if<Mount>(&it.wanted))
      facts.mounts[r->path] = dice.one_in(2) ? MountFact{} : MountFact{true, "/dev/y", "ext4", "", false};
    if (const auto* r = std::get_if<Swap>(&it.wanted)) facts.swaps[r->path] = {dice.one_in(2), 2, dice.one_in(2)};
    if (std::holds_alternative<Block>(it.wanted)) facts.blocks[it.id] = dice.any(kTexts);
    if (std::holds_alternative<Command>(it.wanted)) facts.commands[it.id] = dice.one_in(2);
    if (const auto* r = std::get_if<Action>(&it.wanted); r != nullptr && !r->unless.empty())
      facts.commands[it.id] = dice.one_in(2);
    if (dice.one_in(5) && (std::holds_alternative<Action>(it.wanted) || std::holds_alternative<Unit>(it.wanted)))
      facts.pending.insert(it.id);
    if (dice.one_in(2)) std::visit(Meaning{facts, it.id}, it.wanted);
  }
  facts.awaiting.clear();
  return facts;
}

/// One pass of the controller. `broken`: what fails; a crash ends it after that many steps.
struct Passed {
  std::size_t steps = 0;
  std::set<std::string> touched, failed;
};
Passed pass(const Configuration& wanted, const Order& order, Facts& facts, const std::set<std::string>& broken,
            std::size_t crash) {
  Passed out;
  while (true) {
    const auto correction = next_correction(wanted, order, compare(wanted, facts), facts, out.failed, "token");
    if (correction.resources.empty()) break;
    for (const auto& id : correction.resources) {
      const auto it =
          std::find_if(wanted.resources.begin(), wanted.resources.end(), [&](const auto& r) { return r.id == id; });
      REQUIRE(it != wanted.resources.end());
      out.touched.insert(id);
      facts.pending.insert(it->notifies.begin(), it->notifies.end());
      if (out.steps++ == crash) return out;
      if (broken.contains(id)) {
        out.failed.insert(id);
      } else {
        std::visit(Meaning{facts, it->id}, it->wanted);
      }
    }
    REQUIRE(out.steps < 1000);
  }
  for (const auto& [id, token] : facts.awaiting) facts.pending.erase(id);  // confirmed
  facts.awaiting.clear();
  return out;
}

constexpr std::size_t kNever = 1U << 20U;

}  // namespace

TEST_CASE("law: acting and observing ends as declared, and then nothing is done") {
  std::size_t acted = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    CAPTURE(seed);
    Dice dice(seed);
    const auto wanted = any_configuration(dice);
    const auto order = order_of(wanted);
    REQUIRE_MESSAGE(order, (order ? "" : order.error().text()));
    auto facts = any_host(dice, wanted);
    acted += pass(wanted, *order, facts, {}, kNever).steps;
    CHECK(compare(wanted, facts).empty());
    const auto before = facts;
    CHECK(pass(wanted, *order, facts, {}, kNever).steps == 0);
    CHECK(facts == before);
  }
  CHECK(acted > 3000);
}

TEST_CASE("law: a crash anywhere is got over, and what was notified still runs") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    Dice dice(seed + 10'000);
    const auto wanted = any_configuration(dice);
    const auto order = order_of(wanted);
    REQUIRE(order);
    const auto start = any_host(dice, wanted);
    for (std::size_t crash = 0; crash < 6; ++crash) {
      auto facts = start;
      const auto first = pass(wanted, *order, facts, {}, crash);
      const auto second = pass(wanted, *order, facts, {}, kNever);
      CHECK(compare(wanted, facts).empty());
      for (const auto& it : wanted.resources) {
        if (!first.touched.contains(it.id)) continue;
        for (const auto& id : it.notifies) CHECK((first.touched.contains(id) || second.touched.contains(id)));
      }
    }
  }
}

TEST_CASE("law: a failure stops what depends on it, and nothing else") {
  std::size_t stopped = 0;
  for (unsigned seed = 0; seed < 800; ++seed) {
    CAPTURE(seed);
    Dice dice(seed + 20'000);
    const auto wanted = any_configuration(dice);
    const auto order = order_of(wanted);
    REQUIRE(order);
    auto facts = any_host(dice, wanted);
    const std::set<std::string> broken = {dice.any(wanted.resources).id, dice.any(wanted.resources).id};
    const auto done = pass(wanted, *order, facts, broken, kNever);
    std::vector<bool> blocked(wanted.resources.size(), false);
    bool more = true;
    while (more) {
      more = false;
      for (std::size_t at = 0; at < blocked.size(); ++at) {
        if (blocked[at]) continue;
        blocked[at] = done.failed.contains(wanted.resources[at].id);
        for (const auto need : order->needs[at]) blocked[at] = blocked[at] || blocked[need];
        more = more || blocked[at];
      }
    }
    std::set<std::string> gaps;
    for (const auto& gap : compare(wanted, facts)) gaps.insert(gap.resource);
    for (std::size_t at = 0; at < blocked.size(); ++at) {
      const auto& id = wanted.resources[at].id;
      if (!blocked[at]) CHECK_MESSAGE(!gaps.contains(id), id);
      if (blocked[at] && !done.failed.contains(id)) {
        ++stopped;
        CHECK_MESSAGE(!done.touched.contains(id), id);
      }
    }
  }
  CHECK(stopped > 100);
}
