// Mounts: what is mounted is what is declared, and not only of the same type.
#include <doctest/doctest.h>

#include "reconcilers/configure/compare.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;
using reconcilers::configure::Outcome;

namespace {

Configuration bound(const std::string& source) {
  return configuration({resource(Mount{source, "/mnt", "none", "bind", Presence::Present})});
}

}  // namespace

TEST_CASE("host root: another source of a mount is mounted, and one behind our back is noticed") {
  Root root;
  for (const char* shell : {"dash", "busybox sh", "bash --posix"}) {
    CAPTURE(shell);
    const std::string text = shell;
    const auto blank = text.find(' ');
    root.shell = {text.substr(0, blank)};
    if (blank != std::string::npos) root.shell.push_back(text.substr(blank + 1));
    root.sh(
        "mkdir -p '/srv/o ne' /srv/two; echo one >'/srv/o ne/which'; echo two >/srv/two/which; ln -sfn '/srv/o ne' "
        "/srv/link");
    CHECK(root.converge(bound("/srv/o ne")).converged());
    CHECK(root.read("/mnt/which") == "one\n");
    const auto linked = reconcilers::configure::compare(bound("/srv/link"), root.probe(bound("/srv/link")));
    REQUIRE(linked.size() == 1);
    REQUIRE(linked[0].drifts.size() == 1);
    CHECK(linked[0].drifts[0].key == "mount:/mnt.fstab");  // it is the same folder
    CHECK(root.converge(bound("/srv/two")).converged());
    CHECK(root.read("/mnt/which") == "two\n");
    CHECK(root.converge(bound("/srv/two")).corrections == 0);

    root.sh("umount /mnt; mount --bind '/srv/o ne' /mnt");
    const auto gaps = reconcilers::configure::compare(bound("/srv/two"), root.probe(bound("/srv/two")));
    REQUIRE(gaps.size() == 1);
    REQUIRE(gaps[0].drifts.size() == 1);
    CHECK(gaps[0].drifts[0].key == "mount:/mnt.source");
    CHECK(root.converge(bound("/srv/two")).converged());
    CHECK(root.read("/mnt/which") == "two\n");
    root.sh("umount /mnt; : >/etc/fstab");
  }
}

TEST_CASE("host root: what is in use, or has nothing to take its place, stays mounted") {
  Root root;
  root.sh("mkdir -p /srv/one /srv/two; echo one >/srv/one/which; echo two >/srv/two/which");
  CHECK(root.converge(bound("/srv/one")).converged());

  auto pass = root.converge(bound("/srv/gone"));
  REQUIRE(pass.outcomes.size() == 1);
  CHECK(pass.outcomes[0].kind == Outcome::Kind::Failed);
  CHECK_MESSAGE(pass.outcomes[0].said.find("there is no /srv/gone") != std::string::npos, pass.outcomes[0].said);
  CHECK(root.read("/mnt/which") == "one\n");
  CHECK(root.read("/etc/fstab").find("/srv/gone") == std::string::npos);

  root.sh("mkdir /mnt/inner && mount -t tmpfs none /mnt/inner");
  pass = root.converge(bound("/srv/two"));
  REQUIRE(pass.outcomes.size() == 1);
  CHECK(pass.outcomes[0].kind == Outcome::Kind::Failed);
  CHECK_MESSAGE(pass.outcomes[0].said.find("it is in use") != std::string::npos, pass.outcomes[0].said);
  CHECK(root.read("/mnt/which") == "one\n");
  root.sh("umount /mnt/inner");
  CHECK(root.converge(bound("/srv/two")).converged());
  CHECK(root.read("/mnt/which") == "two\n");
}

TEST_CASE("host root: a file behind a loop device, and another one") {
  Root root;
  const auto possible = root.run(
      "cd /srv; for n in one two; do head -c 4194304 /dev/zero >$n.img && mkfs.ext4 -q -L $n $n.img || exit 1; done\n"
      "mount -o loop one.img /mnt && umount /mnt && mount -t sysfs sysfs /sys");
  if (possible.exit_code != 0) {
    MESSAGE("no loop devices here: " << possible.errors.text);
    return;
  }
  const auto of = [](const std::string& source) {
    return configuration({resource(Mount{source, "/mnt", "ext4", "loop", Presence::Present})});
  };
  CHECK(root.converge(of("/srv/one.img")).converged());
  CHECK(root.converge(of("/srv/one.img")).corrections == 0);
  CHECK(root.converge(of("/srv/two.img")).converged());
  CHECK(root.sh("m=$(grep ' /mnt ' /proc/self/mounts); m=${m%% *}; cat "
                "/sys/class/block/${m##*/}/loop/backing_file")
            .find("two.img") != std::string::npos);
  root.sh("umount /mnt /sys");
}

TEST_CASE("host root: whatever else is mounted below a declared mount does not drown what is told of it") {
  Root root;
  // Containers have lines of kilobytes each, and there may be hundreds.
  root.sh(
      "mkdir -p /srv/up && mount -t tmpfs none /srv/up && cd /srv/up && name=$(printf %0200d 0) && lower= && for n in "
      "1 2 "
      "3 4 5 6 7 8 9 a b c d e f g; do mkdir $n$name; lower=$lower:$n$name; done && n=0 && while [ $n -lt 120 ]; do "
      "mkdir "
      "m$n; mount -t overlay -o lowerdir=${lower#:} none m$n; n=$((n + 1)); done");
  CHECK(root.sh("wc -c </proc/self/mounts").size() >= 7);
  settles(root, configuration({resource(Mount{"tmpfs", "/srv", "tmpfs", "size=1m", Presence::Present})}));
  root.sh("umount /srv; for m in /srv/up/m*; do umount $m; done; umount /srv/up");
}
