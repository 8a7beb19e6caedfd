"""nimbusctl bmc rotate against nimbus-sim, and commands that are ended in the middle."""
import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest

import cli_case
from hardware_case import HardwareCase, PASSWORD, USER


class Rotation(HardwareCase):
    def works(self, name, number):
        """Whether what the secret holds now logs in."""
        text = (self.secrets / f"{name}.toml").read_text()
        user, password = (re.search(rf'^{key} = "(.*)"$', text, re.M).group(1) for key in ("username", "password"))
        done = subprocess.run(["curl", "-sk", "-u", f"{user}:{password}", "-o", "/dev/null", "-w", "%{http_code}",
                               self.url(number) + "/redfish/v1/Systems"], capture_output=True, text=True)
        return done.stdout == "200"

    def enabled(self, machine):
        return [one["name"] for one in self.control("GET", f"/machines/{machine}")["accounts"]]

    def rotate(self, number, **more):
        return self.hw("bmc", "rotate", self.url(number), "--credentials", f"bmc/m{number}", "--pin", self.pin, **more)

    def test_new_account_old_one_disabled_twice(self):
        self.keep("bmc/m1", self.url(1))
        self.rotate(1)
        self.assertTrue(self.works("bmc/m1", 1))
        self.assertNotIn(PASSWORD, (self.secrets / "bmc/m1.toml").read_text())
        self.assertEqual(self.enabled("m1"), ["admin-a"])
        self.rotate(1)
        self.rotate(1)
        self.assertEqual(self.enabled("m1"), ["admin-a"])
        self.assertEqual(sorted(path.name for path in (self.secrets / "bmc").iterdir()), ["m1.toml"])

    def test_an_account_of_somebody_else_is_left_alone(self):
        self.keep("bmc/m1", self.url(1))
        body = {"UserName": "admin-a", "Password": "Somebody-77", "RoleId": "Operator", "Enabled": True}
        subprocess.run(["curl", "-skf", "-u", f"{USER}:{PASSWORD}", "-H", "Content-Type: application/json", "-d", json.dumps(body), "-o",
                        "/dev/null", self.url(1) + "/redfish/v1/AccountService/Accounts"], check=True)
        self.assertIn("an account 'admin-a' that is in use", self.rotate(1, code=6).stderr)
        self.assertEqual(sorted(self.enabled("m1")), ["admin", "admin-a"])
        done = subprocess.run(["curl", "-sk", "-u", "admin-a:Somebody-77", "-o", "/dev/null", "-w", "%{http_code}",
                               self.url(1) + "/redfish/v1/Systems"], capture_output=True, text=True)
        self.assertEqual(done.stdout, "200")
        self.assertEqual([path.name for path in (self.secrets / "bmc").iterdir()], ["m1.toml"])

    def test_a_shared_secret_is_left_alone(self):
        self.keep("bmc/m1", self.url(1), self.url(2))
        self.assertIn("may also be sent", self.rotate(1, code=1).stderr)
        self.assertEqual(self.enabled("m1"), ["admin"])

    def test_killed_at_any_point_the_secret_works_and_the_next_run_finishes(self):
        self.keep("bmc/m2", self.url(2))
        started = time.monotonic()
        self.rotate(2)
        whole = time.monotonic() - started
        killed = 0
        for round_number in range(24):
            child = subprocess.Popen([cli_case.NIMBUSCTL, "bmc", "rotate", self.url(2), "--credentials", "bmc/m2", "--pin",
                                      self.pin], env=self.environment(NIMBUS_SECRETS=str(self.secrets)),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                child.wait(whole * (round_number + 0.5) / 24)
            except subprocess.TimeoutExpired:
                child.kill()
                killed += 1
            child.wait()
            self.assertTrue(self.works("bmc/m2", 2), f"round {round_number}: the secret is dead")
        self.assertGreater(killed, 8)
        self.rotate(2)
        self.assertTrue(self.works("bmc/m2", 2))
        self.assertEqual(len(self.enabled("m2")), 1)
        self.assertEqual(sorted(path.name for path in (self.secrets / "bmc").iterdir()), ["m2.toml"])

    def test_ended_at_each_request_in_turn(self):
        # What the BMC sees is what can be lost: it falls silent at the first request of each kind, the command
        # is killed while it waits, and the next run goes on.
        for method, path in (("POST", "*/Accounts"), ("GET", "*/Accounts*"), ("PATCH", "*/Accounts/*"),
                             ("POST", "*/Sessions")):
            number = 3
            if not (self.secrets / "bmc/m3.toml").exists():
                self.keep("bmc/m3", self.url(3))
            fault = {"kind": "drop", "machines": ["m3"], "side": "redfish", "method": method, "path": path, "count": 1}
            self.control("POST", "/faults", fault)
            self.rotate(number, code=None)
            self.assertTrue(self.works("bmc/m3", number), f"{method} {path}")
        self.control("DELETE", "/faults")
        self.rotate(3)
        self.assertTrue(self.works("bmc/m3", 3))
        self.assertEqual(len(self.enabled("m3")), 1)

    def test_no_two_at_once(self):
        self.keep("bmc/m4", self.url(4))
        results = []

        def one():
            results.append(self.rotate(4, code=None).returncode)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertIn(0, results)
        self.assertLessEqual(set(results), {0, 6})
        self.assertTrue(self.works("bmc/m4", 4))
        self.assertEqual(len(self.enabled("m4")), 1)

    def test_passwords_are_in_no_argument(self):
        self.keep("bmc/m5", self.url(5))
        self.control("POST", "/faults", {"kind": "delay", "machines": ["m5"], "side": "redfish", "delay": "1s", "count": 1})
        child = subprocess.Popen([cli_case.NIMBUSCTL, "bmc", "rotate", self.url(5), "--credentials", "bmc/m5", "--pin",
                                  self.pin], env=self.environment(NIMBUS_SECRETS=str(self.secrets)),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process = pathlib.Path(f"/proc/{child.pid}")
        argv = (process / "cmdline").read_text()
        try:
            argv += (process / "environ").read_text()
        except PermissionError:
            pass  # not even this user may look into a program that holds passwords
        child.wait(60)
        self.assertNotIn(PASSWORD, argv)

    def test_a_fault_leaves_no_core_with_passwords_in_it(self):
        for words in (("bmc", "probe", self.url(5), "--credentials", "prompt", "--pin", self.pin),
                      ("secret", "set", "bmc/x", "--username", USER, "--allow", self.url(5))):
            with self.subTest(words[:2]):
                child = subprocess.Popen([cli_case.NIMBUSCTL, *words], env=self.environment(NIMBUS_SECRETS=str(self.secrets)),
                                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096)))

                def core():
                    limits = pathlib.Path(f"/proc/{child.pid}/limits").read_text().splitlines()
                    return next(line for line in limits if line.startswith("Max core file size")).split()[4:6]
                try:
                    until = time.monotonic() + 30
                    while core() != ["0", "0"] and time.monotonic() < until:  # it waits for what is typed
                        os.sched_yield()
                    self.assertEqual(core(), ["0", "0"])
                finally:
                    child.kill()
                    child.communicate()


def number_of(terminal):
    """Of the other side of a pseudo terminal (TIOCGPTN)."""
    return struct.unpack("i", fcntl.ioctl(terminal, 0x80045430, b"\0" * 4))[0]


class Stopped(HardwareCase):
    """Ctrl-C."""

    def sessions(self, number):
        done = subprocess.run(["curl", "-sk", "-u", f"{USER}:{PASSWORD}", self.url(number) + "/redfish/v1/SessionService/Sessions"],
                              capture_output=True, text=True, check=True)
        return len(json.loads(done.stdout)["Members"])

    def test_the_session_is_closed(self):
        self.keep("bmc/m1", self.url(1))
        self.assertEqual(self.sessions(1), 0)
        for words in (("bmc", "probe", self.url(1), "--pin", self.pin), ("discover", "bmc", self.url(1))):
            with self.subTest(words[:2]):
                self.control("POST", "/faults", {"kind": "delay", "machines": ["m1"], "side": "redfish", "method": "GET",
                                                 "path": "*/Processors", "delay": "60s"})
                child = subprocess.Popen([cli_case.NIMBUSCTL, *words, "--credentials", "bmc/m1"],
                                         env=self.environment(NIMBUS_SECRETS=str(self.secrets)), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                until = time.monotonic() + 30
                while self.sessions(1) == 0 and time.monotonic() < until:
                    os.sched_yield()
                child.send_signal(signal.SIGINT)
                self.assertEqual(child.wait(20), -signal.SIGINT)
                self.assertEqual(child.stdout.read(), b"")
                child.stdout.close()
                self.control("DELETE", "/faults")
                self.assertEqual(self.sessions(1), 0)

    def test_the_terminal_shows_again_what_is_typed(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(cli_case.NIMBUSCTL, ["nimbusctl", "secret", "set", "bmc/x", "--username", USER, "--allow", "10.0.0.1"],
                      self.environment(NIMBUS_SECRETS=str(self.secrets)))
        keeper = os.open(f"/dev/pts/{number_of(terminal)}", os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, keeper)
        self.addCleanup(os.close, terminal)

        def echoes():
            return bool(termios.tcgetattr(keeper)[3] & termios.ECHO)
        until = time.monotonic() + 30
        while echoes() and time.monotonic() < until:  # it asks without showing
            os.sched_yield()
        self.assertFalse(echoes())
        os.write(terminal, b"half of it\x03")
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), -signal.SIGINT)
        self.assertTrue(echoes())
        self.assertFalse((self.secrets / "bmc/x.toml").exists())


if __name__ == "__main__":
    unittest.main(verbosity=1)
