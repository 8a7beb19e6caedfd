"""nimbusctl set and unset: one value changes, every other byte stays, nothing invalid is written."""
import shutil
import tomllib
import unittest

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"
M017 = "providers/berlin-1/machines/b2/m017.toml"


class Edit(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, self.registry)

    def read(self, path):
        return (self.registry / path).read_text()

    def edit(self, *arguments, code=0):
        return self.ctl(*arguments, cwd=self.registry, code=code)

    def test_every_other_byte_stays(self):
        before = "# mine\r\n" + self.read(M017).replace("unit = 17", "unit=17   # from below").replace("\n", "\r\n")
        (self.registry / M017).write_bytes(before.encode())
        self.assertEqual(self.edit("set", "machine", "m017", "location.unit=18").stdout, M017 + "\n")
        after = (self.registry / M017).read_bytes().decode()
        self.assertEqual(after, before.replace("unit=17", "unit=18"))
        self.edit("set", "machine", "berlin-1/m017", "lifecycle.hands_off=true")
        now = (self.registry / M017).read_bytes().decode()
        self.assertEqual(now, after + "\r\n[lifecycle]\r\nhands_off = true\r\n")
        self.assertEqual(self.edit("set", "machine", "m017", "lifecycle.hands_off=true").stdout, "")
        self.edit("unset", "machine", "m017", "lifecycle")
        self.assertEqual((self.registry / M017).read_bytes().decode(), after)
        self.assertEqual((self.registry / M017).stat().st_mode & 0o777, 0o644)

    def test_values_as_the_key_takes_them(self):
        self.edit("set", "machine", "m017", "location.rack=7", "labels.owner=12", 'location.feeds=["A"]', "bios.X=17",
                  'bios."Y Z"=On')
        machine = tomllib.loads(self.read(M017))
        self.assertEqual((machine["location"]["rack"], machine["labels"], machine["location"]["feeds"], machine["bios"]),
                         ("7", {"owner": "12"}, ["A"], {"X": 17, "Y Z": "On"}))
        self.edit("set", "limits", "destructive.per=48h", "destructive.count=5")
        self.assertEqual(tomllib.loads(self.read("policy/limits.toml"))["destructive"]["per"], "48h")

    def test_elements_of_lists(self):
        limits, web = "policy/limits.toml", "profiles/web.toml"
        first = tomllib.loads(self.read(web))["file"][0]["content"]
        before = self.read(web)
        self.edit("set", "profile", "web", "file.0.content=other")
        after = tomllib.loads(self.read(web))
        self.assertEqual(after["file"][0].pop("content"), "other")
        expected = tomllib.loads(before)
        self.assertEqual(expected["file"][0].pop("content"), first)
        self.assertEqual(after, expected)
        nics = len(tomllib.loads(self.read(M017))["hardware"].get("nic", [])) if "[[hardware.nic]]" in self.read(M017) else 0
        self.edit("set", "machine", "m017", f"hardware.nic.{nics}.mac=52:54:00:99:99:99",
                  f"hardware.nic.{nics}.speed_gbps=25")
        self.assertEqual(tomllib.loads(self.read(M017))["hardware"]["nic"][nics],
                         {"mac": "52:54:00:99:99:99", "speed_gbps": 25})
        text = self.edit("set", "machine", "m017", f"hardware.nic.{nics + 5}.speed_gbps=25", code=5).stderr
        self.assertIn("counted from 0", text)
        self.edit("unset", "machine", "m017", f"hardware.nic.{nics}.speed_gbps")
        self.edit("unset", "machine", "m017", f"hardware.nic.{nics}")
        self.assertNotIn("99:99:99", self.read(M017))
        self.edit("set", "limits", "window.0.days=[\"sat\"]", "window.0.from=22:00", "window.0.to=23:00", "window.0.timezone=Etc/UTC")
        self.assertEqual(tomllib.loads(self.read(limits))["window"][0]["days"], ["sat"])
        self.ctl("validate", self.registry)

    def test_nothing_invalid_is_written(self):
        before = self.read(M017)
        for word, message in (("bmc.drvier=ipmi", "did you mean 'driver'"), ("location.unit=x", "must be an integer"),
                              ("class=r640", "did you mean 'r650'")):
            self.assertIn(message, self.edit("set", "machine", "m017", word, code=3).stderr)
        self.edit("unset", "machine", "m017", "identity", code=3)
        self.assertEqual(self.read(M017), before)
        # Two keys that are valid together only.
        self.edit("set", "machine", "m017", "bmc.driver=ipmi", code=3)
        self.edit("unset", "machine", "oslo-1/x021", "bmc.cipher_suite")
        self.edit("set", "machine", "oslo-1/x021", "bmc.driver=redfish", "bmc.address=https://x021.oslo-1.example",
                  "bmc.tls.ca=bmc-ca")
        self.ctl("validate", self.registry)

    def test_errors(self):
        self.edit("set", "machine", "m017", code=64)
        self.edit("set", "machine", "m017", "location.unit", code=64)
        self.edit("set", "machine", "m017", "=1", code=64)
        self.edit("unset", "limits", code=64)
        self.edit("unset", "machine", "m017", "[x]", code=64)
        self.edit("unset", "machine", "m017", "nothing", code=5)
        self.assertIn("did you mean", self.edit("set", "machine", "berlin-1/m17", "power=on", code=5).stderr)
        for words in (["set", "machine", "\x1b[2J", "power=on"], ["set", "machine", "m017", "\x1b[2J=1"],
                      ["set", "machine", "m017", "power=\x1b[2J"], ["unset", "machine", "m017", "\x1b[2J"]):
            result = self.edit(*words, code=None)
            self.assertNotEqual(result.returncode, 0)
            self.assert_safe_for_terminals(result.stdout + result.stderr)
        bare = self.scratch / "bare.git"
        self.git("init", "-q", "-b", "main", cwd=self.registry)
        self.commit(self.registry, {}, "x")
        self.git("clone", "-q", "--bare", self.registry, bare, cwd=self.scratch)
        self.ctl("set", "-C", bare, "machine", "m017", "power=on", code=1)


if __name__ == "__main__":
    unittest.main()
