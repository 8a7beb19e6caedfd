"""nimbusctl validate: every form of the report, from disk and from commits, valid and hostile."""
import json
import os
import unittest
import xml.etree.ElementTree

import cli_case

MACHINE = "providers/berlin-1/machines/b2/m017.toml"
GOOD = {
    "registry.toml": 'format = 1\nname = "acme-metal"\n',
    "providers/berlin-1/provider.toml": 'region = "eu-central"\n',
    MACHINE: '[bmc]\ndriver = "ipmi"\naddress = "bmc-m017.berlin-1.example:623"\ncredentials = ["bmc/berlin-1"]\n\n'
             '[identity]\nserial = "CZ3A1B2"\n',
    "README.md": "# not TOML\n",
}
BAD = GOOD[MACHINE].replace("driver =", "drvier =").replace("[identity]", 'colour = "red"\n\n[identity]')


class Validate(cli_case.CliCase):
    def plain(self, files, name="plain"):
        folder = self.scratch / name
        self.write(folder, files)
        return folder

    def test_valid(self):
        folder = self.plain(GOOD)
        result = self.ctl("validate", folder)
        self.assertEqual(result.stdout, "")
        self.assertIn("valid: ", result.stderr)
        self.assertEqual(self.ctl("validate", "-q", folder).stderr, "")
        self.assertTrue(json.loads(self.ctl("validate", "--format=json", folder).stdout)["valid"])
        self.ctl("validate", cwd=folder / "providers" / "berlin-1")  # from below
        self.ctl("validate", environment={"NIMBUS_REGISTRY": str(folder)})

    def test_human_report(self):
        result = self.ctl("validate", self.plain({**GOOD, MACHINE: BAD}), code=3)
        self.golden("validate.txt", result.stdout)
        self.assertRegex(result.stderr, r"invalid: \d+ errors")

    def test_reports_for_programs(self):
        folder = self.plain({**GOOD, MACHINE: BAD})
        report = json.loads(self.ctl("validate", "--format", "json", folder, code=3).stdout)
        self.assertFalse(report["valid"])
        first = report["problems"][0]
        self.assertEqual((first["file"], first["line"], first["column"], first["code"]), (MACHINE, 2, 1, "unknown-key"))

        sarif = json.loads(self.ctl("validate", "--format", "sarif", folder, code=3).stdout)
        run = sarif["runs"][0]
        rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        self.assertEqual(sarif["version"], "2.1.0")
        self.assertTrue(all(result["ruleId"] in rules for result in run["results"]))
        self.assertEqual(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 2)

        junit = xml.etree.ElementTree.fromstring(self.ctl("validate", "--format", "junit", folder, code=3).stdout)
        self.assertEqual(junit.get("failures"), "1")
        self.assertIn("drvier", junit.find(".//failure").get("message"))

        lines = self.ctl("validate", "--format", "github", folder, code=3).stdout.splitlines()
        self.assertTrue(lines[0].startswith(f"::error file={MACHINE},line=2,col=1,"))
        self.assertEqual(len(lines), report["errors"] + report["warnings"])

        gitlab = json.loads(self.ctl("validate", "--format", "gitlab", folder, code=3).stdout)
        self.assertEqual(gitlab[0]["location"], {"path": MACHINE, "lines": {"begin": 2}})
        self.assertEqual(len({item["fingerprint"] for item in gitlab}), len(gitlab))
        again = json.loads(self.ctl("validate", "--format", "gitlab", folder, code=3).stdout)
        self.assertEqual(gitlab, again)

    def test_commits(self):
        registry = self.repository(GOOD)
        bad = self.commit(registry, {MACHINE: BAD}, "Typo")
        self.ctl("validate", registry, code=3)
        self.ctl("validate", registry, "--rev", "HEAD~1")
        self.ctl("validate", registry, "--rev", "HEAD^")
        self.ctl("validate", registry, "--rev", bad, code=3)
        self.ctl("validate", registry, "--rev", bad[:7], code=3)
        self.ctl("validate", registry, "--rev", bad[:12].upper() + "~1")
        self.ctl("validate", registry, "--rev", "main", code=3)
        self.git("tag", "-a", "-m", "good", "v1", "HEAD~1", cwd=registry)
        self.ctl("validate", registry, "--rev", "v1")
        bare = self.scratch / "bare.git"
        self.git("clone", "-q", "--bare", registry, bare, cwd=self.scratch)
        self.assertIn(f"{MACHINE}:2:1", self.ctl("validate", bare, code=3).stdout)  # with the source line from the commit
        self.assertIn("drvier", self.ctl("validate", bare, code=3).stdout)
        self.write(registry, {MACHINE: GOOD[MACHINE]})
        self.ctl("validate", registry)  # not committed
        for revision in ("nowhere", "HEAD~99", "HEAD^2", "main~~~~99999999999999999999", "--upload-pack=x", "", "a" * 5000,
                         "0" * 40, "../../etc/passwd", "HEAD:registry.toml"):
            with self.subTest(revision=revision[:40]):
                result = self.ctl("validate", registry, f"--rev={revision}", code=0 if revision == "" else 5)
                self.assert_safe_for_terminals(result.stderr)

    def test_not_a_registry(self):
        self.assertIn("nimbusctl init", self.ctl("validate", code=5).stderr)
        self.ctl("validate", "/nonexistent", code=5)
        empty = self.repository({"README": "x"}, "empty")
        self.assertIn("registry.toml", self.ctl("validate", empty, code=3).stdout)

    def test_hostile_names_and_values_in_every_form(self):
        evil = "\x1b]0;owned\x07\u009b31m\u202e::error::%0A@everyone"
        registry = self.repository({**GOOD, f"providers/berlin-1/machines/{evil}.toml": "x = 1\n",
                                    "::error file=x::.toml": "x", "##[error]x.toml": "y",
                                    MACHINE: GOOD[MACHINE] + f'"{evil}" = 1\nx = "{evil}"\n'.replace("\x1b", "\\u001b").replace("\x07", "\\u0007")})
        for source in ([registry], ["--rev", "HEAD", registry]):
            for form in ("human", "json", "sarif", "junit", "github", "gitlab"):
                with self.subTest(form=form, source=source):
                    out = self.ctl("validate", "--format", form, *source, code=3, text=False)
                    self.assert_safe_for_terminals(out.stdout)
                    self.assert_safe_for_terminals(out.stderr)
                    text = out.stdout.decode()
                    if form in ("json", "sarif", "gitlab"):
                        json.loads(text)
                    if form == "junit":
                        xml.etree.ElementTree.fromstring(text)
                    if form == "github":
                        self.assertTrue(all(line.startswith(("::error file=", "::warning file=")) for line in text.splitlines()))
                        self.assertNotIn("file=::", text)
                    if form == "human":
                        self.assertFalse([line for line in text.splitlines() if line.startswith(("::", "##["))])

    def test_hostile_trees(self):
        folder = self.plain(GOOD)
        (folder / "providers/berlin-1/machines/link.toml").symlink_to("/etc/passwd")
        (folder / "providers/berlin-1/machines/loop").symlink_to("..")
        os.mkfifo(folder / "providers/berlin-1/machines/pipe.toml")
        self.write(folder, {"providers/berlin-1/machines/huge.toml": b"#" * 20_000_000,
                            "providers/berlin-1/machines/deep.toml": b"a = " + b"[" * 200_000,
                            "providers/berlin-1/machines/dots.toml": b"a" + b".a" * 100_000 + b" = 1",
                            "providers/berlin-1/machines/bytes.toml": b"\xff\xfe\x00",
                            "providers/berlin-1/machines/wide.toml": b"x = '" + b"y" * 200_000 + b"'\nz z"})
        result = self.ctl("validate", folder, code=3)
        for name in ("link.toml", "pipe.toml", "huge.toml", "deep.toml", "dots.toml", "bytes.toml", "wide.toml"):
            self.assertIn(name, result.stdout)
        self.assertNotIn("root:", result.stdout)
        self.assertLess(len(result.stdout), 20_000)

    def test_a_secret_on_a_reported_line_is_not_repeated(self):
        for line in ('credentials = ["Hunter2!é"]', "credentials = 'Hunter2!é'", 'password = "Hunter2!é"', 'k_g = "Hunter2!é" # x'):
            machine = GOOD[MACHINE].replace('credentials = ["bmc/berlin-1"]', line)
            folder = self.plain({**GOOD, MACHINE: machine})
            for form in ("human", "json", "sarif", "junit", "github", "gitlab"):
                result = self.ctl("validate", "--format", form, folder, code=3)
                self.assertNotIn("Hunter2", result.stdout + result.stderr, (line, form))
            self.assertIn("*********", self.ctl("validate", folder, code=3).stdout)

    def test_many_problems_are_all_reported(self):
        files = {f"providers/berlin-1/machines/m{i}.toml": f"typo{i} = 1\n" for i in range(300)}
        report = json.loads(self.ctl("validate", "--format=json", self.plain({**GOOD, **files}), code=3).stdout)
        named = {problem["file"] for problem in report["problems"]}
        self.assertLessEqual(set(files), named)


if __name__ == "__main__":
    unittest.main()
