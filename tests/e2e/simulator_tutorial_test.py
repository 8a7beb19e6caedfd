#!/usr/bin/env python3
"""The page "Try Nimbus without hardware", typed in word by word in an empty folder. Only addresses and ports are others,
and what a command shows may take its time: it is asked again until it is as the page has it. Of an answer, the lines
that the page shows are looked for, in order."""
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness.ports import free_tcp_port, free_udp_port

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("NIMBUS_PROGRAMS", "build/dev/bin")).resolve()
PAGE = SOURCE / "docs" / "tutorials" / "try-without-hardware.md"
LIMIT_S = 30 * int(os.environ.get("NIMBUS_TEST_SLOWNESS", "1"))
NEEDS = ("ipmitool", "ipmipower", "curl")


def in_order(wanted, text):
    rest = iter(line.strip() for line in text.splitlines())
    return all(any(line == want for line in rest) for want in wanted)


class Tutorial(unittest.TestCase):
    def setUp(self):
        missing = [program for program in NEEDS if shutil.which(program) is None]
        if missing:
            self.skipTest(f"not installed: {' '.join(missing)}")
        self.home = tempfile.mkdtemp(prefix="nimbus-tutorial-")
        self.addCleanup(shutil.rmtree, self.home)
        self.environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}:/usr/sbin", "HOME": self.home, "LC_ALL": "C.UTF-8"}
        self.process = None
        self.addCleanup(self.stop)
        text = PAGE.read_text().replace("127.1.0.", f"127.{random.randint(20, 250)}.{random.randint(1, 250)}.")
        for old, free_port in (("8099", free_tcp_port), ("9443", free_tcp_port), ("9623", free_udp_port)):
            text = text.replace(old, str(free_port()))
        self.text = text

    def shell(self, command):
        return subprocess.run(["bash", "-c", command], cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S)

    def serve(self, command, wanted):
        self.stop()
        self.process = subprocess.Popen(command.split(), cwd=self.home, env=self.environment, stdout=subprocess.PIPE, text=True)
        self.assertEqual(self.process.stdout.readline().strip(), wanted[0])

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.assertEqual(self.process.wait(10), 0)
            self.process.stdout.close()
            self.process = None

    def show(self, command, wanted):
        deadline = time.monotonic() + LIMIT_S
        while True:
            done = self.shell(command)
            if done.returncode == 0 and in_order(wanted, done.stdout):
                return
            # What was ordered is ordered once; only questions are repeated.
            self.assertTrue(" status" in command or "curl" in command and " -d " not in command, f"{command}\n{done.stdout}{done.stderr}")
            self.assertLess(time.monotonic(), deadline, f"{command}\n{done.stdout}{done.stderr}\nwanted: {wanted}")
            time.sleep(0.2)

    def test_every_command_shows_what_the_page_says(self):
        shown = 0
        for kind, block in re.findall(r"```(toml|console)\n(.*?)```", self.text, re.DOTALL):
            if kind == "toml":
                pathlib.Path(self.home, "fleet.toml").write_text(block)
                continue
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *wanted = [line.strip() for line in part.strip().splitlines()]
                if command.startswith("nimbus-sim serve"):
                    self.serve(command, wanted)
                else:
                    self.show(command, wanted)
                shown += 1
        self.assertGreater(shown, 8)


if __name__ == "__main__":
    unittest.main()
