"""nimbusctl status, as a new user and as an attacker."""
import json
import os
import pty
import subprocess
import tomllib
import unittest

import cli_case

REGISTRY = {
    "registry.toml": 'format = 1\nname = "acme-metal"\n',
    "providers/berlin-1/provider.toml": 'region = "eu"\n',
    "providers/paris-1/provider.toml": 'region = "eu"\n',
}
CONTROLLER = """format = 1
[controller]
id = "berlin-1/ctl-1"
term = 7
[registry]
accepted_commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
observed_commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
state = "partly"
[[registry.problem]]
code = "unknown-key"
column = 1
file = "providers/berlin-1/machines/b2/m017.toml"
line = 7
message = "unknown key 'drvier' in [bmc]; did you mean 'driver'?"
"""


def machine(ready="true", reason="Reconciled", message="", power="on", more=""):
    return f"""phase = "active"
power = "{power}"
instance = "acme/web-1"
[condition.ready]
message = "{message}"
reason = "{reason}"
since = 2026-10-31T10:00:00Z
status = "{ready}"
[identity]
serial = "CZ3A1B2"
{more}"""


BERLIN = {
    "status.toml": CONTROLLER,
    "providers/berlin-1/machines/b2/m017.toml": machine(),
    "providers/berlin-1/machines/b2/m018.toml": machine("false", "BmcUnreachable", "no answer within 5s"),
    "providers/berlin-1/machines/m019.toml": machine(power="off", more="""[condition.drift]
message = "power is off"
reason = "PowerDiffers"
since = 2026-10-31T10:00:00Z
status = "true"
[[drift]]
desired = "on"
key = "power"
observed = "off"
[[run]]
action = "power-on"
commit = "4b825dc"
finished = 2026-10-31T10:00:03Z
outcome = "done"
started = 2026-10-31T10:00:00Z
"""),
    "providers/berlin-1/machines/m020.toml": machine("unknown", "NotObserved"),
    "tenants/acme/instances/web-1.toml": 'phase = "running"\n',
}
STATUS = "refs/heads/nimbus/status/berlin-1"


class Status(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.repository(REGISTRY)
        self.branch_of_files(self.registry, STATUS, BERLIN, "m017: installed debian-12")

    def no_age(self, text):
        """Ages grow while the tests run."""
        import re
        return re.sub(r"\d+[smhd] ago", "AGE ago", text)

    def test_everything_at_a_glance(self):
        result = self.ctl("status", cwd=self.registry)
        self.golden("status.txt", self.no_age(result.stdout))
        self.assertIn("no status of provider 'paris-1'", result.stderr)

    def test_one_provider(self):
        self.golden("status_provider.txt", self.no_age(self.ctl("status", "berlin-1", cwd=self.registry).stdout))
        self.golden("status_provider_wide.txt",
                    self.no_age(self.ctl("status", "berlin-1", "-o", "wide", cwd=self.registry).stdout))

    def test_one_machine(self):
        self.golden("status_machine.txt", self.ctl("status", "berlin-1/m019", cwd=self.registry).stdout)

    def test_machine_formats(self):
        provider = json.loads(self.ctl("status", "-o", "json", cwd=self.registry).stdout)[0]
        self.assertEqual(provider["controller"]["controller"]["term"], 7)
        self.assertEqual([m["health"] for m in provider["machines"]], ["ok", "trouble", "attention", "unknown"])
        lines = self.ctl("status", "berlin-1", "-o", "jsonl", cwd=self.registry).stdout.splitlines()
        self.assertEqual([json.loads(line)["name"] for line in lines], ["m017", "m018", "m019", "m020"])
        self.assertEqual(self.ctl("status", "berlin-1", "-o", "name", cwd=self.registry).stdout.splitlines()[0], "berlin-1/m017")
        items = tomllib.loads(self.ctl("status", "berlin-1", "-o", "toml", cwd=self.registry).stdout)["item"]
        self.assertEqual(items[1]["status"]["condition"]["ready"]["reason"], "BmcUnreachable")
        one = json.loads(self.ctl("status", "berlin-1/m018", "-o", "json", cwd=self.registry).stdout)
        self.assertEqual(one["message"], "no answer within 5s")
        try:
            import yaml
        except ImportError:
            return
        self.assertEqual(yaml.safe_load(self.ctl("status", "berlin-1/m018", "-o", "yaml", cwd=self.registry).stdout), one)
        self.assertEqual(yaml.safe_load(self.ctl("status", "-o", "yaml", cwd=self.registry).stdout)[0], provider)

    def test_bare_repository_and_remote_branch(self):
        bare = self.scratch / "bare.git"
        self.git("clone", "-q", "--mirror", self.registry, bare, cwd=self.scratch)
        self.assertEqual(self.ctl("status", "berlin-1", "-o", "name", "-C", bare).stdout.count("\n"), 4)
        clone = self.scratch / "clone"
        self.git("clone", "-q", self.registry, clone, cwd=self.scratch)
        self.ctl("status", "berlin-1", cwd=clone / "providers")  # found from below, on refs/remotes/origin
        self.assertIn("4", self.ctl("-C", clone, "status").stdout)
        linked = self.scratch / "linked"
        self.git("worktree", "add", "-q", linked, cwd=self.registry)
        self.ctl("status", "berlin-1", cwd=linked)

    def test_other_branch_prefix(self):
        self.commit(self.registry, {"registry.toml": 'format = 1\nname = "x"\n[status]\nbranch_prefix = "ops/seen"\n'}, "Prefix")
        self.ctl("status", "berlin-1", cwd=self.registry, code=5)
        self.git("update-ref", "refs/heads/ops/seen/berlin-1", STATUS, cwd=self.registry)
        self.ctl("status", "berlin-1", cwd=self.registry)

    def test_what_is_not_there(self):
        self.assertIn("did you mean 'm017'", self.ctl("status", "berlin-1/m0l7", cwd=self.registry, code=5).stderr)
        self.assertIn("git fetch", self.ctl("status", "paris-1", cwd=self.registry, code=5).stderr)
        self.assertIn("nimbusctl init", self.ctl("status", code=5).stderr)
        self.assertIn("no such folder", self.ctl("status", "-C", "/nonexistent", code=5).stderr)
        for bad in ("../x", "berlin-1/../..", "a/b/c", "-", "refs/heads/x"):
            self.ctl("status", bad, cwd=self.registry, code=64)
        plain = self.scratch / "plain"
        self.write(plain, REGISTRY)
        self.assertIn("no Git repository", self.ctl("status", cwd=plain, code=1).stderr)

    def test_hostile_status_cannot_drive_the_terminal(self):
        evil = r"\u001b]0;owned\u0007\u009b31m\u202e\nforged line"
        self.branch_of_files(self.registry, STATUS, {
            "status.toml": CONTROLLER.replace("berlin-1/ctl-1", evil).replace("unknown key", evil),
            "providers/berlin-1/machines/m1.toml": machine("false", evil, evil, power=evil),
            "providers/berlin-1/machines/\x1b[2J.toml": machine(),
        }, "x\x1b[2J")
        for arguments in (["status"], ["status", "berlin-1"], ["status", "berlin-1/m1"],
                          *(["status", "berlin-1", "-o", f] for f in ("wide", "json", "jsonl", "yaml", "toml", "name")),
                          *(["status", "-o", f] for f in ("wide", "json", "jsonl", "yaml", "toml", "name"))):
            with self.subTest(arguments=arguments):
                result = self.ctl(*arguments, cwd=self.registry)
                self.assert_safe_for_terminals(result.stdout)
                self.assert_safe_for_terminals(result.stderr)
        one = json.loads(self.ctl("status", "berlin-1/m1", "-o", "json", cwd=self.registry).stdout)
        self.assertEqual(one["message"], json.loads(f'"{evil}"'))  # programs get the very text

    def test_broken_documents_are_named_and_the_rest_is_shown(self):
        self.branch_of_files(self.registry, STATUS, {
            "status.toml": "format = \x00",
            "providers/berlin-1/machines/m1.toml": machine(),
            "providers/berlin-1/machines/m2.toml": "[" * 5000,
            "providers/berlin-1/machines/m3.toml": b"x = '" + b"a" * 300_000 + b"'",
            "providers/berlin-1/machines/m4.toml": "phase = 5\ncondition = 3\n[[run]]\n",
            "providers/berlin-1/machines/m5.toml": "condition.ready = []\ndrift = 'x'\nrun = [1]\nerased = [[]]",
        }, "broken")
        result = self.ctl("status", "berlin-1", cwd=self.registry)
        for path in ("status.toml", "m2.toml", "m3.toml"):
            self.assertIn(path, result.stderr)
        self.assertIn("berlin-1/m1 ", result.stdout)
        self.ctl("status", "berlin-1/m4", cwd=self.registry)
        self.ctl("status", "berlin-1/m5", cwd=self.registry)
        self.ctl("status", cwd=self.registry)

    def test_colour_only_on_a_terminal(self):
        def on_terminal(*arguments, **environment):
            master, slave = pty.openpty()
            child = subprocess.Popen([cli_case.NIMBUSCTL, "-C", self.registry, *arguments], stdout=slave, stderr=slave,
                                     stdin=subprocess.DEVNULL, env=self.environment(TERM="xterm", **environment))
            os.close(slave)
            data = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:
                    break
                if not part:
                    break
                data += part
            os.close(master)
            self.assertEqual(child.wait(timeout=cli_case.LIMIT_S), 0)
            return data

        self.assertIn(b"\x1b[", on_terminal("status"))
        self.assertNotIn(b"\x1b[", on_terminal("status", NO_COLOR="1"))
        self.assertNotIn(b"\x1b[", on_terminal("status", "--no-color"))
        self.assertNotIn("\x1b[", self.ctl("status", cwd=self.registry).stdout)
        self.assertIn("\x1b[", self.ctl("status", "--color=always", cwd=self.registry).stdout)
        self.assertNotIn("\x1b[", self.ctl("status", "--color=always", cwd=self.registry, environment={"NO_COLOR": "1"}).stdout)

    def test_full_disk_is_an_error(self):
        with open("/dev/full", "w") as full:
            child = subprocess.run([cli_case.NIMBUSCTL, "-C", self.registry, "status"], stdout=full, stderr=subprocess.PIPE,
                                   env=self.environment(), timeout=cli_case.LIMIT_S)
        self.assertEqual(child.returncode, 1)


if __name__ == "__main__":
    unittest.main()
