#!/usr/bin/env python3
"""Checks the files that are shipped beside the programs: the systemd unit's
exposure, and that nginx takes the example of a reverse proxy."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
WORST_EXPOSURE = 2.0  # of 10, as systemd counts; the unit had 1.2 when written


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
    def test_exposure_is_low(self):
        result = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                                 PACKAGING / "systemd" / "nimbusd.service"], capture_output=True, text=True)
        found = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
        self.assertIsNotNone(found, result.stdout + result.stderr)
        self.assertLessEqual(float(found.group(1)), WORST_EXPOSURE, result.stdout)


class Proxy(unittest.TestCase):
    @unittest.skipUnless(shutil.which("nginx", path="/usr/sbin:/usr/bin"), "no nginx here (scripts/setup --full)")
    def test_nginx_takes_the_example(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
                            "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True,
                           capture_output=True)
            example = (PACKAGING / "nginx" / "nimbusd.conf").read_text()
            (folder / "site.conf").write_text(example.replace("/etc/ssl/nimbus", name))
            (folder / "nginx.conf").write_text(
                f"events {{}}\nerror_log {name}/error;\npid {name}/pid;\nhttp {{ include {name}/site.conf; }}\n")
            result = subprocess.run([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-t", "-c", folder / "nginx.conf"],
                                    capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
