"""Every format of every command that lists something, read by somebody else's parser; and colours."""
import json
import os
import pty
import select
import shutil
import subprocess
import tomllib
import unittest

import yaml

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"
STATUS = 'phase = "active"\npower = "on"\n[condition.ready]\nmessage = "x: \\"y\\"\\u001b[31m"\nreason = "Reconciled"\n' \
         'since = 2026-10-31T10:00:00Z\nstatus = "false"\n'
COMMANDS = [["provider", "list"], ["provider", "describe", "berlin-1"], ["show", "machine", "berlin-1/m017", "--origin"],
            ["show", "limits"], ["explain"], ["explain", "instance"], ["explain", "machine.bmc.driver"], ["status"],
            ["status", "berlin-1"], ["status", "berlin-1/m017"], ["config", "get"], ["version"]]


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


class Output(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, self.registry)
        self.git("init", "-q", "-b", "main", cwd=self.registry)
        self.commit(self.registry, {}, "Example")
        self.branch_of_files(self.registry, "refs/heads/nimbus/status/berlin-1",
                             {"providers/berlin-1/machines/b2/m017.toml": STATUS}, "seen")
        self.ctl("config", "set", "tenant", "yes")  # a word that YAML would take for a boolean
        self.ctl("config", "set", "provider", "0x10")

    def out(self, command, form):
        return self.ctl(*command, "-o", form, cwd=self.registry).stdout

    def test_all_formats_say_the_same(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                value = json.loads(self.out(command, "json"))
                self.assertTrue(value)
                def same(other):
                    # Status has ages, which grow.
                    strip = lambda v: json.loads(json.dumps(v, default=str), object_hook=lambda o: {
                        k: x for k, x in o.items() if "age" not in k})
                    self.assertEqual(strip(value), strip(other))
                same(yaml.safe_load(self.out(command, "yaml")))
                lines = [json.loads(line) for line in self.out(command, "jsonl").splitlines()]
                same(lines if isinstance(value, list) else lines[0])
                as_toml = tomllib.loads(self.out(command, "toml"))
                if isinstance(value, list):
                    self.assertEqual(list(as_toml), ["item"])
                    as_toml = as_toml["item"]
                self.assertEqual(len(without_nulls(value)), len(as_toml))
                if "status" not in command:
                    self.assertEqual(without_nulls(value), as_toml)

    def test_tables_and_names(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                table, wide = self.out(command, "table"), self.out(command, "wide")
                self.assertGreaterEqual(len(wide.splitlines()[0].split()), len(table.splitlines()[0].split()))
                names = self.out(command, "name").splitlines()
                self.assertTrue(names)
                for form in ("table", "wide", "name"):
                    self.assert_safe_for_terminals(self.out(command, form))
        self.assertEqual(self.out(["provider", "list"], "name").split(), ["berlin-1", "oslo-1"])

    def test_machine_output_on_stdout_only(self):
        result = self.ctl("validate", cwd=self.registry)
        self.assertEqual(result.stdout, "")
        result = self.ctl("provider", "list", "-o", "json", cwd=self.registry)
        self.assertEqual(result.stderr, "")
        result = self.ctl("show", "machine", "nothing", "-o", "json", cwd=self.registry, code=5)
        self.assertEqual(result.stdout, "")


class Colour(cli_case.CliCase):
    def on_terminal(self, *arguments, **more):
        """What the program writes to a terminal of its own."""
        environment = self.environment(**{"TERM": "xterm", **more})
        master, slave = pty.openpty()
        program = subprocess.Popen([cli_case.NIMBUSCTL, *arguments], stdin=slave, stdout=slave, stderr=slave,
                                   cwd=self.scratch, env=environment)
        os.close(slave)
        out = b""
        while select.select([master], [], [], cli_case.LIMIT_S)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            out += piece
        os.close(master)
        program.wait(cli_case.LIMIT_S)
        return out

    def test_only_on_a_terminal_and_never_with_no_color(self):
        self.assertIn(b"\x1b[", self.on_terminal("explain", "machine"))
        self.assertNotIn(b"\x1b[", self.on_terminal("explain", "machine", NO_COLOR="1"))
        self.assertNotIn(b"\x1b[", self.on_terminal("explain", "machine", "--no-color"))
        self.assertNotIn(b"\x1b[", self.on_terminal("explain", "machine", "--color=never"))
        self.assertNotIn(b"\x1b[", self.on_terminal("explain", "machine", TERM="dumb"))
        self.assertNotIn("\x1b[", self.ctl("explain", "machine").stdout)
        self.assertIn("\x1b[", self.ctl("explain", "machine", "--color=always").stdout)
        self.assertNotIn(b"\x1b[", self.on_terminal("explain", "machine", "-o", "json"))


if __name__ == "__main__":
    unittest.main()
