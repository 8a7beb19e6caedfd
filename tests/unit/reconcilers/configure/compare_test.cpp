// One table per kind: what is shown, and what is said of it.
#include "reconcilers/configure/compare.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::reconcilers::configure;
using namespace nimbus::test;

namespace {

Facts host_facts() {
  Facts facts;
  facts.root = facts.systemd = true;
  facts.manager = PackageManager::Apt;
  return facts;
}

/// "change version=absent instead of present; …" or "unknown: why" or "".
std::string said(const Wanted& wanted, const Facts& facts) {
  const auto it = resource(wanted);
  const auto gaps = compare(configuration({it}), facts);
  if (gaps.empty()) return "";
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].resource == it.id);
  static const char* const kinds[] = {"change", "unsupported", "unknown", "held"};
  std::string out = kinds[static_cast<std::size_t>(gaps[0].kind)];
  if (gaps[0].kind != Gap::Kind::Change) return out;
  for (const auto& drift : gaps[0].drifts) {
    CHECK(drift.key.starts_with(it.id + "."));
    out += " " + drift.key.substr(it.id.size() + 1) + ": " + drift.observed + " instead of " + drift.desired + ";";
  }
  return out;
}

struct Row {
  Wanted wanted;
  std::function<void(Facts&)> shown;
  std::string said;
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    auto facts = host_facts();
    row.shown(facts);
    CHECK(said(row.wanted, facts) == row.said);
  }
}

PathFact plain(const File& it) { return {PathKind::File, "0644", "root", "root", it.content.size(), it.sha256, ""}; }

}  // namespace

TEST_CASE("compare: packages") {
  const auto is = [](PackageFact fact) { return [fact](Facts& f) { f.packages["p"] = fact; }; };
  check({
      {Package{"p"}, is({"1", false}), ""},
      {Package{"p"}, is({"", false}), "change version: absent instead of present;"},
      {Package{"p"}, [](Facts&) {}, "unknown"},
      {Package{"p"}, [](Facts& f) { f.manager = PackageManager::None; }, "unsupported"},
      {Package{"p", Presence::Present, "2"}, is({"1", false}), "change version: version 1 instead of version 2;"},
      {Package{"p", Presence::Absent}, is({"1", true}), "change version: version 1 instead of absent;"},
      {Package{"p", Presence::Absent}, is({"", true}), ""},
      {Package{"p", Presence::Present, "", true}, is({"1", false}), "change hold: not held instead of held;"},
      {Package{"p"}, is({"1", true}), "change hold: held instead of not held;"},
      {Package{"p", Presence::Present, "", true},
       [](Facts& f) {
         f.manager = PackageManager::Dnf;
         f.packages["p"] = {"1", false};
       },
       "unsupported"},
  });
}

TEST_CASE("compare: files never tell what they hold") {
  const auto it = file("/f", "password=x\n");
  const auto secret = secret_file("/s", "hunter2");
  const auto is = [&](std::function<void(PathFact&)> change) {
    return [=](Facts& f) {
      f.paths["/f"] = plain(it);
      change(f.paths["/f"]);
    };
  };
  const auto brief = it.sha256.substr(0, 12);
  check({
      {it, is([](PathFact&) {}), ""},
      {it, [](Facts&) {}, "unknown"},
      {it, [](Facts& f) { f.paths["/f"]; }, "change kind: absent instead of a file;"},
      {it, is([](PathFact& p) { p.kind = PathKind::Link; }), "change kind: a link instead of a file;"},
      {it, is([](PathFact& p) { p.mode = "0666"; }), "change mode: 0666 instead of 0644;"},
      {it, is([](PathFact& p) { p.owner = "x", p.group = "y"; }),
       "change owner: x instead of root; group: y instead of root;"},
      {it, is([](PathFact& p) { p.sha256 = std::string(64, 'b'); }),
       "change content: sha256 bbbbbbbbbbbb instead of sha256 " + brief + ";"},
      {it, is([](PathFact& p) { p.sha256 = "", p.size = 5000; }),
       "change content: 5000 bytes instead of sha256 " + brief + ";"},
      {it, is([](PathFact& p) { p.sha256 = ""; }), "unknown"},
      {secret, [](Facts& f) { f.paths["/s"] = {PathKind::File, "0400", "root", "root", 7, std::string(64, 'c'), ""}; },
       "change content: other content instead of the secret;"},
      {no_file("/f"), is([](PathFact&) {}), "change kind: a file instead of absent;"},
      {no_file("/f"), [](Facts& f) { f.paths["/f"]; }, ""},
  });
  auto without = secret_file("/s", "");
  without.sha256.clear();  // a plan has no secrets
  check({{without, [](Facts& f) { f.paths["/s"] = {PathKind::File, "0400", "root", "root", 7, "", ""}; }, ""}});
}

TEST_CASE("compare: directories, links and files of ours") {
  const auto is = [](PathFact fact) { return [fact](Facts& f) { f.paths["/p"] = fact; }; };
  const PathFact folder{PathKind::Directory, "0755", "root", "root", 0, "", ""};
  const PathFact link{PathKind::Link, "0777", "root", "root", 0, "", "/t"};
  check({
      {Directory{"/p"}, is(folder), ""},
      {Directory{"/p"}, is(link), "change kind: a link instead of a folder;"},
      {Directory{"/p", Presence::Absent}, is(folder), "change kind: a folder instead of absent;"},
      {Directory{"/p", Presence::Absent}, is(link), ""},
      {Link{"/p", Presence::Present, "/t"}, is(link), ""},
      {Link{"/p", Presence::Present, "/u"}, is(link), "change target: /t instead of /u;"},
      {Link{"/p", Presence::Absent}, is(link), "change kind: a link instead of absent;"},
      {OwnedFiles{"/d", "n-", {"/d/n-a"}}, [](Facts& f) { f.owned["/d/n-"] = {"/d/n-a"}; }, ""},
      {OwnedFiles{"/d", "n-", {"/d/n-a"}}, [](Facts& f) { f.owned["/d/n-"] = {"/d/n-b"}; },
       "change extra: /d/n-b instead of absent;"},
      {OwnedFiles{"/d", "n-", {}}, [](Facts&) {}, "unknown"},
  });
}

TEST_CASE("compare: accounts") {
  User user{"u", Presence::Present, 7, {"g"}, "/bin/sh", "", {kKeyA}, false, true};
  const UserFact right{true, 7, "/home/u", "/bin/sh", {"g"}, {kKeyA, kKeyB}, true, true};
  const auto is = [&](std::function<void(UserFact&)> change) {
    return [=](Facts& f) {
      f.users["u"] = right;
      change(f.users["u"]);
    };
  };
  auto exclusive = user;
  exclusive.exclusive_keys = true;
  check({
      {user, is([](UserFact&) {}), ""},
      {user, is([](UserFact& u) { u.groups.clear(), u.uid = 8; }),
       "change uid: 8 instead of 7; groups: not a member instead of g;"},
      {user, is([](UserFact& u) { u.ssh_keys.clear(); }),
       "change ssh_keys: absent instead of ssh-ed25519 …aaaaaaaaaaaa;"},
      {user, is([](UserFact& u) { u.keys_told = false; }), "unknown"},
      {exclusive, is([](UserFact&) {}),
       "change ssh_keys: ssh-ed25519 …bbbbbbbbbbbb instead of absent; ssh_keys: lines of another form instead of only "
       "declared keys;"},
      {User{"u", Presence::Absent}, is([](UserFact&) {}), "change presence: present instead of absent;"},
      {Group{"g"}, [](Facts& f) { f.groups["g"]; }, "change presence: absent instead of present;"},
      {Group{"g", Presence::Present, 5},
       [](Facts& f) {
         f.groups["g"] = {true, 6};
       },
       "change gid: 6 instead of 5;"},
      {Group{"g"}, [](Facts&) {}, "unknown"},
  });
}

TEST_CASE("compare: units") {
  const auto is = [](UnitFact fact) { return [fact](Facts& f) { f.units["u.service"] = fact; }; };
  const Unit on{"u.service", true, true}, off{"u.service", false, false};
  check({
      {on, is({true, "active", "enabled"}), ""},
      {on, is({true, "active", "static"}), ""},
      {on, is({true, "failed", "masked"}),
       "change enabled: masked instead of enabled; running: failed instead of running;"},
      {on, is({}), "change enabled: no such unit instead of enabled; running: no such unit instead of running;"},
      {off, is({}), ""},
      {off, is({true, "inactive", "masked"}), ""},
      {off, is({true, "active", "enabled"}),
       "change enabled: enabled instead of disabled; running: active instead of stopped;"},
      {on, [](Facts& f) { f.systemd = false; }, "unsupported"},
      {on, [](Facts&) {}, "unknown"},
  });
}

TEST_CASE("compare: kernel, mounts, swap, settings, blocks, commands") {
  const Mount mount{"/dev/x", "/m", "ext4", "noatime"};
  const auto mounted = [](MountFact fact) { return [fact](Facts& f) { f.mounts["/m"] = fact; }; };
  const Setting name{SettingKind::Hostname, "n"};
  const Block block{"/b", "x", "a\nb\n"};
  check({
      {Sysctl{"k", "1\t2"}, [](Facts& f) { f.sysctls["k"] = "1 2"; }, ""},
      {Sysctl{"k", "1"}, [](Facts&) {}, "change value: not known to this kernel instead of 1;"},
      {KernelModule{"m"}, [](Facts& f) { f.modules["m"] = false; }, "change loaded: not loaded instead of loaded;"},
      {mount, mounted({true, "/dev/x", "ext4", "/dev/x /m ext4 noatime 0 2"}), ""},
      {mount, mounted({true, "/dev/x", "xfs", ""}),
       "change mounted: mounted (xfs) instead of mounted (ext4); fstab: no line instead of /dev/x /m ext4 noatime;"},
      {mount, [](Facts&) {}, "unknown"},
      {mount, mounted({true, "/dev/dm-0", "ext4", "/dev/x /m ext4 noatime 0 2", true}), ""},
      {mount, mounted({true, "/dev/y", "ext4", "/dev/x /m ext4 noatime 0 2", false}),
       "change source: /dev/y instead of /dev/x;"},
      {Mount{"/a", "/m", "none", "bind"}, mounted({true, "/dev/y", "ext4", "/a /m none bind 0 0", false}),
       "change source: something else instead of /a;"},
      {Mount{"s:/e/", "/m", "nfs", "ro"}, mounted({true, "s:/e", "nfs4", "s:/e/ /m nfs ro 0 0"}), ""},
      {Mount{"s:/e", "/m", "nfs", "ro"}, mounted({true, "s:/old", "nfs4", "s:/e /m nfs ro 0 0"}),
       "change source: s:/old instead of s:/e;"},
      // A name that means nothing, and a file system of several devices.
      {Mount{"none", "/m", "tmpfs", "ro"}, mounted({true, "tmpfs", "tmpfs", "none /m tmpfs ro 0 0"}), ""},
      {Swap{"/s", 2},
       [](Facts& f) {
         f.swaps["/s"] = {true, 1, true};
       },
       "change size: 1 MiB instead of 2 MiB;"},
      {Swap{"/s", 2}, [](Facts& f) { f.swaps["/s"]; },
       "change active: not active instead of active; fstab: no line instead of a line;"},
      {name, [](Facts& f) { f.hostname = f.hostname_file = "n"; }, ""},
      {name, [](Facts& f) { f.hostname = "n"; }, "change file: not set instead of n;"},
      {name, [](Facts&) {}, "unknown"},
      {block, [](Facts& f) { f.blocks["block:/b#x"] = "a\nb\n"; }, ""},
      {Command{"c", "run", "/c", "", "root"}, [](Facts& f) { f.commands["command:c"] = false; },
       "change done: to do instead of done;"},
  });
  auto facts = host_facts();
  facts.blocks["block:/b#x"] = "";
  CHECK(said(block, facts).starts_with("change lines: no block instead of 2 lines, digest "));
}

TEST_CASE("compare: an action that says itself whether it is to run") {
  const Action action{"net", "run", "undo", 60, "same"};
  auto facts = host_facts();
  CHECK(said(action, facts) == "unknown");
  facts.commands["action:net"] = true;
  CHECK(said(action, facts).empty());
  facts.pending = {"action:net"};
  CHECK(said(action, facts) == "change run: to do: what it depends on changed instead of done;");
  facts.pending.clear();
  facts.commands["action:net"] = false;
  CHECK(said(action, facts) == "change state: changed since then instead of as it was left;");
  facts.awaiting["action:net"] = "t";
  CHECK(said(action, facts).empty());
  facts.awaiting.clear();
  facts.undone = {"action:net"};
  CHECK(said(action, facts).starts_with("held"));
}

TEST_CASE("compare: what was notified, what waits and what undid itself") {
  const auto wanted = configuration({resource(file("/n", "x\n"), {"action:net"}), resource(file("/o", "x\n")),
                                     resource(Action{"net", "run", "undo", 60}), resource(Unit{"u.service"})});
  auto facts = host_facts();
  facts.paths["/n"];
  facts.paths["/o"];
  facts.units["u.service"] = {true, "active", "enabled"};
  CHECK(compare(wanted, facts).size() == 2);
  facts.pending = {"action:net", "unit:u.service"};
  auto gaps = compare(wanted, facts);
  REQUIRE(gaps.size() == 4);
  CHECK(gaps[0].notified);
  CHECK(gaps[3].notified);
  facts.awaiting["action:net"] = "t";
  CHECK(compare(wanted, facts).size() == 3);
  facts.awaiting.clear();
  facts.undone = {"action:net"};
  gaps = compare(wanted, facts);
  CHECK(gaps[0].kind == Gap::Kind::Held);  // the action
  CHECK(gaps[1].kind == Gap::Kind::Held);  // what notifies it
  CHECK(gaps[2].kind == Gap::Kind::Change);
}

TEST_CASE("package managers that no test has run are told, and only where packages are declared") {
  const auto packages = configuration({resource(Package{"nginx"})});
  Facts shown;
  for (const auto manager : {PackageManager::Dnf, PackageManager::Zypper, PackageManager::Apk}) {
    shown.manager = manager;
    CHECK(unproven(packages, shown).size() == 1);
    CHECK(unproven(configuration({resource(Directory{"/etc/x"})}), shown).empty());
  }
  for (const auto manager : {PackageManager::Apt, PackageManager::None}) {
    shown.manager = manager;
    CHECK(unproven(packages, shown).empty());
  }
}

TEST_CASE("compare: what undid itself is held until somebody has put it right, and no longer") {
  const auto wanted = configuration(
      {resource(file("/etc/net", "x\n"), {"action:net"}), resource(Action{"net", "run", "undo", 60, "same"})});
  auto facts = host_facts();
  facts.paths["/etc/net"] = {.kind = PathKind::File, .mode = "0644", .owner = "root", .group = "root", .size = 2};
  facts.paths["/etc/net"].sha256 = std::get<File>(wanted.resources[1].wanted).sha256;
  facts.undone = {"action:net"};
  facts.commands["action:net"] = false;
  auto gaps = compare(wanted, facts);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].kind == Gap::Kind::Held);
  SUBCASE("what is live is as declared by now") {
    facts.commands["action:net"] = true;
    CHECK(compare(wanted, facts).empty());
  }
  SUBCASE("what is live is as it was before, and so are the files") {
    facts.commands["action:net"] = true;
    facts.paths["/etc/net"].sha256 = "old";
    gaps = compare(wanted, facts);
    REQUIRE(gaps.size() == 2);
    CHECK(gaps[0].kind == Gap::Kind::Held);
    CHECK(gaps[1].kind == Gap::Kind::Held);
  }
}
