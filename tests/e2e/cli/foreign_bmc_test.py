"""nimbusctl discover and bmc against BMCs that this project did not write: OpenIPMI's ipmi_sim and the
Redfish emulator of sushy-tools. ipmitool and openssl say independently what became of it."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import cli_case

PEERS = cli_case.SOURCE / "tests" / "peers"
sys.path.insert(0, str(PEERS / "ipmi_sim"))
import ipmi_sim  # noqa: E402

USER, PASSWORD = "admin", "secret12"
PYTHON = cli_case.SOURCE / ".venv" / "bin" / "python"
ROUNDS = 5


class ForeignCase(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.secrets = self.scratch / "secrets"

    def hw(self, *arguments, code=0, **more):
        done = self.ctl(*arguments, code=code, environment={"NIMBUS_SECRETS": str(self.secrets)}, **more)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)
        self.assert_safe_for_terminals(done.stdout)
        return done

    def start(self, *arguments):
        """nimbusctl in the background."""
        return subprocess.Popen([cli_case.NIMBUSCTL, *map(str, arguments)], cwd=self.scratch, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env=self.environment(NIMBUS_SECRETS=str(self.secrets)))

    def keep(self, name, address, password=PASSWORD):
        self.hw("secret", "set", name, "--username", USER, "--allow", address, stdin=password + "\n")

    def registry(self):
        folder = self.scratch / "registry"
        self.ctl("init", folder)
        self.write(folder, {"providers/p1/provider.toml": 'region = "eu"\n'})
        return folder

    def probe(self, address, *arguments):
        told = json.loads(self.hw("bmc", "probe", address, *arguments, "--format", "json").stdout)
        return told, {one["aspect"]: one for one in told["aspects"]}


@unittest.skipUnless(shutil.which("ipmi_sim") and shutil.which("ipmitool"), "ipmi_sim or ipmitool is not installed")
class IpmiSim(ForeignCase):
    def setUp(self):
        super().setUp()
        self.fleet = ipmi_sim.Fleet(self.scratch / "bmcs")
        network = f"127.{random.randrange(120, 160)}.{random.randrange(1, 250)}"
        self.fleet.start(count=2, address=f"{network}.1", user=USER, password=PASSWORD)
        self.addCleanup(self.fleet.stop)
        self.bmc = self.fleet.bmcs[0]
        self.address = f"{self.bmc['address']}:{self.bmc['port']}"
        self.keep("bmc/m1", self.bmc["address"])

    def login(self):
        """User and password that the secret holds."""
        text = (self.secrets / "bmc/m1.toml").read_text()
        return tuple(re.search(rf'^{key} = "(.*)"$', text, re.M).group(1) for key in ("username", "password"))

    def accepts(self, user, password):
        """Whether ipmitool gets in as administrator."""
        done = subprocess.run(["ipmitool", "-I", "lanplus", "-C", "3", "-R", "1", "-N", "2", "-H", self.bmc["address"], "-p", str(self.bmc["port"]),
                               "-U", user, "-E", "-L", "ADMINISTRATOR", "chassis", "power", "status"], capture_output=True, text=True,
                              env={**os.environ, "IPMI_PASSWORD": password}, timeout=60)
        return done.returncode == 0 and done.stdout.startswith("Chassis Power is")

    def rotate(self, **more):
        return self.hw("bmc", "rotate", self.address, "--credentials", "bmc/m1", **more)

    def test_probe_and_discover(self):
        told, aspects = self.probe(self.address, "--credentials", "bmc/m1")
        self.assertEqual(told["identity"]["serial"], self.bmc["serial"])
        self.assertEqual(told["identity"]["bmc_guid"].replace("-", ""), self.bmc["guid"])
        self.assertEqual(told["bmc"]["login"], "suite 3")
        self.assertEqual((aspects["power"]["state"], aspects["power"]["detail"]), ("works", "off"))
        self.assertEqual(aspects["accounts"]["detail"], "admin, operator")
        self.assertEqual(self.fleet.journal(1), [])  # nothing reached the machine
        folder = self.registry()
        self.keep("bmc/p1", "127.0.0.0/8")
        addresses = [f"{one['address']}:{one['port']}" for one in self.fleet.bmcs]
        done = self.hw("discover", "bmc", *addresses, "--credentials", "bmc/p1", "--provider", "p1", "--write", cwd=folder)
        self.assertEqual(len(done.stdout.split()), 2)
        for one, path in zip(self.fleet.bmcs, sorted(done.stdout.split())):
            text = (folder / path).read_text()
            self.assertIn(f'serial = "{one["serial"]}"', text)
            self.assertIn('driver = "ipmi"', text)
        self.hw("validate", cwd=folder)
        # The machine's file and the BMC agree.
        name = pathlib.Path(sorted(done.stdout.split())[0]).stem
        self.assertEqual(json.loads(self.hw("bmc", "probe", f"p1/{name}", "-o", "json", cwd=folder).stdout)["warnings"], [])

    def test_rotate_the_new_account_works_and_the_old_one_does_not(self):
        self.assertTrue(self.accepts(USER, PASSWORD))
        before = (USER, PASSWORD)
        for name in ("admin-a", "admin-b", "admin-a"):
            self.rotate()
            now = self.login()
            self.assertEqual(now[0], name)
            self.assertTrue(self.accepts(*now))
            self.assertFalse(self.accepts(*before), before[0])
            before = now
        self.assertEqual([path.name for path in (self.secrets / "bmc").iterdir()], ["m1.toml"])

    def test_rotate_killed_at_any_point_the_secret_works_and_the_next_run_finishes(self):
        started = time.monotonic()
        self.rotate()
        whole = time.monotonic() - started
        killed, seen = 0, {(USER, PASSWORD), self.login()}
        for number in range(ROUNDS):
            child = self.start("bmc", "rotate", self.address, "--credentials", "bmc/m1")
            try:
                child.wait(whole * (number + 0.5) / ROUNDS)
            except subprocess.TimeoutExpired:
                child.kill()
                killed += 1
            child.wait()
            self.assertTrue(self.accepts(*self.login()), f"round {number}: the secret is dead")
            seen.add(self.login())
        self.assertGreater(killed, ROUNDS // 3)
        self.rotate()
        self.assertTrue(self.accepts(*self.login()))
        for other in seen - {self.login()}:
            self.assertFalse(self.accepts(*other), other[0])
        self.assertEqual([path.name for path in (self.secrets / "bmc").iterdir()], ["m1.toml"])

    def test_a_bmc_that_falls_silent_in_the_middle(self):
        for number in range(3):
            child = self.start("bmc", "rotate", self.address, "--credentials", "bmc/m1", "--timeout", "3s")
            try:
                child.wait(0.15 * (number + 1))
            except subprocess.TimeoutExpired:
                pass
            self.fleet.fault(1, "hang")
            started = time.monotonic()
            child.wait(30)
            self.assertLess(time.monotonic() - started, 15)
            self.fleet.fault(1, "resume")
            self.assertTrue(self.accepts(*self.login()), f"round {number}: the secret is dead")
        self.rotate()
        self.assertTrue(self.accepts(*self.login()))
        self.fleet.fault(1, "hang")
        silent = self.hw("bmc", "probe", self.address, "--credentials", "bmc/m1", "--timeout", "2s", code=1)
        self.assertIn("no answer", silent.stderr)
        both = self.hw("discover", "bmc", self.address, "--driver", "ipmi", "--credentials", "bmc/m1", "--timeout", "2s", code=1)
        self.assertIn(self.bmc["address"], both.stderr)

    def test_ctrl_c_ends_a_command_that_waits(self):
        self.fleet.fault(1, "hang")
        for words in (("bmc", "probe", self.address), ("bmc", "rotate", self.address),
                      ("discover", "bmc", self.address, "--driver", "ipmi")):
            child = self.start(*words, "--credentials", "bmc/m1", "--timeout", "50s")
            with self.assertRaises(subprocess.TimeoutExpired):
                child.wait(0.5)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(10), -signal.SIGINT, words)


@unittest.skipUnless(PYTHON.exists(), "no .venv: scripts/setup makes it")
class Sushy(ForeignCase):
    """One emulator for all; its journal grows."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="nimbusctl-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = scratch.name + "/bmcs"
        cls.addClassCleanup(cls.sushy, "stop")
        address = f"127.{random.randrange(160, 200)}.{random.randrange(1, 250)}.1"
        _, cls.url, cls.pin, cls.uuid = cls.sushy("start", "--address", address, "--power-delay", "0", "--user", USER, "--password", PASSWORD).split()

    @classmethod
    def sushy(cls, command, *arguments):
        return subprocess.run([PYTHON, PEERS / "sushy" / "sushy.py", command, cls.folder, *arguments], capture_output=True, text=True, check=True,
                              timeout=100).stdout

    def setUp(self):
        super().setUp()
        self.keep("bmc/m1", self.url)
        self.earlier = 0
        self.earlier = len(self.requests())

    def requests(self):
        """Those of this test."""
        return self.sushy("requests", "1").splitlines()[self.earlier:]

    def test_pin_as_openssl_says_it(self):
        host = self.url.removeprefix("https://")
        shown = subprocess.run(["openssl", "s_client", "-connect", host], input="", capture_output=True, text=True, check=True).stdout
        fingerprint = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=shown, capture_output=True, text=True,
                                     check=True).stdout.strip().split("=", 1)[1]
        told = json.loads(self.hw("bmc", "pin", self.url, "--format", "json").stdout)
        self.assertEqual((told["pin"], told["certificate_sha256"]), (self.pin, fingerprint))
        self.assertIn(self.pin, self.hw("bmc", "probe", self.url, "--credentials", "bmc/m1", code=1).stderr)
        self.assertEqual(self.requests(), [])  # a handshake, and no request

    def test_probe_and_discover_read_only(self):
        told, aspects = self.probe(self.url, "--credentials", "bmc/m1", "--pin", self.pin)
        self.assertEqual(told["identity"]["uuid"], self.uuid)
        self.assertEqual(told["bmc"]["login"], "basic")  # the emulator has no sessions
        for aspect in ("power", "boot override", "inventory", "sensors", "virtual media", "secure boot"):
            self.assertEqual(aspects[aspect]["state"], "works", aspects[aspect])
        for aspect in ("accounts", "event log", "event stream"):
            self.assertEqual(aspects[aspect]["state"], "not offered", aspects[aspect])
        folder = self.registry()
        done = self.hw("discover", "bmc", "--from", self.rack(), "--credentials", "bmc/m1", "--provider", "p1", "--write", cwd=folder)
        path = folder / done.stdout.strip()
        text = path.read_text()
        for part in (self.pin, f'uuid = "{self.uuid}"', 'driver = "redfish"', 'credentials = ["bmc/m1"]'):
            self.assertIn(part, text)
        self.hw("validate", cwd=folder)
        self.assertEqual({line.split()[0] for line in self.requests()}, {"GET"})
        # Without credentials the service root alone is asked for.
        self.assertEqual({line.split()[1] for line in self.requests() if line.endswith("anonymous")}, {"/redfish/v1/"})
        # The key in the file is no longer that of the BMC, and then it is again.
        path.write_text(text.replace(self.pin, "spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="))
        self.hw("bmc", "pin", "p1/node-1", cwd=folder, code=2)
        self.hw("bmc", "probe", "p1/node-1", cwd=folder, code=1)
        self.hw("bmc", "pin", "p1/node-1", "--refresh", cwd=folder)
        self.assertEqual(path.read_text(), text)
        self.hw("bmc", "probe", "p1/node-1", cwd=folder)

    def rack(self):
        rack = self.scratch / "rack.csv"
        rack.write_text(f"name,address\nnode-1,{self.url}\n")
        return rack

    def test_a_refused_password_is_sent_once(self):
        self.keep("bmc/wrong", self.url, password="not-this-one")
        done = self.hw("bmc", "probe", self.url, "--credentials", "bmc/wrong", "--pin", self.pin, code=4)
        self.assertIn("refused", done.stderr)
        self.assertEqual([line.split()[2] for line in self.requests() if line.endswith("auth")].count("401"), 1)

    def test_rotate_where_accounts_cannot_be_seen_changes_nothing(self):
        secret = (self.secrets / "bmc/m1.toml").read_text()
        done = self.hw("bmc", "rotate", self.url, "--credentials", "bmc/m1", "--pin", self.pin, code=1)
        self.assertIn("the BMC does not show its accounts", done.stderr)
        self.assertEqual([path.name for path in (self.secrets / "bmc").iterdir()], ["m1.toml"])
        self.assertEqual((self.secrets / "bmc/m1.toml").read_text(), secret)
        self.assertEqual({line.split()[0] for line in self.requests()}, {"GET"})

    def test_an_emulator_that_dies_in_the_middle(self):
        self.sushy("fault", "1", "hang")
        started = time.monotonic()
        for words in (("bmc", "probe", self.url, "--pin", self.pin), ("discover", "bmc", self.url)):
            self.hw(*words, "--credentials", "bmc/m1", "--timeout", "2s", code=1)
        self.assertLess(time.monotonic() - started, 20)
        self.sushy("fault", "1", "kill")
        self.assertIn("no connection", self.hw("bmc", "probe", self.url, "--pin", self.pin, "--credentials", "bmc/m1", code=1).stderr)
        self.sushy("fault", "1", "revive")


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # the peers run on when they were started
