"""taplo, the TOML tool that editors use, agrees with our schemas and layout.

Ends with 77, which ctest shows as skipped, where scripts/setup could not install it.
"""
import shutil
import subprocess
import sys
import unittest

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"
TAPLO = cli_case.SOURCE / ".node" / "node_modules" / ".bin" / "taplo"
M017 = "providers/berlin-1/machines/b2/m017.toml"


class Taplo(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, self.registry)

    def taplo(self, *arguments):
        return subprocess.run([TAPLO, *arguments], cwd=self.registry, capture_output=True, text=True,
                              env=self.environment(NO_COLOR="1"), timeout=cli_case.LIMIT_S)

    def edit(self, path, before, after):
        text = (self.registry / path).read_text()
        self.assertIn(before, text)
        self.write(self.registry, {path: text.replace(before, after, 1)})

    def test_every_file_of_the_example_and_of_a_new_registry(self):
        result = self.taplo("lint")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"total={len(list(EXAMPLE.rglob('[!.]*.toml')))}", result.stderr)
        shutil.rmtree(self.registry)
        self.ctl("init", self.registry)
        result = self.taplo("lint")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_what_nimbusctl_refuses_taplo_refuses(self):
        broken = {}
        for i, (path, before, after) in enumerate((
                (M017, "class =", "clas ="), (M017, "unit = 17", 'unit = "17"'), (M017, "unit = 17", "unit = -1"),
                (M017, "[identity]", "[identiy]"), ("images/debian-12.toml", '"disk-image"', '"disk_image"'),
                ("tenants/acme/instances/web-1.toml", 'image = "debian-12"\n', ""),
                ("policy/people/bob.toml", "ssh-ed25519 ", "ssh-dss "))):
            text = (self.registry / path).read_text()
            self.assertIn(before, text)
            broken[path.replace(".toml", f"-{i}.toml")] = text.replace(before, after, 1)
        self.write(self.registry, broken)
        ours = self.ctl("validate", self.registry, code=3).stdout
        theirs = [line for line in self.taplo("lint").stderr.splitlines() if "invalid file" in line]
        self.assertEqual(len(theirs), len(broken))
        for path in broken:
            self.assertIn(path, ours)
            self.assertTrue(any(line.endswith(f'/{path}"') for line in theirs), path)

    def test_the_schema_line_works_on_its_own(self):
        (self.registry / ".taplo.toml").unlink()
        for path, before in (("registry.toml", "name ="), ("policy/limits.toml", "count =")):
            self.assertEqual(self.taplo("lint", path).returncode, 0)
            self.edit(path, before, "x" + before)
            self.assertNotEqual(self.taplo("lint", path).returncode, 0)

    def test_layouts_agree(self):
        self.ctl("fmt", "--check", "-C", self.registry)
        result = self.taplo("fmt", "--check")
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    if not TAPLO.exists():
        print("not run: taplo is not installed; scripts/setup does it where node and npm are")
        sys.exit(77)
    unittest.main()
