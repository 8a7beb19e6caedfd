#!/usr/bin/env python3
"""Runs the IPMI driver's peer tests: run.py TEST_PROGRAM [doctest options]

Starts BMCs of OpenIPMI's ipmi_sim and one of pyghmi on loopback, tells the program where they are
(environment), and ends them.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ipmi_sim"))
from ipmi_sim import PROBE, Fleet, free_port  # noqa: E402

PYGHMI_ADDRESS = "127.41.0.1"


def start_pyghmi(folder):
    port = free_port([PYGHMI_ADDRESS])
    log = open(folder / "pyghmi.log", "wb")
    # Debian's interpreter: the package installs for no other.
    child = subprocess.Popen(["/usr/bin/python3", HERE / "pyghmi_bmc.py", PYGHMI_ADDRESS, str(port)], stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect((PYGHMI_ADDRESS, port))
        while True:
            try:
                probe.send(PROBE)
                probe.recv(512)
                return child, port
            except OSError:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("pyghmi's BMC did not start:\n" + (folder / "pyghmi.log").read_text())
                time.sleep(0.05)


def main():
    for program in ("ipmi_sim", "ipmitool"):
        if not shutil.which(program):
            sys.exit(f"{program} is missing: run scripts/setup")
    with tempfile.TemporaryDirectory(prefix="nimbus-peer-ipmi-") as name:
        folder = pathlib.Path(name)
        fleet = Fleet(folder / "fleet")
        pyghmi = None
        try:
            fleet.start(count=4, address="127.41.1.1")
            pyghmi, port = start_pyghmi(folder)
            environment = dict(os.environ, NIMBUS_FLEET=str(fleet.folder), NIMBUS_PYGHMI=f"{PYGHMI_ADDRESS}:{port}",
                               NIMBUS_FLEET_PROGRAM=str(HERE.parent / "ipmi_sim" / "ipmi_sim.py"))
            return subprocess.call(sys.argv[1:], env=environment)
        finally:
            fleet.stop()
            if pyghmi:
                pyghmi.send_signal(signal.SIGTERM)
                pyghmi.wait()


if __name__ == "__main__":
    sys.exit(main())
