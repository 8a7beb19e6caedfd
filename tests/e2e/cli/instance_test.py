"""nimbusctl instance and place: choosing, committing, pushing, following, logging in; with real git and real sshd."""
import os
import pathlib
import shutil
import socket
import subprocess
import time
import unittest

import cli_case

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xFhB9l3cQ8m0yM7i0k2c0dGmX1m2e4q3Y4W5c6d7e alice"
READY = '[condition.ready]\nmessage = ""\nreason = "Reconciled"\nsince = 2026-11-01T09:00:00Z\nstatus = "true"\n'
IMAGE = f"""os = "debian"
arch = "x86_64"
installer = "disk-image"
default_user = "root"
[disk]
urls = ["https://images.example/debian.raw"]
sha256 = "{'0' * 64}"
size_bytes = 1048576
"""


def machine(number, cores=16, more="", rack="b1"):
    return (f'labels = {{ class = "general" }}\n{more}[location]\nrack = "{rack}"\n[bmc]\ndriver = "ipmi"\n'
            f'address = "10.1.0.{number}"\ncredentials = ["bmc/x"]\n[identity]\nserial = "SN{number}"\n'
            f'mac = "52:54:00:00:00:{number:02x}"\n[hardware]\narch = "x86_64"\ncpu_cores = {cores}\nmemory_gib = 64\n'
            '[[hardware.disk]]\nsize_gib = 480\ntype = "nvme"\n')


def instance(provider="p", more=""):
    return f'provider = "{provider}"\nimage = "debian"\n{more}'


FILES = {
    "registry.toml": 'format = 1\nname = "acme"\n',
    "policy/tenants/acme.toml": 'quota = { instances = 5, cpu_cores = 200 }\nproviders = ["*"]\n',
    "policy/people/alice.toml": f'name = "Alice"\nssh_keys = ["{KEY}"]\n',
    "images/debian.toml": IMAGE,
    "providers/p/provider.toml": 'region = "eu"\ntenants = ["acme"]\n',
    "providers/q/provider.toml": 'region = "us"\ntenants = ["*"]\n',
    "providers/r/provider.toml": 'region = "eu"\ntenants = []\n',
    "providers/p/machines/m1.toml": machine(1, 32),
    "providers/p/machines/m2.toml": machine(2, 16, rack="b2"),
    "providers/p/machines/m3.toml": machine(3, 8),
    "providers/q/machines/n1.toml": machine(11, 24),
    "providers/r/machines/o1.toml": machine(21, 16),
    "tenants/acme/instances/old.toml": instance(more='protected = false\n[requirements]\ngroup = "web"\n'),
}
STATUS = {
    "status.toml": 'format = 1\n',
    "providers/p/machines/m1.toml": f'phase = "available"\n{READY}',
    "providers/p/machines/m2.toml": f'phase = "available"\n{READY}',
    "providers/p/machines/m3.toml": f'instance = "acme/old"\nphase = "active"\n[claim]\ninstance = "acme/old"\n{READY}',
    "tenants/acme/instances/old.toml": 'machine = "m3"\nphase = "running"\n',
}


class InstanceCase(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.repository(FILES)
        self.forge = self.scratch / "forge.git"
        self.git("clone", "-q", "--bare", self.registry, self.forge, cwd=self.scratch)
        self.git("remote", "add", "origin", self.forge, cwd=self.registry)
        self.tell("p", STATUS)
        self.tell("q", {"status.toml": "format = 1\n", "providers/q/machines/n1.toml": f'phase = "available"\n{READY}'})
        (self.home / ".gitconfig").write_text("[user]\nname = Alice\nemail = alice@acme.example\n")

    def tell(self, provider, documents):
        """A new status commit at the forge, as a controller's push."""
        reference = f"refs/heads/nimbus/status/{provider}"
        parent = self.git("rev-parse", "--verify", "-q", reference, cwd=self.forge, check=False).stdout.strip()
        commit = self.branch_of_files(self.forge, "refs/heads/scratch", documents, "m1: told")
        if parent:
            tree = self.git("rev-parse", commit + "^{tree}", cwd=self.forge).stdout.strip()
            commit = self.git("commit-tree", tree, "-p", parent, "-m", "m1: told", cwd=self.forge).stdout.strip()
        self.git("update-ref", reference, commit, cwd=self.forge)

    def instance(self, *arguments, code=0, **options):
        return self.ctl("instance", *arguments, cwd=self.registry, code=code, **options)

    def head(self, reference="HEAD", repository=None):
        return self.git("rev-parse", reference, cwd=repository or self.registry).stdout.strip()

    def clean(self):
        return self.git("status", "--porcelain", cwd=self.registry).stdout == ""


class Choosing(InstanceCase):
    def verdicts(self, *arguments):
        import json
        rows = json.loads(self.instance("plan", *arguments, "-o", "json").stdout)
        return {row["machine"]: (row["verdict"], row["why"]) for row in rows}

    def test_least_waste_and_why_not_the_others(self):
        rows = self.verdicts("acme/new", "--image", "debian", "--cores", "12")
        self.assertEqual(rows["p/m2"], ("chosen", "fits with least waste"))
        self.assertEqual(rows["p/m1"], ("fits", "another fits with less waste"))
        self.assertEqual(rows["q/n1"][0], "fits")
        self.assertEqual(rows["p/m3"], ("no", "in use by acme/old"))
        self.assertEqual(rows["r/o1"], ("no", "the provider does not admit acme"))
        self.assertEqual(list(self.verdicts("acme/new", "--image", "debian", "--cores", "12", "--region", "us")), ["q/n1"])
        self.assertEqual(self.verdicts("acme/new", "--cores", "30")["q/n1"], ("no", "has 24 cores; 30 are asked for"))
        self.assertEqual(self.verdicts("acme/new", "--class", "gpu")["p/m1"][0], "no")
        self.assertEqual(self.verdicts("acme/new", "--arch", "aarch64")["p/m1"][1], "is x86_64; aarch64 is asked for")
        self.assertEqual(self.verdicts("acme/new", "--disk", "200:ssd")["p/m1"][1], "lacks a disk that the instance asks for")
        self.assertEqual(self.verdicts("acme/new", "--machine", "p/m1")["p/m1"][0], "chosen")
        # old, of group web, is in rack b1 of p.
        self.assertIn("rack b1 too", self.verdicts("acme/new", "--spread", "rack", "--group", "web")["p/m1"][1])
        self.assertEqual(self.verdicts("acme/new", "--spread", "provider", "--group", "web")["q/n1"][0], "chosen")
        self.assertIn("is on it", self.verdicts("acme/old")["p/m3"][1])

    def test_quota_data_and_health(self):
        self.commit(self.registry, {"policy/tenants/acme.toml": 'quota = { cpu_cores = 30 }\nproviders = ["p"]\n'}, "Quota")
        rows = self.verdicts("acme/new", "--image", "debian")
        self.assertEqual(rows["p/m1"][1], "the quota of 30 cores would be exceeded: 8 are taken, and it has 32")
        self.assertEqual(rows["q/n1"][1], "acme may not use this provider")
        self.assertEqual(rows["p/m2"][0], "chosen")
        lost = READY.replace('"true"', '"false"').replace("Reconciled", "Unreachable").replace('message = ""', 'message = "no answer"')
        self.tell("p", {**STATUS, "providers/p/machines/m2.toml": f'phase = "available"\n{lost}',
                        "providers/p/machines/m1.toml": f'phase = "occupied"\n{READY}'})
        self.commit(self.registry, {"policy/tenants/acme.toml": 'providers = ["*"]\n'}, "No quota")
        rows = self.verdicts("acme/new", "--image", "debian")
        self.assertEqual(rows["p/m2"], ("no", "Unreachable: no answer"))
        self.assertIn("may hold data", rows["p/m1"][1])
        self.instance("plan", "acme/new", "--cores", "60", "--exit-code", code=6)

    def test_those_who_wait_come_first(self):
        self.commit(self.registry, {"tenants/acme/instances/waits.toml": instance(more="[requirements]\ncpu_cores = 12\n")}, "Waits")
        rows = self.verdicts("acme/new", "--image", "debian", "--provider", "p", "--cores", "12")
        self.assertEqual(rows["p/m2"], ("no", "in use by acme/waits, which waits for it"))
        self.assertEqual(rows["p/m1"][0], "chosen")
        # One that will never be placed takes nothing from anybody.
        self.commit(self.registry, {"tenants/acme/instances/waits.toml": instance(more="[requirements]\ncpu_cores = 12\n").replace("debian", "gone")}, "Broken")
        self.assertEqual(self.verdicts("acme/new", "--image", "debian", "--provider", "p", "--cores", "12")["p/m2"][0], "chosen")

    def test_held_and_in_maintenance(self):
        for name in ("hold", "maintenance"):
            held = READY + READY.replace("ready", name).replace("Reconciled", "ByHand")
            self.tell("p", {**STATUS, "providers/p/machines/m2.toml": f'phase = "available"\n{held}'})
            self.assertEqual(self.verdicts("acme/new", "--image", "debian")["p/m2"], ("no", "ByHand"))

    def test_a_machine_that_failed_its_instance(self):
        """Kept aside: not the machine of that instance any more, and nobody else's either."""
        self.tell("p", {**STATUS, "providers/p/machines/m1.toml": f'phase = "quarantined"\n[claim]\ninstance = "acme/old"\nleft = true\n{READY}'})
        rows = self.verdicts("acme/old")
        self.assertEqual(rows["p/m1"], ("no", "in use by acme/old, whom it failed"))
        self.assertIn("is on it", rows["p/m3"][1])
        self.assertEqual(self.verdicts("acme/new", "--image", "debian")["p/m1"][0], "no")

    def test_a_provider_that_told_nothing(self):
        self.commit(self.registry, {"providers/s/provider.toml": 'region = "eu"\ntenants = ["*"]\n',
                                    "providers/s/machines/t1.toml": machine(31)}, "Another provider")
        result = self.instance("plan", "acme/new", "--provider", "s")
        self.assertIn("has told nothing", result.stdout)
        self.assertIn("git fetch", result.stderr)


class Asking(InstanceCase):
    def test_create_commits_one_file_and_pushes(self):
        self.write(self.registry, {"README.md": "mine\n"})
        self.git("add", "README.md", cwd=self.registry)
        self.write(self.registry, {"registry.toml": FILES["registry.toml"] + "# mine\n"})
        result = self.instance("create", "acme/new", "--image", "debian", "--cores", "12", "--ssh-key", "person:alice",
                               "--disk", "200:nvme", "--label", "class=general", "--no-wait")
        self.assertIn("p/m2 fits with least waste", result.stderr)
        self.assertIn("install", result.stdout)
        self.assertEqual(self.head("refs/heads/main", self.forge), self.head())
        self.assertEqual(self.git("show", "--name-only", "--format=%an: %s", "HEAD", cwd=self.registry).stdout.split("\n"),
                         ["Alice: acme/new: new instance of debian at p", "", "tenants/acme/instances/new.toml", ""])
        text = (self.registry / "tenants/acme/instances/new.toml").read_text()
        self.assertEqual(text, 'provider = "p"\nimage = "debian"\n\n[requirements]\ncpu_cores = 12\nlabels = { class = "general" }\n\n'
                               '[[requirements.disk]]\nsize_gib = 200\ntype = "nvme"\n\n[access]\nssh_keys = ["person:alice"]\n')
        # What else was going on in the checkout is as it was.
        self.assertEqual(self.git("status", "--porcelain", cwd=self.registry).stdout, "A  README.md\n M registry.toml\n")
        self.ctl("validate", "--rev", "HEAD", cwd=self.registry)
        self.instance("create", "acme/new", "--image", "debian", "--no-wait", code=6)

    def test_nothing_is_written_that_is_wrong_or_only_tried(self):
        head = self.head()
        self.assertIn("debain", self.instance("create", "acme/new", "--image", "debain", code=3).stderr)
        self.instance("create", "acme/new", "--image", "debian", "--dry-run")
        self.instance("create", "acme/new", "--image", "debian", "--cores", "99", code=6)
        self.instance("create", "acme/new", code=64)
        self.instance("create", "acme/new", "--image", "debian", "--disk", "big", code=64)
        self.instance("create", "new", "--image", "debian", code=1)
        self.instance("create", "acme/../x", "--image", "debian", code=1)
        self.assertEqual((self.head(), self.clean()), (head, True))
        self.instance("create", "acme/new", "--image", "debian", "--cores", "99", "--provider", "p", "--wait-for-machine", "--no-wait")
        self.assertNotEqual(self.head(), head)

    def test_by_branch_and_pull_request(self):
        hook = self.forge / "hooks" / "post-receive"
        hook.write_text("#!/bin/sh\necho 'Create a pull request:'\necho '  https://forge.example/acme/compare/x'\n")
        hook.chmod(0o755)
        head = self.head()
        result = self.instance("create", "acme/new", "--image", "debian", "--push", "branch")
        self.assertTrue(result.stdout.endswith("https://forge.example/acme/compare/x\n"), result.stdout)
        self.assertEqual((self.head(), self.clean()), (head, True))
        branch = self.git("for-each-ref", "--format=%(refname)", "refs/heads/nimbusctl", cwd=self.forge).stdout.strip()
        self.assertTrue(branch.startswith("refs/heads/nimbusctl/acme-new-"), branch)
        self.assertEqual(self.git("diff", "--name-status", head, branch, cwd=self.forge).stdout,
                         "A\ttenants/acme/instances/new.toml\n")

    def test_signed_when_the_users_git_signs(self):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.home / "key"], check=True)
        with open(self.home / ".gitconfig", "a") as config:
            config.write(f"[gpg]\nformat = ssh\n[user]\nsigningkey = {self.home / 'key'}\n[commit]\ngpgsign = true\n")
        self.instance("create", "acme/a", "--image", "debian", "--no-wait")
        self.instance("create", "acme/b", "--image", "debian", "--push", "branch")
        branch = self.git("for-each-ref", "--format=%(refname)", "refs/heads/nimbusctl", cwd=self.forge).stdout.strip()
        for commit in ("refs/heads/main", branch):
            self.assertIn("BEGIN SSH SIGNATURE", self.git("cat-file", "commit", commit, cwd=self.forge).stdout)

    def test_somebody_pushed_first(self):
        other = self.scratch / "other"
        self.git("clone", "-q", self.forge, other, cwd=self.scratch)
        self.commit(other, {"README.md": "x"}, "First")
        self.git("push", "-q", "origin", "main", cwd=other)
        result = self.instance("create", "acme/new", "--image", "debian", "--no-wait", code=6)
        self.assertIn("git pull --rebase", result.stderr)

    def test_place_writes_the_provider(self):
        path = "tenants/acme/instances/hand.toml"
        self.commit(self.registry, {path: '# by hand\nimage = "debian"\n[requirements]\ncpu_cores = 20\n'}, "By hand")
        self.git("push", "-q", "origin", "main", cwd=self.registry)
        self.ctl("place", "acme/hand", cwd=self.registry)
        self.assertEqual((self.registry / path).read_text(), '# by hand\nimage = "debian"\nprovider = "q"\n[requirements]\ncpu_cores = 20\n')
        self.assertEqual(self.head("refs/heads/main", self.forge), self.head())
        self.ctl("place", "acme/old", cwd=self.registry, code=6)
        self.ctl("place", "acme/nobody", cwd=self.registry, code=5)

    def test_a_file_with_other_changes_is_left_alone(self):
        path = "tenants/acme/instances/old.toml"
        self.write(self.registry, {path: FILES[path] + "# mine\n"})
        self.assertIn("not committed", self.instance("stop", "acme/old", "--no-wait", code=6).stderr)
        self.assertIn("# mine", (self.registry / path).read_text())


class Following(InstanceCase):
    def follow(self, documents, *arguments, code):
        """The controller tells one thing after the other, each once it was seen."""
        process = subprocess.Popen([cli_case.NIMBUSCTL, "instance", *arguments], cwd=self.registry, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment())
        seen = []
        for document in documents:
            for line in process.stderr:
                seen.append(line)
                if "00:" in line or "01:" in line:
                    break
            self.tell("p", {**STATUS, **document})
        rest, errors = process.communicate(timeout=cli_case.LIMIT_S)
        self.assertEqual(process.returncode, code, "".join(seen) + errors)
        return rest, "".join(seen) + errors

    def test_from_the_push_to_the_login(self):
        path = "tenants/acme/instances/new.toml"
        out, lines = self.follow([{path: 'message = "waits for m2"\nphase = "pending"\n'},
                                  {path: 'machine = "m2"\nmessage = "writing"\nphase = "installing"\n'},
                                  {path: 'machine = "m2"\nphase = "running"\n'}],
                                 "create", "acme/new", "--image", "debian", "--cores", "12", code=0)
        self.assertTrue(out.endswith("nimbusctl instance ssh acme/new\n"), out)
        for part in ("not told of it yet", "[#....] pending: waits for m2", "[###..] installing on m2: writing", "[#####] running on m2"):
            self.assertIn(part, lines)

    def test_a_failure_and_a_timeout_end_it(self):
        path = "tenants/acme/instances/new.toml"
        _, lines = self.follow([{path: 'machine = "m2"\nmessage = "two disks match"\nphase = "failed"\n'}],
                               "create", "acme/new", "--image", "debian", "--cores", "12", code=1)
        self.assertIn("two disks match", lines)
        self.instance("wait", "acme/old", "--for", "stopped", "--timeout", "1ms", code=1)
        self.instance("wait", "acme/old", "--for", "running")
        self.instance("wait", "acme/gone", "--for", "released")
        self.instance("wait", "acme/gone", code=5)


class Changing(InstanceCase):
    def text(self):
        return (self.registry / "tenants/acme/instances/old.toml").read_text()

    def test_power_and_restart(self):
        self.instance("stop", "acme/old", "--no-wait")
        self.assertIn('power = "off"', self.text())
        self.instance("start", "acme/old", "--no-wait")
        self.instance("restart", "acme/old", "--no-wait")
        self.instance("restart", "acme/old", "--push", "none")
        self.assertIn("restart = 2", self.text())
        self.assertEqual(self.head("HEAD~1"), self.head("refs/heads/main", self.forge))

    def test_what_erases_needs_two_steps_and_a_yes(self):
        self.assertIn("has not accepted", self.instance("reinstall", "acme/old", "--yes", code=6).stderr)
        self.tell("p", {**STATUS, "tenants/acme/instances/old.toml": 'machine = "m3"\nphase = "running"\nunprotected_since = "abc"\n'})
        self.instance("reinstall", "acme/old", code=64)
        result = self.instance("reinstall", "acme/old", "--yes", "--no-wait")
        self.assertIn("reinstall = 1", self.text())
        self.assertIn("data loss", result.stdout.lower())
        self.instance("protect", "acme/old", "--no-wait")
        self.assertIn("is protected", self.instance("delete", "acme/old", "--yes", code=6).stderr)
        self.instance("unprotect", "acme/old")
        head = self.head()
        self.instance("delete", "acme/old", "--yes", "--push", "branch")
        self.assertEqual((self.head(), self.clean()), (head, True))
        self.instance("delete", "acme/old", "--yes", "--no-wait")
        self.assertFalse((self.registry / "tenants/acme/instances/old.toml").exists())
        self.assertEqual(self.head("refs/heads/main", self.forge), self.head())
        self.instance("stop", "acme/old", code=5)

    def test_list_describe_logs(self):
        self.assertIn("acme/old", self.instance("list").stdout)
        self.assertEqual(self.instance("list", "--tenant", "globex", "-o", "name").stdout, "")
        self.assertIn('"machine": "m3"', self.instance("describe", "acme/old", "-o", "json").stdout.replace('":"', '": "'))
        self.tell("p", {**STATUS, "tenants/acme/instances/old.toml": 'machine = "m3"\nmessage = "\\u001b[2Jx"\nphase = "stopped"\n'})
        result = self.instance("logs", "acme/old")
        self.assertLess(result.stdout.index("stopped"), result.stdout.index("running"))
        self.assert_safe_for_terminals(result.stdout)
        self.instance("logs", "acme/none", code=5)
        self.instance("describe", "acme/none", code=5)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("sshd", path="/usr/sbin:" + os.environ["PATH"]), "sshd as root")
class LoggingIn(InstanceCase):
    def setUp(self):
        super().setUp()
        folder = self.folder = self.scratch / "sshd"
        folder.mkdir(mode=0o700)
        for name in ("host", "other", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name], check=True)
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
            f"PidFile {folder}/pid\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\n"
            "PermitRootLogin yes\nLogLevel ERROR\n")
        sshd = subprocess.Popen([shutil.which("sshd", path="/usr/sbin:" + os.environ["PATH"]), "-D", "-e", "-f", folder / "config"],
                                stderr=subprocess.PIPE)
        self.addCleanup(sshd.stderr.close)
        self.addCleanup(sshd.wait)
        self.addCleanup(sshd.terminate)
        deadline = time.monotonic() + 20
        while not self.listens():
            self.assertLess(time.monotonic(), deadline, "sshd does not listen")
            time.sleep(0.02)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def tell_key(self, name, command="ssh root@127.0.0.1", address="127.0.0.1"):
        key = (self.folder / f"{name}.pub").read_text().strip()
        self.tell("p", {**STATUS, "tenants/acme/instances/old.toml":
                        f'machine = "m3"\nphase = "running"\n[ssh]\ncommand = "{command}"\nknown_hosts = "{address} {key}"\ntrust = "provisioning-lan"\n'})

    def ssh(self, *command, code=0, **options):
        return self.instance("ssh", "acme/old", "-p", self.port, "-i", self.folder / "user", "--", *command, code=code, **options)

    def test_the_published_key_and_no_other(self):
        self.instance("ssh", "acme/old", "--", "true", code=5)  # no login published yet
        self.tell_key("host")
        self.assertEqual(self.ssh("echo", "hello").stdout, "hello\n")
        self.ssh("exit 7", code=7)
        self.tell_key("other")
        self.assertIn("host key", self.ssh("echo", "hello", code=255).stderr.lower())
        # The user's own settings cannot loosen it.
        tools = self.scratch / "tools"
        tools.mkdir()
        loose = self.folder / "loose"
        loose.write_text("Host *\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nHostKeyAlias x\n")
        (tools / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {loose} "$@"\n')
        (tools / "ssh").chmod(0o755)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
        self.assertNotIn("hello", self.ssh("echo", "hello", code=255, environment=environment).stdout)
        self.tell_key("host")
        self.assertEqual(self.ssh("echo", "hello", environment=environment).stdout, "hello\n")
        self.assertEqual([path for path in pathlib.Path("/tmp").glob("nimbusctl-*/known_hosts") if path.stat().st_mtime > time.time() - 1], [])

    def test_what_status_says_becomes_no_option(self):
        for command, address in (("ssh -oProxyCommand=touch@127.0.0.1", "127.0.0.1"), ("ssh root@-oProxyCommand=x", "127.0.0.1"),
                                 ("ssh root@evil.example", "evil.example"), ("sh -c x@127.0.0.1", "127.0.0.1")):
            self.tell_key("host", command, address)
            self.ssh("echo", "hello", code=1)


if __name__ == "__main__":
    unittest.main()
