// What needs systemd and a kernel of its own: from absent to present, changed behind our back and
// back again, told to restart, with other values, kept over a restart of the machine, removed.
#include <algorithm>
#include <set>

#include "profiles.hpp"
#include "reconcilers/configure/compare.hpp"

using namespace nimbus;
using namespace nimbus::test;
using nimbus::reconcilers::configure::Gap;
using nimbus::reconcilers::configure::Outcome;

namespace {

std::set<std::string> names(const std::vector<Gap>& gaps) {
  std::set<std::string> out;
  for (const auto& gap : gaps) {
    CHECK_MESSAGE(gap.kind == Gap::Kind::Change, gap.resource);
    out.insert(gap.resource);
  }
  return out;
}

std::string text(const std::set<std::string>& set) {
  std::string out;
  for (const auto& each : set) out += each + "\n";
  return out;
}

/// Exactly these resources are seen to differ, and each is corrected once.
void comes_back(const host::Configuration& wanted, const std::vector<std::pair<std::string, std::string>>& changes) {
  std::set<std::string> changed;
  std::string script;
  for (const auto& [id, change] : changes) {
    script += change + "\n";
    changed.insert(id);
  }
  machine().sh(script);
  CHECK(text(names(reconcilers::configure::compare(wanted, machine().probe(wanted)))) == text(changed));
  const auto pass = machine().converge(wanted);
  CHECK_MESSAGE(pass.converged(), pass.text());
  std::set<std::string> done;
  for (const auto& outcome : pass.outcomes) {
    CHECK_MESSAGE(outcome.kind == Outcome::Kind::Done, outcome.resource);
    done.insert(outcome.resource);
  }
  CHECK(text(done) == text(changed));
  CHECK(pass.outcomes.size() == changed.size());
}

}  // namespace

TEST_CASE("host machine: everything from absent to present") {
  const auto wanted = host_with(whole());
  const auto pass = settles(wanted);
  for (const char* id :
       {"unit:app.service", "unit:nimbus-timer-hello.timer", "unit:systemd-timesyncd.service", "sysctl:vm.swappiness",
        "sysctl:net.ipv4.ip_forward", "module:br_netfilter", "module:dummy", "mount:/srv/scratch", "mount:/srv/data",
        "swap:/swapfile", "hostname", "timezone", "locale", "block:/etc/hosts#hosts"}) {
    CAPTURE(id);
    const auto* outcome = pass.outcome(id);
    REQUIRE(outcome != nullptr);
    CHECK(outcome->kind == Outcome::Kind::Done);
  }
  is_whole();
  // It read its files as it started: nobody told it to read them again.
  CHECK(machine().sh("cat /var/log/app") == "started\n");
  machine().sh("systemctl start nimbus-timer-hello.service; grep -qx hello /var/log/hello");
}

TEST_CASE("host machine: changed behind our back, and back again") {
  const auto wanted = host_with(whole());
  machine().converge(wanted);
  comes_back(wanted, {{"unit:app.service",
                       "kill -KILL $(systemctl show -p MainPID --value app); while systemctl is-active --quiet app; "
                       "do sleep 0.1; done"},
                      {"unit:nimbus-timer-hello.timer", "systemctl stop nimbus-timer-hello.timer"},
                      {"unit:systemd-timesyncd.service", "timedatectl set-ntp false; systemctl stop systemd-timesyncd"},
                      {"sysctl:vm.swappiness", "echo 60 >/proc/sys/vm/swappiness"},
                      {"module:dummy", "rmmod dummy"},
                      {"mount:/srv/scratch", "umount /srv/scratch"},
                      {"mount:/srv/data", "umount /srv/data"},
                      {"swap:/swapfile", "swapoff /swapfile"},
                      {"hostname", "hostnamectl set-hostname other"},
                      {"timezone", "timedatectl set-timezone Asia/Tokyo"},
                      {"locale", "localectl set-locale LANG=C.UTF-8"}});
  comes_back(
      wanted,
      {{"unit:app.service", "systemctl disable --quiet --now app 2>&1; systemctl mask --quiet --runtime app 2>&1"},
       {"unit:nimbus-timer-hello.timer", "systemctl disable --quiet nimbus-timer-hello.timer 2>&1"},
       {"mount:/srv/data", "sed -i /LABEL=data/d /etc/fstab"},
       {"mount:/srv/scratch", "mount -o remount,size=4m /srv/scratch; sed -i s/size=8m/size=4m/ /etc/fstab"},
       {"swap:/swapfile", "sed -i /swapfile/d /etc/fstab"},
       {"hostname", "echo other >/etc/hostname"}});
  is_whole();
  is_settled(wanted);
}

TEST_CASE("host machine: a unit is told once, and in the way that was asked for") {
  machine().converge(host_with(whole()));
  machine().sh(": >/var/log/app");
  settles(host_with(whole("1", "two", "one")));  // app.conf
  CHECK(machine().sh("cat /var/log/app") == "started\n");
  const auto pid = machine().sh("systemctl show -p MainPID --value app");
  settles(host_with(whole("1", "two", "two")));  // app.rules
  CHECK(machine().sh("cat /var/log/app; systemctl show -p MainPID --value app") == "started\nreloaded\n" + pid);
  settles(host_with(whole("2", "two", "three")));  // the unit itself, and app.rules
  CHECK(machine().sh("cat /var/log/app") == "started\nreloaded\nstarted\n");
  CHECK(machine().sh("systemctl show -p Environment,NeedDaemonReload --value app") == "GENERATION=2\nno\n");
  // What is not to run is not started by what it uses.
  settles(host_with(with(whole("2", "three", "four"), "running = true", "running = false")));
  CHECK(machine().sh("cat /var/log/app; systemctl is-active app || :") == "started\nreloaded\nstarted\ninactive\n");
}

TEST_CASE("host machine: other values of what is there") {
  machine().converge(host_with(whole()));
  auto other = with(whole(), "size=8m", "size=16m");
  other = with(other, "size_mib = 32", "size_mib = 48");
  other = with(other, "03:00:00", "04:30:00");
  other = with(other, "\"vm.swappiness\" = 7", "\"vm.swappiness\" = 9");
  other = with(other, "192.0.2.123", "192.0.2.124");
  settles(host_with(other));
  CHECK(machine().sh("findmnt -nro SIZE /srv/scratch; swapon --show=SIZE --noheadings --raw") == "16M\n48M\n");
  CHECK(machine().sh("systemctl list-timers --no-legend nimbus-timer-hello.timer").find("04:30:00") !=
        std::string::npos);
  CHECK(machine().sh("cat /proc/sys/vm/swappiness") == "9\n");
  CHECK(machine().sh("cat /etc/sysctl.d/90-nimbus.conf").find("vm.swappiness = 9\n") != std::string::npos);
  CHECK(machine().sh("timedatectl show-timesync -p SystemNTPServers --value") == "192.0.2.124\n");
}

TEST_CASE("host machine: all of it is there after a restart of the machine") {
  const auto wanted = host_with(whole() + kOpen + kNetwork);
  settles(wanted);
  machine().sh(": >/var/log/app");
  const auto rules = machine().sh("nft list table inet nimbus");
  machine().restart();
  is_whole();
  network_is_up();
  CHECK(machine().sh("nft list table inet nimbus") == rules);
  CHECK(machine().sh("cat /var/log/app") == "started\n");
  is_settled(wanted);
}

TEST_CASE("host machine: removed again") {
  machine().converge(host_with(whole()));
  settles(host_with(R"(
[[service]]
name = "app"
enabled = false
running = false
[[file]]
path = "/etc/app.conf"
state = "absent"
[[mount]]
path = "/srv/scratch"
state = "absent"
[[mount]]
path = "/srv/data"
state = "absent"
[[swap]]
path = "/swapfile"
state = "absent"
)"));
  const auto shown = machine().sh(R"(
systemctl is-enabled app || :; systemctl is-active app || :
systemctl list-units --all --plain --no-legend 'nimbus-*'
find /etc/systemd /etc/sysctl.d /etc/modules-load.d -name '*nimbus*'
swapon --show --noheadings
findmnt -no TARGET /srv/data || :; findmnt -no TARGET /srv/scratch || :
ls -d /swapfile 2>/dev/null || :
cat /etc/fstab /etc/hosts /etc/hostname
ls /etc/app.conf 2>/dev/null || :
# What is set stays, and so does what the kernel has.
timedatectl show -p Timezone --value; (. /etc/default/locale; echo $LANG); cat /proc/sys/vm/swappiness; ls -d /sys/module/dummy
)");
  CHECK(shown ==
        "disabled\ninactive\n/dev/vda / ext4 defaults 0 1\n127.0.0.1 localhost\nweb-1\n"
        "Europe/Berlin\nde_DE.UTF-8\n7\n/sys/module/dummy\n");
}
