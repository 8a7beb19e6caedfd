"""nimbusctl fmt and nimbusctl config: what they write, and what they leave alone."""
import os
import tomllib
import unittest

import cli_case

MACHINE = "providers/p/machines/m1.toml"
UGLY = '# rack 1\n[bmc]\n\n\n\naddress="b.example:623"   # keep\n   driver   =  "ipmi"\n[ identity ]\nserial=\'X1\''
NEAT = '# rack 1\n[bmc]\n\naddress = "b.example:623"   # keep\ndriver = "ipmi"\n\n[identity]\nserial = \'X1\'\n'


class Fmt(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        self.write(self.registry, {"registry.toml": 'format = 1\nname = "x"\n', "providers/p/provider.toml": 'region = "eu"\n',
                                   MACHINE: UGLY, "files/x.toml": "a=1", "notes.txt": "a=1"})

    def read(self, path):
        return (self.registry / path).read_text()

    def test_check_then_change_then_nothing(self):
        self.assertEqual(self.ctl("fmt", "--check", cwd=self.registry, code=2).stdout, MACHINE + "\n")
        self.assertEqual(self.read(MACHINE), UGLY)
        self.assertEqual(self.ctl("fmt", cwd=self.registry).stdout, MACHINE + "\n")
        self.assertEqual(self.read(MACHINE), NEAT)
        self.assertEqual(tomllib.loads(NEAT), tomllib.loads(UGLY))
        self.ctl("fmt", "--check", cwd=self.registry)
        self.assertEqual(self.read("files/x.toml"), "a=1")  # content of hosts is not ours to lay out
        self.assertEqual((self.registry / MACHINE).stat().st_mode & 0o777, 0o644)

    def test_only_what_was_named(self):
        self.ctl("fmt", "images", cwd=self.registry, code=5)
        self.ctl("fmt", "registry.toml", cwd=self.registry)
        self.assertEqual(self.read(MACHINE), UGLY)
        self.ctl("fmt", "./providers/", cwd=self.registry)
        self.assertEqual(self.read(MACHINE), NEAT)

    def test_broken_files_and_links_stay(self):
        broken = "providers/p/machines/m2.toml"
        self.write(self.registry, {broken: "a = \n"})
        outside = self.scratch / "outside.toml"
        outside.write_text("a=1")
        (self.registry / "providers/p/machines/m3.toml").symlink_to(outside)
        result = self.ctl("fmt", cwd=self.registry, code=3)
        self.assertIn(f"{broken}: line 1", result.stderr)
        self.assertEqual((self.read(broken), outside.read_text()), ("a = \n", "a=1"))
        self.assertEqual(self.read(MACHINE), NEAT)


class Config(cli_case.CliCase):
    def test_life_of_a_setting(self):
        path = self.home / ".config/nimbus/config.toml"
        self.assertEqual(self.ctl("config", "path").stdout, f"{path}\n")
        self.assertEqual(self.ctl("config", "get", "-o", "json").stdout, "[]\n")
        self.ctl("config", "get", "tenant", code=5)
        self.ctl("config", "init")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(path.parent.stat().st_mode & 0o777, 0o700)
        self.ctl("config", "init", code=6)
        self.ctl("config", "set", "tenant", "acme")
        self.ctl("config", "set", "tenant", 'a"b')
        self.assertEqual(self.ctl("config", "get", "tenant").stdout, 'a"b\n')
        self.assertIn("# ", path.read_text())
        self.assertEqual(tomllib.loads(path.read_text()), {"tenant": 'a"b'})

    def test_wrong_settings(self):
        self.assertIn("did you mean 'tenant'", self.ctl("config", "set", "tenent", "x", code=64).stderr)
        self.ctl("config", "set", "tenant", "x\ny", code=1)
        self.ctl("config", "set", "tenant", "\x1b[2J", code=1)
        path = self.home / "c.toml"
        path.write_text("tennant = 'x'\n")
        result = self.ctl("config", "get", code=1, environment={"NIMBUS_CONFIG": str(path)})
        self.assertIn("c.toml:1:1: unknown key 'tennant'; did you mean 'tenant'?", result.stderr)
        self.ctl("config", "get", code=1, environment={"NIMBUS_CONFIG": "/proc/self"})

    def test_the_usual_registry(self):
        registry = self.scratch / "r"
        self.write(registry, {"registry.toml": 'format = 1\nname = "x"\n'})
        self.ctl("validate", code=5)
        self.ctl("config", "set", "registry", registry)
        self.ctl("validate")
        other = self.scratch / "other"
        self.write(other, {"registry.toml": "format = 7\n"})
        self.ctl("validate", cwd=other, code=3)  # the one that one stands in wins
        self.ctl("validate", code=3, environment={"NIMBUS_REGISTRY": str(other)})
        self.ctl("validate", "-C", registry, environment={"NIMBUS_REGISTRY": str(other)})

    def test_no_home(self):
        environment = self.environment()
        del environment["HOME"]
        import subprocess
        result = subprocess.run([cli_case.NIMBUSCTL, "config", "set", "tenant", "x"], env=environment, capture_output=True,
                                cwd=self.scratch, timeout=cli_case.LIMIT_S)
        self.assertEqual(result.returncode, 5)
        self.assertEqual(os.listdir(self.scratch), ["home"])


if __name__ == "__main__":
    unittest.main()
