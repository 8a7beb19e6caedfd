"""nimbusctl bmc, discover and secret, against nimbus-sim over both protocols."""
import json
import stat
import subprocess
import time
import unittest

from hardware_case import HardwareCase, PASSWORD, USER


class Probe(HardwareCase):
    PROFILE = "idrac9"

    def fingerprint(self):
        """Of the certificate, as openssl says it."""
        return subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True,
                              input=self.control("GET", "/certificate")["pem"]).stdout.strip().split("=", 1)[1]

    def test_everything_that_works_and_the_peculiarities_of_the_vendor(self):
        self.keep("bmc/m1", self.url(1))
        before = len(self.journal("m1"))
        done = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", "--pin", self.pin, "--format", "json")
        told = json.loads(done.stdout)
        state = self.control("GET", "/machines/m1")
        self.assertEqual(told["pin"], self.pin)
        self.assertEqual(told["certificate_sha256"], self.fingerprint())
        self.assertEqual(told["identity"]["serial"], state["serial"])
        self.assertEqual(told["bmc"]["login"], "session")
        self.assertEqual(told["bmc"]["credential"], "bmc/m1")
        states = {one["aspect"]: one["state"] for one in told["aspects"]}
        for aspect in ("power", "boot override", "inventory", "firmware versions", "sensors", "event log",
                       "virtual media", "BIOS settings", "secure boot", "accounts", "event stream"):
            self.assertEqual(states[aspect], "works", aspect)
        self.assertIn("IV-03", [quirk["id"] for quirk in told["quirks"]])
        self.assertEqual(len(told["inventory"]["drives"]), 2)
        # It looked and did nothing.
        self.assertEqual([entry["what"] for entry in self.journal("m1")[before:]
                          if not entry["what"].startswith("GET") and "login" not in entry["what"]
                          and "Sessions" not in str(entry)], [])
        human = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", "--pin", self.pin).stdout
        self.assertRegex(human, r"power +works +off")
        self.assertIn(state["serial"], human)

    def test_without_a_known_key_nothing_is_sent(self):
        self.keep("bmc/m1", self.url(1))
        before = self.journal("m1")
        done = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", code=1)
        self.assertIn(self.pin, done.stderr)
        self.assertIn(self.fingerprint(), done.stderr)
        self.assertEqual(self.journal("m1"), before)
        wrong = "spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
        self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", "--pin", wrong, code=1)
        self.assertEqual(self.journal("m1"), before)
        self.assertIn(self.pin, self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", "--accept-new-key").stderr)

    def test_a_secret_goes_to_its_own_addresses_only(self):
        self.keep("bmc/m1", self.url(1))
        done = self.hw("bmc", "probe", self.url(2), "--credentials", "bmc/m1", "--pin", self.pin, code=1)
        self.assertIn("may not be sent to", done.stderr)

    def test_credentials_in_order_from_a_prompt_and_from_a_file(self):
        typed = self.hw("bmc", "probe", self.url(1), "--credentials", "prompt", "--pin", self.pin, "-o", "json",
                        stdin=f"{USER}\n{PASSWORD}\n")
        self.assertEqual(json.loads(typed.stdout)["bmc"]["credential"], "prompt")
        self.keep("bmc/wrong", self.url(1), password="not-this-one")
        self.keep("bmc/m1", self.url(1))
        both = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/wrong", "--credentials", "bmc/m1", "--pin",
                       self.pin, "-o", "json")
        self.assertEqual(json.loads(both.stdout)["bmc"]["credential"], "bmc/m1")
        file = self.secrets / "bmc" / "m1.toml"
        self.hw("bmc", "probe", self.url(1), "--credentials", file, "--pin", self.pin)
        copy = self.scratch / "open.toml"
        copy.write_text(file.read_text())
        copy.chmod(0o644)
        self.assertIn("open.toml", self.hw("bmc", "probe", self.url(1), "--credentials", copy, "--pin", self.pin, code=1).stderr)
        refused = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/wrong", "--pin", self.pin, code=4)
        self.assertNotIn("not-this-one", refused.stderr)
        self.assertIn("the user or password was refused", refused.stderr)

    def test_a_bmc_of_another_maker(self):
        address = f"https://{self.network}.11:{self.port}"
        self.keep("bmc/s", address)
        told = json.loads(self.hw("bmc", "probe", address, "--credentials", "bmc/s", "--pin", self.pin, "-o", "json").stdout)
        self.assertEqual(told["address"], address)
        self.assertIn("Supermicro", json.dumps([told["bmc"], told["inventory"]]))

    def test_ipmi(self):
        self.keep("bmc/i", self.ipmi(1))
        told = json.loads(self.hw("bmc", "probe", self.ipmi(1), "--driver", "ipmi", "--credentials", "bmc/i", "-o", "json").stdout)
        states = {one["aspect"]: one["state"] for one in told["aspects"]}
        self.assertEqual(states["power"], "works")
        self.assertEqual(told["driver"], "ipmi")
        self.assertTrue(told["identity"])
        self.assertEqual(told["bmc"]["credential"], "bmc/i")
        self.assertTrue(told["bmc"]["login"].startswith("suite "), told["bmc"])
        self.assertTrue(told["bmc"]["firmware"])
        # A secret that is not there is no BMC without features.
        none = self.hw("bmc", "probe", self.ipmi(1), "--credentials", "bmc/none", code=4)
        self.assertIn("nimbusctl secret set bmc/none", none.stderr)
        self.assertIn("--credentials", self.hw("bmc", "probe", self.ipmi(1), code=1).stderr)
        for address, driver, said in (("http://127.0.0.1", "redfish", "not over http://"), ("ftp://127.0.0.1", "ipmi", "not over ftp://"),
                                      ("https://127.0.0.1", "ipmi", "without https://"), ("https://:443", "redfish", "is no origin"),
                                      ("https://[::1", "redfish", "is no origin"), ("127.0.0.1:99999", "ipmi", "from 1 to 65535")):
            with self.subTest(address):
                self.assertIn(said, self.hw("bmc", "probe", address, "--driver", driver, "--credentials", "bmc/i", code=1).stderr)

    def test_factory_credentials_that_still_work_are_reported(self):
        self.keep("bmc/m1", self.url(1))
        no = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", "--pin", self.pin, "--check-factory")
        self.assertNotIn("still work", no.stderr)
        body = {"UserName": "root", "Password": "calvin", "RoleId": "Administrator", "Enabled": True}
        done = subprocess.run(["curl", "-sk", "-u", f"{USER}:{PASSWORD}", "-H", "Content-Type: application/json", "-d",
                               json.dumps(body), "-w", "%{http_code}", "-o", "/dev/null",
                               self.url(1) + "/redfish/v1/AccountService/Accounts"], capture_output=True, text=True)
        self.assertEqual(done.stdout, "201")
        yes = self.hw("bmc", "probe", self.url(1), "--credentials", "bmc/m1", "--pin", self.pin, "--check-factory")
        self.assertIn("factory credentials of Dell (root) still work", yes.stderr)


class Discover(HardwareCase):
    def registry(self):
        folder = self.scratch / "registry"
        self.ctl("init", folder)
        self.write(folder, {"providers/p1/provider.toml": 'region = "eu"\n'})
        return folder

    def test_printed_files_are_valid_and_only_named_addresses_are_contacted(self):
        self.keep("bmc/p1", f"{self.network}.0/24")
        quiet = {n: len(self.journal(f"m{n}")) for n in (3, 4, 5, 6)}
        done = self.hw("discover", "bmc", self.url(1), self.ipmi(2), "--driver", "auto", "--credentials", "bmc/p1")
        self.assertEqual(done.stdout.count("[bmc]"), 2)
        self.assertEqual(done.stdout.count('driver = "redfish"'), 2)
        self.assertEqual({n: len(self.journal(f"m{n}")) for n in (3, 4, 5, 6)}, quiet)

    def test_a_network_a_file_and_the_dead(self):
        self.keep("bmc/p1", f"{self.network}.0/24")
        lines = self.scratch / "addresses"
        lines.write_text(f"# hall 1\n{self.url(1)}\n{self.url(2)}  # second\n\n{self.url(1)}\n{self.url(99)}\n")
        done = self.hw("discover", "bmc", lines, "--credentials", "bmc/p1", code=2)
        self.assertEqual(done.stdout.count("[bmc]"), 2)
        self.assertIn(f"{self.network}.99", done.stderr)
        # Nothing listens on the usual ports of these eight addresses: each is asked, none answers.
        none = self.hw("discover", "bmc", f"{self.network}.200/29", "--driver", "redfish", "--credentials", "bmc/p1",
                       "--timeout", "3s", code=1)
        self.assertEqual(none.stderr.count("error"), 6)
        self.hw("discover", "bmc", "10.0.0.0/8", "--credentials", "bmc/p1", code=1)
        self.hw("discover", "bmc", "$(reboot)", "--credentials", "bmc/p1", code=1)
        self.assertIn("1 to 64", self.hw("discover", "bmc", self.url(1), "--credentials", "bmc/p1", "--parallel", "0", code=1).stderr)

    def test_a_rack_from_csv_into_the_registry(self):
        folder = self.registry()
        self.keep("bmc/p1", f"{self.network}.0/24")
        rack = self.scratch / "rack.csv"
        rack.write_text("name, address, group, rack, unit, driver\n" + "".join(
            f"node-{n}, {self.url(n)}, b2, b2, {n}, redfish\n" for n in range(1, 6)) +
            f"node-6, {self.ipmi(6)}, b2, b2, 6, ipmi\n")
        done = self.hw("discover", "bmc", "--from", rack, "--credentials", "bmc/p1", "--provider", "p1", "--write",
                       cwd=folder)
        self.assertEqual(len(done.stdout.split()), 6)
        one = (folder / "providers/p1/machines/b2/node-1.toml").read_text()
        self.assertIn(self.pin, one)
        self.assertIn('credentials = ["bmc/p1"]', one)
        self.assertIn(self.control("GET", "/machines/m1")["serial"], one)
        self.hw("validate", cwd=folder)
        self.hw("fmt", "--check", "providers", cwd=folder)
        (folder / "providers/p1/machines/b2/node-1.toml").write_text(one + "# mine\n")
        again = self.hw("discover", "bmc", "--from", rack, "--credentials", "bmc/p1", "--provider", "p1", "--write",
                        cwd=folder, code=6)
        self.assertIn("node-1.toml exists", again.stderr)
        self.assertTrue((folder / "providers/p1/machines/b2/node-1.toml").read_text().endswith("# mine\n"))
        rack.write_text("name,address\n../../etc/passwd,127.0.0.1\n")
        self.assertIn("line 2", self.hw("discover", "bmc", "--from", rack, "--credentials", "bmc/p1", code=1).stderr)

    def test_pins_are_compared_and_refreshed(self):
        folder = self.registry()
        self.keep("bmc/p1", f"{self.network}.0/24")
        self.hw("discover", "bmc", self.url(1), "--credentials", "bmc/p1", "--provider", "p1", "--write", cwd=folder)
        name = next((folder / "providers/p1/machines").glob("*.toml")).stem
        path = folder / f"providers/p1/machines/{name}.toml"
        text = "# kept\n" + path.read_text()
        other = "spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
        path.write_text(text.replace(self.pin, other))
        self.assertEqual(self.hw("bmc", "pin", self.url(1)).stdout.strip(), self.pin)
        self.assertIn("--refresh", self.hw("bmc", "pin", f"p1/{name}", cwd=folder, code=2).stderr)
        self.hw("bmc", "pin", f"p1/{name}", "--refresh", cwd=folder)
        self.assertEqual(path.read_text(), text)
        self.hw("bmc", "pin", f"p1/{name}", cwd=folder)
        probe = self.hw("bmc", "probe", f"p1/{name}", "-o", "json", cwd=folder)
        self.assertEqual(json.loads(probe.stdout)["warnings"], [])

    def test_this_host(self):
        root = self.scratch / "root"
        self.write(root, {
            "sys/class/dmi/id/sys_vendor": "Acme\n", "sys/class/dmi/id/product_name": "A1\n",
            "sys/class/dmi/id/product_serial": "CZ3A1B2\n",
            "sys/class/dmi/id/product_uuid": "4C4C4544-0033-4110-8041-B7C04F314232\n",
            "proc/cpuinfo": "".join(f"processor : {n}\nvendor_id : V\nmodel name : CPU\nphysical id : {n // 4}\ncore id : {n % 4 // 2}\n\n"
                                    for n in range(8)),
            "proc/meminfo": "MemTotal:       65800000 kB\n",
            "sys/block/nvme0n1/size": "937703088\n", "sys/block/nvme0n1/device/serial": "S4YXNF0M \n",
            "sys/block/nvme0n1/device/model": "X\n", "sys/block/nvme0n1/queue/rotational": "0\n",
            "sys/block/nvme0c0n1/size": "937703088\n", "sys/block/nvme0c0n1/device/serial": "THE-SAME\n", "sys/block/nvme0c0n1/hidden": "1\n",
            "sys/block/sda/size": "1953525168\n", "sys/block/sda/device/model": "Y\n", "sys/block/sda/queue/rotational": "1\n",
            "sys/block/loop0/size": "100\n",
            "sys/class/net/eno1/address": "52:54:00:12:34:17\n", "sys/class/net/eno1/device/vendor": "1\n",
            "sys/class/net/eno1/carrier": "1\n", "sys/class/net/eno1/speed": "25000\n",
            "sys/class/net/lo/address": "00:00:00:00:00:00\n"})
        (root / "sys/block/sda/device/vpd_pg80").write_bytes(b"\0\x80\0\x0e        WD-17A")
        text = self.hw("discover", "host", "--root", root).stdout
        for line in ('serial = "CZ3A1B2"', 'uuid = "4c4c4544-0033-4110-8041-b7c04f314232"', "cpu_cores = 4",
                     "memory_gib = 63", "size_gib = 447", 'type = "nvme"', 'serial = "S4YXNF0M"', 'serial = "WD-17A"',
                     'mac = "52:54:00:12:34:17"', "speed_gbps = 25"):
            self.assertIn(line, text)
        self.assertNotIn("loop0", text)
        self.assertNotIn("THE-SAME", text)
        self.hw("discover", "host")


class Secrets(HardwareCase):
    def test_files_are_private_and_never_overwritten_by_accident(self):
        self.keep("bmc/berlin-1", "10.1.0.0/24", "*.bmc.example")
        path = self.secrets / "bmc/berlin-1.toml"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o400)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        before = path.read_text()
        self.hw("secret", "set", "bmc/berlin-1", "--username", "x", "--allow", "10.0.0.1", stdin="other\n", code=6)
        self.assertEqual(path.read_text(), before)
        self.hw("secret", "set", "bmc/berlin-1", "--username", "x", "--allow", "10.0.0.1", "--replace", stdin="other\n")
        self.assertIn("other", path.read_text())
        self.hw("secret", "set", "bmc/none", "--username", "x", stdin="p\n", code=1)
        self.hw("secret", "set", "../x", "--username", "x", "--allow", "10.0.0.1", stdin="p\n", code=1)
        self.hw("secret", "set", "bmc/empty", "--username", "x", "--allow", "10.0.0.1", stdin="", code=1)

    def test_many_from_a_file_all_or_none(self):
        csv = self.scratch / "labels.csv"
        csv.write_text(f"name,username,password,allow\nbmc/a,admin,{PASSWORD},10.0.0.1 10.0.0.2\nbmc/b,admin,{PASSWORD}\n")
        csv.chmod(0o600)
        self.assertIn("line 3", self.hw("secret", "import", csv, code=1).stderr)
        self.assertFalse(self.secrets.exists())
        csv.write_text(f"name,username,password,allow\nbmc/a,admin,{PASSWORD},10.0.0.1 10.0.0.2\nbmc/b,admin,{PASSWORD},10.0.0.3\n")
        self.hw("secret", "import", csv)
        self.assertIn('allow = ["10.0.0.1", "10.0.0.2"]', (self.secrets / "bmc/a.toml").read_text())
        csv.chmod(0o644)
        self.hw("secret", "import", csv, "--replace", code=1)


class Serial(HardwareCase):
    """nimbusctl instance console, on a simulated BMC's serial-over-LAN."""

    def test_what_is_typed_arrives_and_what_is_said_comes_back(self):
        self.hw("secret", "set", "bmc/lab", "--username", USER, "--allow", f"{self.network}.0/24", stdin=PASSWORD)
        machine = (f'[bmc]\ndriver = "ipmi"\naddress = "{self.ipmi(1)}"\nprivilege = "administrator"\n'
                   'credentials = ["bmc/lab"]\n[identity]\nserial = "X"\n')
        registry = self.repository({
            "registry.toml": 'format = 1\nname = "acme"\n', "providers/p/provider.toml": 'region = "eu"\ntenants = ["*"]\n',
            "providers/p/machines/m1.toml": machine, "policy/tenants/acme.toml": 'providers = ["*"]\n',
            "tenants/acme/instances/web.toml": 'provider = "p"\nimage = "x"\n'})
        def console(code=0, stdin="hello\r"):
            return self.ctl("instance", "console", "acme/web", cwd=registry, code=code, stdin=stdin,
                            environment={"NIMBUS_SECRETS": str(self.secrets)})
        self.branch_of_files(registry, "refs/heads/nimbus/status/p", {"tenants/acme/instances/web.toml": 'phase = "pending"\n'}, "x")
        self.assertIn("no machine yet", console(code=5).stderr)
        self.branch_of_files(registry, "refs/heads/nimbus/status/p",
                             {"tenants/acme/instances/web.toml": 'machine = "m1"\nphase = "running"\n'}, "x")
        name = self.control("GET", "/machines")["machines"][0]["name"]
        self.control("POST", f"/machines/{name}/power", {"action": "On"})
        deadline = time.monotonic() + 30
        while self.control("GET", f"/machines/{name}")["host"] != "running":
            self.assertLess(time.monotonic(), deadline, "the machine does not boot")
            time.sleep(0.05)
        result = console(stdin="hello\r")
        self.assertIn("Connected", result.stderr)
        self.assertIn("hello", result.stdout)
        self.assertEqual(console(stdin="~.never").stdout.count("never"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
