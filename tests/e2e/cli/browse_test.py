"""nimbusctl explain, schema, show and provider on the example registry."""
import json
import re
import shutil
import tomllib
import unittest

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"


class Browse(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, self.registry)

    def values(self, *arguments):
        rows = json.loads(self.ctl("show", *arguments, "-o", "json", cwd=self.registry).stdout)
        return {row["key"]: row for row in rows}

    def test_providers(self):
        providers = {p["name"]: p for p in json.loads(self.ctl("provider", "list", "-o", "json", cwd=self.registry).stdout)}
        self.assertEqual(set(providers), {path.parent.name for path in EXAMPLE.glob("providers/*/provider.toml")})
        self.assertEqual(providers["berlin-1"]["machines"], len(list(EXAMPLE.glob("providers/berlin-1/machines/**/*.toml"))))
        described = self.ctl("provider", "describe", "berlin-1", cwd=self.registry).stdout
        self.assertIn("m017", described)
        self.assertIn("did you mean 'berlin-1'", self.ctl("provider", "describe", "berlin1", cwd=self.registry, code=5).stderr)
        self.assertEqual(self.ctl("provider", "list", "-o", "name", cwd=self.registry).stdout.split(), sorted(providers))

    def test_where_a_value_comes_from(self):
        values = self.values("machine", "berlin-1/m017", "--origin")
        machine = "providers/berlin-1/machines/b2/m017.toml"
        self.assertTrue(values["bmc.address"]["origin"].startswith(machine + ":"))
        self.assertTrue(values["hardware.cpu_cores"]["origin"].startswith("providers/berlin-1/classes/r650.toml:"))
        self.assertTrue(values["bmc.driver"]["origin"].startswith("providers/berlin-1/provider.toml:"))
        self.assertEqual(values["enforcement"]["origin"], "default")
        self.assertNotIn("bmc.cipher_suite", values)  # does not fit redfish
        for row in values.values():  # each origin's line really names the key
            if row["origin"] == "default":
                continue
            path, line = row["origin"].rsplit(":", 1)
            text = (self.registry / path).read_text().splitlines()[int(line) - 1]
            parts = row["key"].split(".")
            self.assertTrue(any(part in text for part in parts), (row, text))
        self.assertNotIn("enforcement", self.values("machine", "m017", "--set-only"))

    def test_of_pin_and_ca_the_one_in_force_is_shown(self):
        self.assertIn("tls", (self.registry / "providers/berlin-1/provider.toml").read_text())  # a CA for all
        keys = self.values("machine", "berlin-1/m017", "--origin")
        self.assertIn("bmc.tls.pin", keys)
        self.assertNotIn("bmc.tls.ca", keys)

    def test_every_kind_can_be_shown(self):
        for name in (["registry"], ["limits"], ["roles"], ["bindings"], ["tenant", "acme"], ["person", "alice"],
                     ["provider", "berlin-1"], ["class", "berlin-1/r650"], ["class", "r650"], ["network", "berlin-1/provisioning"],
                     ["image", "debian-12"], ["profile", "base"], ["profile", "acme/app"], ["instance", "acme/web-1"]):
            with self.subTest(name=name):
                self.assertTrue(self.values(*name))
        self.assertIn("is not clear", self.ctl("show", "network", "provisioning", cwd=self.registry, code=5).stderr)
        self.assertIn("did you mean 'acme/web-1'", self.ctl("show", "instance", "acme/web1", cwd=self.registry, code=5).stderr)
        self.ctl("show", "machine", cwd=self.registry, code=5)
        self.ctl("show", "machin", "x", cwd=self.registry, code=64)

    def test_show_a_commit_and_hostile_values(self):
        self.git("init", "-q", "-b", "main", cwd=self.registry)
        self.commit(self.registry, {}, "Example")
        evil = 'x\\u001b[2J"\u202e'
        self.write(self.registry, {"policy/people/eve.toml": f'name = "{evil}"\nssh_keys = ["{evil}"]\n"{evil}" = 1\n'})
        self.ctl("show", "person", "eve", "--rev", "HEAD", cwd=self.registry, code=5)
        for form in ("table", "wide", "json", "jsonl", "yaml", "toml", "name"):
            result = self.ctl("show", "person", "eve", "--origin", "-o", form, cwd=self.registry, code=None)
            self.assert_safe_for_terminals(result.stdout)
            self.assert_safe_for_terminals(result.stderr)

    def test_explain(self):
        kinds = self.ctl("explain", "-o", "name").stdout.split()
        self.assertIn("machine", kinds)
        for kind in kinds:
            rows = json.loads(self.ctl("explain", kind, "-o", "json").stdout)
            self.assertTrue(rows and all(row["meaning"] for row in rows), kind)
            for row in rows:
                one = self.ctl("explain", f"{kind}.{row['key']}", "-o", "json")
                self.assertEqual(json.loads(one.stdout)["meaning"], row["meaning"])
        self.golden("explain_key.txt", self.ctl("explain", "machine.bmc.driver").stdout)
        self.assertIn("did you mean 'bmc.driver'", self.ctl("explain", "machine.bmc.drvier", code=5).stderr)
        self.assertIn("did you mean 'machine'", self.ctl("explain", "machnie", code=5).stderr)
        self.assert_safe_for_terminals(self.ctl("explain", "\x1b[2J.x", code=5).stderr)
        self.assertIn("machine.bmc.driver", self.ctl("__complete", "explain", "machine.bmc.d").stdout)

    def test_schemas(self):
        self.assertEqual(self.ctl("schema", "install", cwd=self.registry).stdout, "")  # the example is up to date
        shutil.rmtree(self.registry / ".nimbus")
        written = self.ctl("schema", "install", cwd=self.registry).stdout.split()
        self.assertTrue(all((self.registry / path).is_file() for path in written))
        kinds = self.ctl("explain", "-o", "name").stdout.split()
        self.assertEqual(len(written), len(kinds))
        for kind in kinds:
            schema = json.loads(self.ctl("schema", "print", kind).stdout)
            self.assertEqual(schema["$schema"], "http://json-schema.org/draft-04/schema#")
        self.ctl("validate", cwd=self.registry)

    def test_taplo_rules_cover_every_file(self):
        rules = tomllib.loads((EXAMPLE / ".taplo.toml").read_text())["rule"]
        for path in EXAMPLE.rglob("*.toml"):
            name = str(path.relative_to(EXAMPLE))
            if name.startswith((".", "files/")) or "/files/" in name:
                continue
            matching = []
            for rule in rules:
                pattern = re.escape(rule["include"][0]).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
                if re.fullmatch(pattern, name):
                    matching.append(rule["schema"]["path"])
            self.assertEqual(len(matching), 1, (name, matching))
            self.assertTrue((EXAMPLE / matching[0]).is_file())


class AgainstBase(cli_case.CliCase):
    def test_unprotect_first(self):
        registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, registry)
        self.git("init", "-q", "-b", "main", cwd=registry)
        self.commit(registry, {}, "Example")
        web = "tenants/acme/instances/web-1.toml"
        text = (registry / web).read_text()
        self.write(registry, {web: "protected = false\nreinstall = 1\n" + text})
        self.ctl("validate", registry)
        self.assertIn("[protected]", self.ctl("validate", "--base", "HEAD", registry, code=3).stdout)
        self.write(registry, {web: "protected = false\n" + text})
        self.commit(registry, {}, "Unprotect")
        self.write(registry, {web: "protected = false\nreinstall = 1\n" + text})
        self.ctl("validate", "--base", "HEAD", registry)
        self.ctl("validate", "--base", "nowhere", registry, code=5)


if __name__ == "__main__":
    unittest.main()
