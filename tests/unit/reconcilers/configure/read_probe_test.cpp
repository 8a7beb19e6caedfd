// Answers of hosts, honest and hostile.
#include "reconcilers/configure/probe.hpp"

#include <doctest/doctest.h>

#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::reconcilers::configure;
using namespace nimbus::test;

namespace {

constexpr const char* kToken = "T0ken";

std::string framed(const std::string& lines) {
  return "motd of a login shell\nnimbus-probe\t1\tT0ken\tbegin\n" + lines + "\nnimbus-probe\t1\tT0ken\tend\nlogout\n";
}

const std::string kHost = "host\t1\t1\tapt\n";

Result<host::Facts> read(const std::string& lines) { return read_probe(framed(kHost + lines), one_of_each(), kToken); }

std::string corrupt(const std::string& lines) {
  const auto result = read(lines);
  if (result) return "taken";
  return result.error().code == Code::Corrupt ? "corrupt" : "another error";
}

const std::string kDigest = std::string(64, 'a');

}  // namespace

TEST_CASE("read_probe: a whole answer") {
  const auto facts = read(
      "clock\t1700000000.25\nos\tdebian\t12\nkernel\t6.1.0\nload\t0.10 1.25 2.00 1/100 5\nuptime\t4711\n"
      "memory\ttotal\t1000\nmemory\tavailable\t500\nreboot\t1\n"
      "df\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 100 40 60 40% /\ntmpfs 5 0 5 0% /run\n"
      "/dev/vdb1 7 0 7 0% /srv/with space\ndf-end\n"
      "failed\nbad.service loaded failed failed Bad\n\nfailed-end\t0\n"
      "path\t81a4\troot\troot\t5\t/etc/old\npath\ta1ff\troot\troot\t8\t/etc/alias\npath\t41ed\tdeploy\twheel\t4096\t/"
      "etc/app\n"
      "path\t8180\troot\troot\t7\t/etc/app/token\ntold\tpaths\n" +
      kDigest +
      "  /etc/app/token\nlink\t/etc/alias\t/etc/app\n"
      "told\towned\t/etc/sudoers.d/nimbus-\nowned\t/etc/sudoers.d/nimbus-\t/etc/sudoers.d/nimbus-x\n"
      "package\tnginx\tamd64\tinstalled\thold\t1.22\npackage\ttelnet\tall\tconfig-files\tdeinstall\t1\ntold\tpackages\n"
      "user\tdeploy\t1500\t2000\t/home/deploy\t/bin/bash\n"
      "key\tdeploy\tssh-ed25519 AAAAabc comment\nkey\tdeploy\tfrom=\"x\" ssh-ed25519 "
      "AAAAdef\n\ntold\tkeys\tdeploy\ntold\tusers\n"
      "group\twheel\t2000\talice,deploy\ntold\tgroups\n"
      "units\nId=nginx.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nunits-end\t0\n"
      "sysctls\n/proc/sys/net/core/somaxconn:\t4096  1\n/proc/sys/other:1\nsysctls-end\n"
      "module\tnf-tables\t1\n"
      "tables\n/proc/self/mounts:/dev/vdb1 /srv/da\\040ta ext4 rw,noatime 0 0\n"
      "/proc/swaps:/swapfile file 65532 0 -2\n/etc/fstab:/swapfile\tnone swap sw 0 0\n/etc/fstab:# /srv/da\\040ta x y "
      "z\ntables-end\ntold\ttables\nmount\t/srv/da ta\t0\n"
      "hostname\tnow\tweb-1\nhostname\tfile\tweb-2\ntimezone\t/usr/share/zoneinfo/Europe/Berlin\nlocale\t\"C.UTF-8\"\n"
      "block\t0\t# nimbus:hosts begin\nblock\t0\ta\tb\nblock\t0\t# nimbus:hosts end\ntold\tblocks\t/etc/hosts\n"
      "command\tcommand:migrate\t1\npending\tunit:nginx.service\t\npending\tof-another\t\nawaiting\taction:"
      "network\ttok 123 456\n"
      "undone\taction:network\tanother-digest\n");
  REQUIRE_MESSAGE(facts, (facts ? "" : facts.error().text()));
  CHECK(facts->systemd);
  CHECK(facts->root);
  CHECK(facts->os == "debian");
  const auto& health = facts->health;
  CHECK(health.clock == 1700000000.25);
  CHECK(health.load5 == 1.25);
  CHECK(health.uptime_seconds == 4711);
  CHECK(health.memory_available == 512000);
  CHECK(health.reboot_required == true);
  REQUIRE(health.file_systems.size() == 2);
  CHECK(health.file_systems[1].path == "/srv/with space");
  CHECK(health.file_systems[0].available == 60 * 1024);
  CHECK(health.failed_units == std::vector<std::string>{"bad.service"});
  CHECK(facts->paths.at("/etc/old").mode == "0644");
  CHECK(facts->paths.at("/etc/alias").target == "/etc/app");
  CHECK(facts->paths.at("/etc/app").kind == host::PathKind::Directory);
  CHECK(facts->paths.at("/etc/app/token").sha256 == kDigest);
  CHECK(facts->paths.at("/srv/gone").kind == host::PathKind::Absent);
  CHECK(facts->owned.at("/etc/sudoers.d/nimbus-").size() == 1);
  CHECK(facts->packages.at("nginx") == host::PackageFact{"1.22", true});
  CHECK(facts->packages.at("telnet").version.empty());
  CHECK(facts->packages.at("chrony").version.empty());
  const auto& deploy = facts->users.at("deploy");
  CHECK(deploy.ssh_keys == std::vector<std::string>{"ssh-ed25519 AAAAabc"});
  CHECK(deploy.foreign_lines);
  CHECK(deploy.keys_told);
  CHECK(deploy.groups == std::set<std::string>{"wheel"});
  CHECK_FALSE(facts->users.at("mallory").exists);
  CHECK_FALSE(facts->groups.at("oldies").exists);
  CHECK(facts->units.at("nginx.service") == host::UnitFact{true, "active", "enabled"});
  CHECK(facts->sysctls.at("net.core.somaxconn") == "4096 1");
  CHECK(facts->modules.at("nf-tables"));
  CHECK(facts->mounts.at("/srv/da ta").fs == "ext4");
  CHECK(facts->mounts.at("/srv/da ta").fstab.empty());
  CHECK(facts->mounts.at("/srv/da ta").declared == false);
  CHECK(facts->swaps.at("/swapfile") == host::SwapFact{true, 64, true});
  CHECK(facts->hostname_file == "web-2");
  CHECK(facts->timezone == "Europe/Berlin");
  CHECK(facts->locale == "C.UTF-8");
  CHECK(facts->blocks.at("block:/etc/hosts#hosts") == "a\tb\n");
  CHECK(facts->commands.at("command:migrate"));
  CHECK_FALSE(facts->commands.contains("command:as-user"));
  CHECK(facts->pending == std::set<std::string>{"unit:nginx.service"});
  CHECK(facts->awaiting.at("action:network") == "tok");
  CHECK(facts->undone.empty());  // what undid itself is not what is declared now
}

TEST_CASE("read_probe: what was not told is not known") {
  const auto facts = read("");
  REQUIRE(facts);
  CHECK(facts->paths.empty());
  CHECK(facts->packages.empty());
  CHECK(facts->users.empty());
  CHECK(facts->groups.empty());
  CHECK(facts->units.empty());
  CHECK(facts->mounts.empty());
  CHECK(facts->blocks.empty());
  CHECK(facts->owned.empty());
  // Two units asked, one answered: nobody knows which.
  auto wanted = configuration({resource(host::Unit{"a.service"}), resource(host::Unit{"b.service"})});
  const auto some = read_probe(framed(kHost + "units\nId=a.service\nLoadState=loaded\nunits-end\t0"), wanted, kToken);
  REQUIRE(some);
  CHECK(some->units.empty());
  // Without root, what stat did not see may be there all the same.
  const auto user = read_probe(framed("host\t1\t0\tapt\ntold\tpaths"), one_of_each(), kToken);
  REQUIRE(user);
  CHECK(user->paths.empty());
}

TEST_CASE("read_probe: hostile answers are corrupt, and nothing is taken from them") {
  const auto refused = [](const std::string& output) {
    const auto result = read_probe(output, one_of_each(), kToken);
    return !result && result.error().code == Code::Corrupt;
  };
  CHECK(refused(""));
  CHECK(refused("sh: not found\n"));
  CHECK(refused("nimbus-probe\t1\tother\tbegin\nhost\t1\t1\tapt\nnimbus-probe\t1\tother\tend\n"));
  CHECK(refused("nimbus-probe\t2\tT0ken\tbegin\nhost\t1\t1\tapt\nnimbus-probe\t2\tT0ken\tend\n"));
  auto cut = framed(kHost + "told\tpaths");
  CHECK(refused(cut.substr(0, cut.find("\tend\n"))));
  CHECK(refused(framed("told\tpaths")));  // no line of the host itself
  CHECK(refused(framed(kHost) + std::string(needs_of(one_of_each()).most_output, 'x')));
  const std::vector<std::string> lines = {
      "nonsense",
      "path",
      "path\t81a4\troot\troot\t5\t/etc/not-asked",
      "path\tzz\troot\troot\t5\t/etc/old",
      "path\tfffff\troot\troot\t5\t/etc/old",
      "path\t81a4\troot\troot\t-5\t/etc/old",
      "path\t81a4\troot\troot\t99999999999999999999999\t/etc/old",
      "path\t81a4\troot\troot\t5\t/etc/old\npath\t81a4\troot\troot\t5\t/etc/old",
      kDigest + "  /etc/old",
      kDigest + "  /etc/passwd",
      "user\troot\t0\t0\t/root\t/bin/sh",
      "user\tdeploy\t-1\t0\t/root\t/bin/sh",
      "user\tdeploy\t4294967296\t0\t/root\t/bin/sh",
      "key\tdeploy\tssh-ed25519 AAAA",
      "group\twheel\tx\t",
      "host\t1\t1\tapt",
      "memory\ttotal\t99999999999999999999",
      "units\nnot a property\nunits-end\t0",
      "units\nId=a\n\nId=b\nunits-end\t0",
      "tables\n",
      "df\n",
      "block\t7\tx",
      "block\tx\tx",
      "command\tcommand:migrate\t1\ncommand\tcommand:migrate\t0",
      "told\tpaths\ntold\tpaths",
      "link\t/etc/alias\tx",
      "owned\t/etc/other\tx",
      "hostname\tnow\ta\nhostname\tnow\tb",
      std::string("kernel\t6\0.1", 10),
  };
  for (const auto& line : lines) CHECK_MESSAGE(corrupt(line) == "corrupt", line);
  CHECK(corrupt("pending\tof-another\t") == "taken");
}

TEST_CASE("read_probe: texts are made printable and short") {
  const auto facts = read("path\t81a4\tro\x1b[31mot\t" + std::string(1000, 'g') + "\t5\t/etc/old\nos\tx\x07\t1");
  REQUIRE(facts);
  CHECK(facts->paths.at("/etc/old").owner == "ro?[31mot");
  CHECK(facts->paths.at("/etc/old").group.size() == 200);
  CHECK(facts->os == "x?");
}

TEST_CASE("read_probe: a busybox without nanoseconds, absurd numbers of health are not told") {
  CHECK(read("clock\t1700000000.%N")->health.clock == 1700000000);
  CHECK_FALSE(read("clock\tnan")->health.clock);
  CHECK_FALSE(read("clock\t1e999")->health.clock);
  CHECK_FALSE(read("load\t-1 inf 0x10 1/2 3")->health.load1);
}

TEST_CASE("time_offset: the round trip is the uncertainty") {
  const WallTime sent{std::chrono::milliseconds{100'000}}, received{std::chrono::milliseconds{100'500}};
  CHECK(time_offset(100.2, sent, received) == 0);
  CHECK(time_offset(99.0, sent, received) == doctest::Approx(-1.0));
  CHECK(time_offset(102.0, sent, received) == doctest::Approx(1.5));
}

TEST_CASE("read_probe: large groups, many keys and many files of ours are a host's good right") {
  std::string members, keys, owned = "told\towned\t/etc/sudoers.d/nimbus-\n";
  for (int i = 0; i < 1500; ++i) {
    members += "user" + std::to_string(i) + ",";
    keys += "key\tdeploy\tssh-ed25519 AAAA" + std::to_string(i) + "\n";
    owned += "owned\t/etc/sudoers.d/nimbus-\t/etc/sudoers.d/nimbus-" + std::to_string(i) + "\n";
  }
  const std::string account = "user\tdeploy\t1500\t100\t/home/deploy\t/bin/bash\n";
  const auto facts = read(account + keys + "told\tkeys\tdeploy\ntold\tusers\ngroup\twheel\t2000\t" + members +
                          "deploy\ntold\tgroups\n" + owned);
  REQUIRE_MESSAGE(facts, (facts ? "" : facts.error().text()));
  CHECK(facts->users.at("deploy").groups == std::set<std::string>{"wheel"});
  CHECK_FALSE(facts->users.at("deploy").keys_told);
  CHECK(facts->owned.at("/etc/sudoers.d/nimbus-").size() >= 1000);
  CHECK(corrupt(account + "key\tmallory\tssh-ed25519 AAAA\n") == "corrupt");
}
