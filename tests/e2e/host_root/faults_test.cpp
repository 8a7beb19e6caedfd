// What goes wrong on a host: scripts killed anywhere, validations that fail, full disks,
// folders of somebody else's.
#include <doctest/doctest.h>

#include <algorithm>

#include "controller/configure/access.hpp"
#include "controller/configure/texts.hpp"
#include "reconcilers/configure/compare.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;
using reconcilers::configure::Gap;
using reconcilers::configure::Outcome;

namespace {

/// Inserts `text` before the `nth` place where `what` begins a line; empty if there are fewer.
std::string before(const std::string& script, const std::string& what, std::size_t nth, const std::string& text) {
  auto at = script.find("\nTOKEN=");
  for (std::size_t turn = 0; turn <= nth && at != std::string::npos; ++turn) at = script.find("\n" + what, at + 1);
  if (at == std::string::npos) return {};
  return script.substr(0, at + 1) + text + "\n" + script.substr(at + 1);
}

Configuration some_files() {
  auto checked = file("/etc/app/checked", "new\n");
  checked.validate = "grep -q new /etc/app/checked";
  auto tried = file("/etc/app/tried", "new\n");
  tried.validate = "grep -q new {file}";
  return configuration({
      resource(Directory{"/etc/app"}),
      resource(checked),
      resource(tried, {"action:told"}),
      resource(file("/etc/app/plain", "new\n"), {"action:told"}),
      resource(Link{"/etc/app/link", Presence::Present, "plain"}),
      resource(Block{"/etc/hosts", "x", "1.1.1.1 one\n"}),
      resource(User{"deploy", Presence::Present, {}, {}, "", "", {kKeyA}, true, true}),
      resource(Mount{"tmpfs", "/mnt", "tmpfs", "size=1m", Presence::Present}),
      resource(Command{"once", "echo x >>/var/lib/once", "/var/lib/once", "", "root"}),
      resource(Action{"told", "echo told >>/var/lib/told", "", 60}),
  });
}

}  // namespace

TEST_CASE("host root: killed at every boundary between resources, the next pass finishes") {
  const auto wanted = some_files();
  std::size_t kills = 0;
  Root root;
  while (true) {
    const auto correction = root.first_correction(wanted);
    if (correction.resources.empty()) break;
    // Each step of each level: all before it were done, it was not.
    const std::size_t last = correction.resources.size() - 1;
    const auto killed = before(correction.script, "run ", last, "kill -9 $$");
    REQUIRE_FALSE(killed.empty());
    const auto result = root.run(killed);
    CHECK(result.signal == 9);
    const auto outcomes = reconcilers::configure::read_outcomes(correction, result.output.text, "none");
    CHECK(outcomes.back().kind == Outcome::Kind::Unknown);
    ++kills;
    // The level, but nothing after it.
    CHECK(root.run(correction.script).exit_code == 0);
  }
  CHECK(kills >= 4);
  CHECK(root.read("/var/lib/told") == "told\n");
  CHECK(root.read("/var/lib/once") == "x\n");
  CHECK(root.leftovers() == "");
}

TEST_CASE("host root: killed after every line of every step, the next pass finishes") {
  const auto wanted = some_files();
  std::size_t kills = 0;
  for (std::size_t level = 0; level < 8; ++level) {
    for (std::size_t line = 0; line < 200; ++line) {
      Root root("64m");
      root.write("/etc/hosts", "127.0.0.1 localhost\n");
      bool reached = true;
      for (std::size_t turn = 0; turn < level && reached; ++turn) {
        const auto earlier = root.first_correction(wanted);
        reached = !earlier.resources.empty() && root.run(earlier.script).exit_code == 0;
      }
      const auto correction = reached ? root.first_correction(wanted) : reconcilers::configure::Correction{};
      if (correction.resources.empty()) break;
      // Inside the functions too: after the n-th of the commands that change something.
      std::size_t at = correction.script.find("settled() {"), seen = 0;
      std::string killed;
      for (auto from = at; from != std::string::npos && killed.empty();) {
        from = correction.script.find_first_of("\n", from + 1);
        if (from == std::string::npos) break;
        const auto rest = std::string_view(correction.script).substr(from + 1);
        const auto start = rest.find_first_not_of(" ");
        const auto word = start == std::string_view::npos ? rest : rest.substr(start);
        const bool changes = word.starts_with("mv ") || word.starts_with("go_live") || word.starts_with("note ") ||
                             word.starts_with("chown") || word.starts_with("settled ") || word.starts_with("holds") ||
                             word.starts_with("chmod") || word.starts_with("fstab_set") || word.starts_with("mount ") ||
                             word.starts_with("useradd") || word.starts_with("durable ..") ||
                             word.starts_with("(cd / && sh") || word.starts_with("recover ") ||
                             word.starts_with("rm -f ./") || word.starts_with("ln -s");
        if (changes && seen++ == line) {
          killed = correction.script.substr(0, from + 1) + "kill -9 0\n" + correction.script.substr(from + 1);
        }
      }
      if (killed.empty()) break;
      const auto result = root.run(killed);
      if (result.signal == 9) ++kills;
      for (const char* path : {"/etc/app/checked", "/etc/app/tried", "/etc/app/plain"}) {
        CHECK_MESSAGE((!root.exists(path) || root.read(path) == "new\n"), path, " is half there");
      }
      CHECK(root.read("/etc/hosts").find("127.0.0.1 localhost\n") == 0);
      const auto pass = root.converge(wanted);
      CHECK_MESSAGE(pass.converged(), pass.text());
      CHECK(root.read("/var/lib/told").find("told\n") == 0);
      CHECK(root.read("/etc/hosts") == "127.0.0.1 localhost\n# nimbus:x begin\n1.1.1.1 one\n# nimbus:x end\n");
      // Killed after the rename: the private folder stays, with nothing in it that others may not read.
      const auto left = root.leftovers();
      CHECK_MESSAGE((left.empty() || left.find("/.nimbus-") != std::string::npos), left);
      CHECK(left.find("/var/lib/nimbus") == std::string::npos);
    }
  }
  CHECK(kills > 20);
}

TEST_CASE("host root: a file goes live only if it passes its validation, and comes back if it fails afterwards") {
  Root root;
  auto tried = file("/etc/tried", "bad\n");
  tried.validate = "! grep bad {file}";
  auto checked = file("/etc/checked", "bad\n");
  checked.validate = "! grep bad /etc/checked";
  auto fresh = file("/etc/fresh", "bad\n");
  fresh.validate = "! grep bad /etc/fresh";
  const auto wanted = configuration({resource(tried, {"action:told"}), resource(checked), resource(fresh),
                                     resource(Action{"told", "echo told >>/var/lib/told", "", 60}),
                                     resource(file("/etc/other", "x\n"))});
  root.write("/etc/tried", "good\n");
  root.write("/etc/checked", "good\n");
  const auto inode = root.sh("stat -c %i /etc/checked");
  const auto pass = root.converge(wanted);
  CHECK(pass.gaps.size() == 3);
  for (const char* id : {"file:/etc/tried", "file:/etc/checked", "file:/etc/fresh"}) {
    REQUIRE(pass.outcome(id) != nullptr);
    CHECK(pass.outcome(id)->kind == Outcome::Kind::Failed);
    CHECK(pass.outcome(id)->said.find("bad") != std::string::npos);
  }
  CHECK(root.read("/etc/tried") == "good\n");
  CHECK(root.read("/etc/checked") == "good\n");
  CHECK(root.sh("stat -c %i /etc/checked") == inode);
  CHECK_FALSE(root.exists("/etc/fresh"));
  // A failure stops what depends on it, and nothing else.
  CHECK(root.read("/etc/other") == "x\n");
  CHECK_FALSE(root.exists("/var/lib/told"));
  CHECK(root.leftovers() == "");
}

TEST_CASE("host root: killed between going live and the validation, the old file comes back before anything else") {
  Root root;
  root.write("/etc/checked", "good\n");
  auto checked = file("/etc/checked", "bad\n");
  checked.validate = "! grep bad /etc/checked";
  const auto bad = configuration({resource(checked)});
  const auto correction = root.first_correction(bad);
  CHECK(root.run(before(correction.script, "(cd / && sh", 0, "kill -9 0")).signal == 9);
  CHECK(root.read("/etc/checked") == "bad\n");
  // As declared by its content; not by what is known of it.
  const auto gaps = reconcilers::configure::compare(bad, root.probe(bad));
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].drifts[0].key == "file:/etc/checked.validation");
  const auto pass = root.converge(bad);
  CHECK(pass.outcomes.at(0).kind == Outcome::Kind::Failed);
  CHECK(root.read("/etc/checked") == "good\n");
  CHECK(root.leftovers() == "");
}

TEST_CASE("host root: a full disk loses nothing, says so, and is got over") {
  Root root;
  root.sh(
      "mkdir /small && mount -t tmpfs -o size=64k,mode=755 none /small && echo old >/small/file && echo '# mine' "
      ">/small/block");
  const auto wanted = configuration({
      resource(file("/small/file", std::string(60000, 'x') + "\n")),
      resource(file("/small/fresh", std::string(60000, 'y') + "\n")),
      resource(Block{"/small/block", "b", std::string(60000, 'z') + "\n"}),
      resource(file("/etc/elsewhere", "fine\n")),
  });
  root.sh("head -c 50000 /dev/zero >/small/filler");
  const auto pass = root.converge(wanted);
  CHECK(pass.gaps.size() == 3);
  for (const char* id : {"file:/small/file", "file:/small/fresh", "block:/small/block#b"}) {
    REQUIRE(pass.outcome(id) != nullptr);
    CHECK(pass.outcome(id)->kind == Outcome::Kind::Failed);
    CHECK_MESSAGE(pass.outcome(id)->said.find("disk full") != std::string::npos, pass.outcome(id)->said);
  }
  CHECK(root.read("/small/file") == "old\n");
  CHECK_FALSE(root.exists("/small/fresh"));
  CHECK(root.read("/small/block") == "# mine\n");
  CHECK(root.read("/etc/elsewhere") == "fine\n");
  CHECK(root.sh("ls -A /small") == "block\nfile\nfiller\n");
  // Marks of ours need room too: no change before they are written.
  root.sh(
      "mount -t tmpfs -o size=4k,nr_inodes=1,mode=700 none /var/lib/nimbus 2>/dev/null || { mkdir -p /var/lib/nimbus; "
      "mount -t tmpfs -o size=4k,nr_inodes=1 none /var/lib/nimbus; }");
  const auto notifying = configuration(
      {resource(file("/etc/elsewhere", "other\n"), {"action:told"}), resource(Action{"told", "true", "", 60})});
  const auto second = root.converge(notifying);
  CHECK(second.outcomes.at(0).kind == Outcome::Kind::Failed);
  CHECK(second.outcomes.at(0).said.find("disk full") != std::string::npos);
  CHECK(root.read("/etc/elsewhere") == "fine\n");
  root.sh("umount /var/lib/nimbus; rm /small/filler; mount -o remount,size=1m /small");
  CHECK(root.converge(wanted).converged());
  CHECK(root.converge(notifying).converged());
}

TEST_CASE("host root: somebody else's folder does not lead root astray") {
  Root root;
  root.sh(
      "useradd -m mallory && mkdir /home/mallory/.ssh && ln -s /etc/shadow /home/mallory/.ssh/authorized_keys && chown "
      "-R -h mallory: /home/mallory");
  const auto shadow = root.read("/etc/shadow");
  auto mine = file("/home/mallory/conf", "declared\n");
  mine.owner = mine.group = "mallory";
  // Links where the new file is made, and where it goes.
  root.sh("su mallory -s /bin/sh -c 'cd && ln -s /etc/shadow conf; for n in 0 1; do ln -s /etc .nimbus-$n; done'");
  const auto keys = configuration(
      {resource(User{"mallory", Presence::Present, {}, {}, "", "", {kKeyA}, true, true}), resource(mine)});
  const auto pass = root.converge(keys);
  REQUIRE(pass.gaps.size() == 2);  // what belongs to somebody waits for him
  CHECK(pass.gaps[1].kind == Gap::Kind::Unknown);
  CHECK(pass.gaps[1].resource == "user:mallory");
  CHECK(pass.corrections == 0);
  CHECK(root.converge(configuration({resource(mine)})).converged());
  CHECK(root.read("/etc/shadow") == shadow);
  CHECK(root.read("/home/mallory/conf") == "declared\n");
  CHECK(root.sh("stat -c %F /home/mallory/conf") == "regular file\n");
  CHECK(root.sh("stat -c '%U %a' /etc/shadow") == "root 640\n");
}

TEST_CASE("host root: links that somebody else put on the way to a place lead root nowhere") {
  Root root;
  root.sh(
      "useradd -m mallory && mkdir /home/mallory/own /srv/real && ln -s real /srv/link && echo x >/etc/victim && "
      "mkdir /etc/cron.mine /etc/empty && ln -s /etc/motd /etc/alias && chown mallory: /home/mallory/own && "
      "su mallory -s /bin/sh -c 'cd && ln -s own here && ln -s /etc app && ln -s ../../../etc own/up'");
  const auto owned = [](Directory folder) {
    folder.owner = folder.group = "mallory";
    return folder;
  };
  // What mallory would get: folders of /etc, a file there, and what is there gone.
  const auto led_astray = configuration({
      resource(owned({"/home/mallory/app/cron.mine"})),
      resource(owned({"/home/mallory/own/up/fresh"})),
      resource(file("/home/mallory/app/planted", "x\n")),
      resource(file("/home/mallory/here/up/planted", "x\n")),
      resource(Link{"/home/mallory/app/planted-link", Presence::Present, "motd"}),
      resource(Block{"/home/mallory/app/blocked", "x", "1.1.1.1 one\n"}),
      resource(no_file("/home/mallory/app/victim")),
      resource(Directory{"/home/mallory/app/empty", Presence::Absent}),
      resource(Link{"/home/mallory/app/alias", Presence::Absent, ""}),
  });
  const auto listed = root.sh("ls -lAn --time-style=+ /etc");
  const auto pass = root.converge(led_astray);
  CHECK(root.sh("ls -lAn --time-style=+ /etc") == listed);
  CHECK(root.read("/etc/victim") == "x\n");
  for (const auto& it : led_astray.resources) {
    REQUIRE_MESSAGE(pass.outcome(it.id) != nullptr, it.id);
    CHECK_MESSAGE(pass.outcome(it.id)->kind == Outcome::Kind::Failed, it.id);
    CHECK_MESSAGE(pass.outcome(it.id)->said.find("a link on the way") != std::string::npos, it.id, "\n", pass.text());
  }
  // Links of root's, and those that lead to what is their owner's anyway, are as good as folders.
  settles(root, configuration({resource(file("/srv/link/conf", "x\n")), resource(file("/var/run/conf", "x\n")),
                               resource(file("/home/mallory/here/conf", "x\n")),
                               resource(owned({"/home/mallory/here/folder"}))}));
  CHECK(root.read("/srv/real/conf") == "x\n");
  CHECK(root.read("/home/mallory/own/conf") == "x\n");
}

TEST_CASE("host root: a diff shows what everybody on the host may read, wherever a name leads by then") {
  Root root;
  root.sh(
      "useradd -m mallory && chmod 755 /home/mallory && echo 'root only' >/root-only && chmod 600 /root-only && "
      "su mallory -s /bin/sh -c 'cd && echo told >there && echo x >swapped'");
  const auto wanted =
      configuration({resource(file("/home/mallory/swapped", "y\n")), resource(file("/home/mallory/there", "y\n"))});
  const auto facts = root.probe(wanted);
  const auto wish = controller::texts_to_read(wanted, facts, reconcilers::configure::compare(wanted, facts));
  CHECK(wish.files.size() == 2);
  // Between the look and the reading.
  root.sh("su mallory -s /bin/sh -c 'ln -sf /root-only ~/swapped'");
  const auto told = root.run(controller::texts_script(wish, "tok")).output.text;
  const auto texts = controller::read_texts_answer(wish, told, "tok");
  REQUIRE(texts.size() >= 1);
  CHECK(texts.back().path == "/home/mallory/there");
  CHECK(texts.back().diff.find("-told\n+y\n") != std::string::npos);
  for (const auto& text : texts) CHECK(text.diff.find("root only") == std::string::npos);
}

TEST_CASE("host root: taking our access away takes nobody else's, also where a disk is full") {
  Root root;
  const auto ours = std::string("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0");
  root.sh(
      "useradd -m -c 'Nimbus controller' nimbus && mkdir /home/nimbus/.ssh && printf '%s\\n' '" + ours +
      " nimbus' >/home/nimbus/.ssh/authorized_keys && printf '%s\\n' 'debian ALL=(ALL) NOPASSWD:ALL' 'nimbus ALL=(ALL) "
      "NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users && chmod 440 /etc/sudoers.d/90-cloud-init-users && head -c 8M "
      "/dev/zero >/run/filler || true");
  const auto script = controller::removal_script("nimbus", ours);
  root.run(script);
  CHECK(root.read("/etc/sudoers.d/90-cloud-init-users").find("debian ALL=(ALL) NOPASSWD:ALL\n") == 0);
  root.sh("rm /run/filler");
  root.run(script);
  CHECK(root.read("/etc/sudoers.d/90-cloud-init-users") == "debian ALL=(ALL) NOPASSWD:ALL\n");
  CHECK(root.sh("stat -c %a /etc/sudoers.d/90-cloud-init-users") == "440\n");
  CHECK(root.run("id nimbus").exit_code != 0);
}

TEST_CASE("host root: damaged markers, folders in the way and missing folders are failures with a reason") {
  Root root;
  root.write("/etc/hosts", "a\n# nimbus:x begin\nb\n");
  root.sh("mkdir -p /etc/folder/full /etc/linked && ln -s /etc/linked /etc/dir && touch /etc/afile");
  const auto wanted = configuration({
      resource(Block{"/etc/hosts", "x", "c\n"}),
      resource(file("/etc/folder", "x\n")),
      resource(file("/etc/nowhere/x", "x\n")),
      resource(Directory{"/etc/dir"}),
      resource(Directory{"/etc/afile"}),
      resource(User{"u", Presence::Present, {}, {"nogroupofthatname"}, "", "", {}, false, false}),
      resource(Command{"bad", "echo why >&2; exit 3", "/never", "", "root"}),
      resource(Setting{SettingKind::TimeZone, "No/Where"}),
  });
  const auto pass = root.converge(wanted);
  CHECK(pass.gaps.size() == wanted.resources.size());
  for (const auto& it : wanted.resources) {
    REQUIRE(pass.outcome(it.id) != nullptr);
    CHECK(pass.outcome(it.id)->kind == Outcome::Kind::Failed);
    CHECK_MESSAGE(!pass.outcome(it.id)->said.empty(), it.id);
  }
  CHECK(pass.outcome("command:bad")->exit_status == 3);
  CHECK(pass.outcome("command:bad")->said == "why");
  CHECK(root.read("/etc/hosts") == "a\n# nimbus:x begin\nb\n");
  CHECK(root.leftovers() == "");
}
