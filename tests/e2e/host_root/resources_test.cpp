// Every kind of resource that needs no systemd: from absent to present, changed behind our
// back and back again, removed; and a pass over what is as declared changes nothing.
#include <doctest/doctest.h>

#include "reconcilers/configure/compare.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;
using nimbus::reconcilers::configure::Gap;

namespace {

const std::vector<std::vector<std::string>> kShells = {{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}};

Configuration everything() {
  auto odd = file("/etc/app/it's $HOME; `x` \"y\" \\z.conf", "a 'quoted' $line\n\n\\n%s no end", "0640");
  odd.owner = "deploy";
  odd.group = "staff2";
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  User deploy{"deploy",
              Presence::Present,
              1500,
              {"staff2", "sudo"},
              "/bin/bash",
              "/srv/deploy",
              {std::string(kKeyA) + " alice@example"},
              true,
              true};
  return configuration({
      resource(odd),
      resource(file("/etc/app/bytes", bytes)),
      resource(file("/etc/app/empty", "")),
      resource(file("/etc/app/\xc3\xbcml\xc3\xa4ut", "x\n")),
      resource(secret_file("/etc/app/token", "s3cr3t'value")),
      resource(no_file("/etc/unwanted")),
      resource(Directory{"/etc/app", Presence::Present, "deploy", "staff2", "2750"}),
      resource(Directory{"/srv/with space", Presence::Present, "root", "root", "0755"}),
      resource(Link{"/etc/alias", Presence::Present, "/etc/app/it's"}),
      resource(Link{"/etc/option", Presence::Present, "-n"}),
      resource(OwnedFiles{"/etc/sudoers.d", "nimbus-", {"/etc/sudoers.d/nimbus-deploy"}}),
      resource(file("/etc/sudoers.d/nimbus-deploy", "deploy ALL=(ALL) NOPASSWD: ALL\n", "0440")),
      resource(Group{"staff2", Presence::Present, 2000}),
      resource(deploy),
      resource(User{"plain", Presence::Present, {}, {}, "", "", {kKeyB}, false, true}),
      resource(Mount{"-f", "/srv/with space/da ta", "tmpfs", "size=1m", Presence::Present}),
      resource(Setting{SettingKind::Hostname, "web-1"}),
      resource(Setting{SettingKind::TimeZone, "Europe/Berlin"}),
      resource(Setting{SettingKind::Locale, "C.UTF-8"}),
      resource(Sysctl{"net.core.somaxconn", "1234"}),
      resource(Sysctl{"net.ipv4.ip_local_port_range", "20000 30000"}),
      resource(Block{"/etc/hosts", "hosts", "10.0.0.1 db\n10.0.0.2 cache\n"}),
      resource(Block{"/etc/new.conf", "lines", "only ours\n"}),
      resource(Command{"once", "echo once >>/var/lib/once", "/var/lib/once", "", "root"}),
      resource(Command{"as-user", "id -un >id", "", "grep -q deploy /srv/deploy/id", "deploy"}, {},
               {"file:/etc/app/empty"}),
  });
}

}  // namespace

TEST_CASE("host root: everything from absent to present, in each shell; then nothing is left to do") {
  for (const auto& shell : kShells) {
    CAPTURE(shell[0]);
    Root root;
    root.shell = shell;
    root.write("/etc/unwanted", "x");
    root.write("/etc/sudoers.d/nimbus-gone", "# old\n");
    root.write("/etc/sudoers.d/admin", "# not ours\n");
    root.write("/etc/hosts", "127.0.0.1 localhost");  // without a line end
    auto wanted = everything();
    for (auto& it : wanted.resources) {
      if (auto* command = std::get_if<Command>(&it.wanted); command != nullptr && command->user == "deploy") {
        command->run = "id -un >/srv/deploy/id";
      }
    }
    settles(root, wanted);
    CHECK(root.read("/etc/app/it's $HOME; `x` \"y\" \\z.conf") == "a 'quoted' $line\n\n\\n%s no end");
    CHECK(root.read("/etc/app/bytes").size() == 256);
    CHECK(root.sh("stat -c '%a %U %G' '/etc/app/token' /etc/app").find("400 root root\n2750 deploy staff2") == 0);
    CHECK(root.read("/etc/app/token") == "s3cr3t'value");
    CHECK_FALSE(root.exists("/etc/unwanted"));
    CHECK_FALSE(root.exists("/etc/sudoers.d/nimbus-gone"));
    CHECK(root.exists("/etc/sudoers.d/admin"));
    CHECK(root.read("/etc/hosts") ==
          "127.0.0.1 localhost\n# nimbus:hosts begin\n10.0.0.1 db\n10.0.0.2 cache\n# nimbus:hosts end\n");
    CHECK(root.read("/srv/deploy/.ssh/authorized_keys") == std::string(kKeyA) + " alice@example\n");
    CHECK(root.sh("stat -c '%a %U' /srv/deploy/.ssh /srv/deploy/.ssh/authorized_keys") == "700 deploy\n600 deploy\n");
    CHECK(root.read("/var/lib/once") == "once\n");
    CHECK(root.read("/srv/deploy/id") == "deploy\n");
    CHECK(root.read("/etc/hostname") == "web-1\n");
    CHECK(root.sh("uname -n; readlink /etc/localtime") == "web-1\n/usr/share/zoneinfo/Europe/Berlin\n");
    CHECK(root.sh("stat -f -c %T '/srv/with space/da ta'; readlink /etc/option") == "tmpfs\n-n\n");
  }
}

TEST_CASE("host root: changed behind our back, and back again") {
  Root root;
  auto wanted = everything();
  std::erase_if(wanted.resources, [](const auto& it) { return it.id == "command:as-user"; });
  settles(root, wanted);
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"file:/etc/app/bytes", "echo changed >/etc/app/bytes"},
      {"file:/etc/app/bytes", "chmod 666 /etc/app/bytes"},
      {"file:/etc/app/bytes", "chown nobody:nogroup /etc/app/bytes"},
      {"file:/etc/app/bytes", "rm /etc/app/bytes; ln -s /etc/passwd /etc/app/bytes"},
      {"file:/etc/app/bytes", "rm /etc/app/bytes; mkfifo /etc/app/bytes"},
      {"file:/etc/app/empty", "head -c 5000000 /dev/zero >/etc/app/empty"},
      {"file:/etc/app/token", "echo no >/etc/app/token"},
      {"file:/etc/unwanted", "ln -s nowhere /etc/unwanted"},
      {"directory:/etc/app", "chmod 777 /etc/app"},
      {"directory:/srv/with space", "chmod 6755 '/srv/with space'"},
      {"link:/etc/alias", "rm /etc/alias; echo x >/etc/alias"},
      {"link:/etc/alias", "ln -sfn /tmp /etc/alias"},
      {"owned-files:/etc/sudoers.d/nimbus-", "ln -s x /etc/sudoers.d/nimbus-zzz"},
      {"group:staff2", "groupmod -g 2222 staff2"},
      {"user:deploy", "usermod -s /bin/sh deploy"},
      {"user:deploy", "gpasswd -d deploy sudo"},
      {"user:deploy", "echo 'command=\"x\" ssh-ed25519 AAAAforeign' >>/srv/deploy/.ssh/authorized_keys"},
      {"user:deploy", "rm -r /srv/deploy/.ssh"},
      {"user:plain", "echo '# nothing' >/home/plain/.ssh/authorized_keys"},
      {"mount:/srv/with space/da ta", "umount '/srv/with space/da ta'"},
      {"mount:/srv/with space/da ta", "sed -i /tmpfs/d /etc/fstab"},
      {"hostname", "echo other >/etc/hostname"},
      {"hostname", "hostname other"},
      {"timezone", "rm /etc/localtime"},
      {"locale", "echo LANG=xx >/etc/default/locale"},
      {"sysctl:net.core.somaxconn", "echo 77 >/proc/sys/net/core/somaxconn"},
      {"block:/etc/hosts#hosts", "sed -i s/10.0.0.2/10.9.9.9/ /etc/hosts; echo '1.2.3.4 mine' >>/etc/hosts"},
      {"block:/etc/hosts#hosts", "sed -i '/nimbus:hosts begin/,/nimbus:hosts end/d' /etc/hosts"},
      {"block:/etc/new.conf#lines", "rm /etc/new.conf"},
      {"command:once", "rm /var/lib/once"},
  };
  for (const auto& [id, change] : changes) {
    CAPTURE(change);
    root.sh(change);
    const auto gaps = nimbus::reconcilers::configure::compare(wanted, root.probe(wanted));
    // A group of another number is missed by its files too.
    REQUIRE(gaps.size() == (id == "group:staff2" ? 3 : 1));
    CHECK(std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) { return gap.resource == id; }));
    for (const auto& gap : gaps) CHECK(gap.kind == Gap::Kind::Change);
    const auto pass = root.converge(wanted);
    CHECK_MESSAGE(pass.converged(), pass.text());
    CHECK(pass.outcomes.size() == 1);
  }
  CHECK(root.read("/etc/hosts").find("1.2.3.4 mine\n") != std::string::npos);
  settles(root, wanted);
}

TEST_CASE("host root: removed again") {
  Root root;
  const auto before = root.sh("cat /etc/fstab /etc/hosts 2>/dev/null || :");
  auto wanted = everything();
  std::erase_if(wanted.resources, [](const auto& it) { return it.id == "command:as-user"; });
  settles(root, wanted);

  settles(root, configuration({
                    resource(no_file("/etc/app/it's $HOME; `x` \"y\" \\z.conf")),
                    resource(no_file("/etc/app/bytes")),
                    resource(no_file("/etc/app/empty")),
                    resource(no_file("/etc/app/\xc3\xbcml\xc3\xa4ut")),
                    resource(no_file("/etc/app/token")),
                    resource(Directory{"/etc/app", Presence::Absent}),
                    resource(Link{"/etc/alias", Presence::Absent}),
                    resource(Link{"/etc/option", Presence::Absent}),
                    resource(OwnedFiles{"/etc/sudoers.d", "nimbus-", {}}),
                    resource(Group{"staff2", Presence::Absent}),
                    resource(User{"deploy", Presence::Absent}),
                    resource(User{"plain", Presence::Present, {}, {}, "", "", {}, true, true}),
                    resource(Mount{"tmpfs", "/srv/with space/da ta", "tmpfs", "", Presence::Absent}),
                    resource(Block{"/etc/hosts", "hosts", ""}),
                }));
  CHECK_FALSE(root.exists("/etc/app"));
  CHECK_FALSE(root.exists("/etc/alias"));
  CHECK_FALSE(root.exists("/etc/sudoers.d/nimbus-deploy"));
  CHECK(root.exists("/srv/deploy"));  // a home stays
  CHECK(root.read("/home/plain/.ssh/authorized_keys").empty());
  CHECK(root.sh("cat /etc/fstab /etc/hosts 2>/dev/null || :") == before);
}

TEST_CASE("host root: what an account writes among its keys is its own trouble, not the host's") {
  Root root;
  root.sh("useradd -m mallory && mkdir -m 700 /home/mallory/.ssh && chown mallory: /home/mallory/.ssh");
  std::string keys;
  SUBCASE("many short lines") {
    for (int i = 0; i < 32'000; ++i) keys += "a\n";
  }
  SUBCASE("many keys") {
    for (int i = 0; i < 5'000; ++i) keys += "ssh-a AAAA\n";
  }
  SUBCASE("more than is read, and what is declared comes last") {
    for (int i = 0; i < 700; ++i) keys += std::string("# ") + std::string(100, 'x') + "\n";
    keys += std::string(kKeyA) + "\n";
  }
  root.write("/home/mallory/.ssh/authorized_keys", keys);
  const auto wanted = configuration({resource(User{"mallory", Presence::Present, {}, {}, "", "", {kKeyA}, false, true}),
                                     resource(file("/etc/other", "x\n"))});
  const auto pass = root.converge(wanted);
  CHECK(root.read("/etc/other") == "x\n");
  REQUIRE(pass.gaps.size() == 1);
  CHECK(pass.gaps[0].resource == "user:mallory");
  CHECK(pass.gaps[0].kind == Gap::Kind::Unknown);
  CHECK(root.read("/home/mallory/.ssh/authorized_keys") == keys);
}

TEST_CASE("host root: nothing is absent because the host has no room for a shell's temporary files") {
  Root root;
  // As bash did it before 5.1, and does with more than fits into a pipe.
  root.shell = {"env", "BASH_COMPAT=4.4", "bash", "--posix"};
  root.sh("mount -t tmpfs -o ro none /tmp && mount -t tmpfs -o ro none /var/tmp && mount -o remount,ro /");
  const auto wanted = configuration(
      {resource(User{"root", Presence::Present, {}, {}, "", "", {}, false, false}), resource(Group{"root"})});
  const auto pass = root.converge(wanted);
  CHECK_MESSAGE(pass.converged(), pass.text());
  CHECK(pass.corrections == 0);
}

TEST_CASE("host root: a locale's line goes into a file without an end of its last line") {
  Root root;
  root.sh(
      "printf 'C.UTF-8 UTF-8\\n# zu_ZA.UTF-8 UTF-8' >/etc/locale.gen && cd /usr/local/bin && printf '#!/bin/sh\\ncp "
      "/etc/locale.gen /made' >locale-gen && printf '#!/bin/sh\\ncut -d \" \" -f 1 /made' >locale && chmod 755 "
      "locale locale-gen");
  settles(root, configuration({resource(Setting{SettingKind::Locale, "de_DE.UTF-8"})}));
  CHECK(root.read("/etc/locale.gen") == "C.UTF-8 UTF-8\n# zu_ZA.UTF-8 UTF-8\nde_DE.UTF-8 UTF-8\n");
}
